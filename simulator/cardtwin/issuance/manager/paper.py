"""PIN letters as PDF (ISO 32000), on A4.

The same letter printed at the same time is the same file: its date is the given one, and it has no identifier
of its own.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, WrapMode, XPos, YPos

from cardtwin.issuance.manager.errors import LetterRefusedError
from cardtwin.issuance.manager.lettertext import CORE_FONTS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cardtwin.issuance.manager.lettertext import LetterText

__all__ = ["on_paper"]

_MARGIN: Final = 25.0
_LINE: Final = 5.5
_WINDOW: Final = 50.0
"""Where the addressee stands, in mm from the top: in the window of an envelope (ISO 269, DIN 5008)."""
_BELOW_WINDOW: Final = 100.0
_FOOT: Final = 20.0
_LABELS: Final = 70.0
_SECRETS: Final = "Courier"
"""One width for all characters, and those of 0 and O, 1 and l apart."""


class _Paper(FPDF):
    """A letter's pages."""

    def __init__(self, letter: LetterText, now: datetime, fonts: Path | None) -> None:
        super().__init__(format="A4", unit="mm")
        self._letter = letter
        self.set_creation_date(now)
        self.set_producer("cardtwin")
        self.set_title(letter.id)
        self.set_margins(_MARGIN, _FOOT, _MARGIN)
        self.set_auto_page_break(auto=True, margin=_FOOT + _LINE)
        self._family = letter.font if letter.font in CORE_FONTS else self._load(fonts)

    def file_id(self) -> None:
        """Return no identifier: it would be made of the time and the content."""

    def footer(self) -> None:
        """Write the foot of a page."""
        self.set_y(-_FOOT)
        self._write(self._letter.footer, 8)

    def fill(self) -> None:
        """Write all that stands in the letter."""
        letter = self._letter
        self.add_page()
        self._paragraphs(letter.sender, 8)
        self.set_y(_WINDOW)
        self._paragraphs(letter.addressee, 11)
        self.set_y(_BELOW_WINDOW)
        self._write(letter.date, 10)
        self.ln(_LINE)
        self._write(letter.subject, 13)
        self.ln(_LINE)
        self._paragraphs(letter.text, 11, after=_LINE / 2)
        self.ln(_LINE)

        for label, value in letter.rows:
            self._row(label, value)

        self.ln(_LINE)
        self._paragraphs(letter.closing, 11, after=_LINE / 2)

    def _paragraphs(self, paragraphs: tuple[str, ...], size: int, after: float = 0.0) -> None:
        for paragraph in paragraphs:
            self._write(paragraph, size)
            self.ln(after)

    def _write(self, text: str, size: int) -> None:
        self.set_font(self._family, size=size)
        self.multi_cell(0, size / 2, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _row(self, label: str, value: str) -> None:
        """Write a secret beside its label, on the same page; below it where there is no room for it."""
        self.set_font(_SECRETS, size=13)
        beside = self.get_string_width(value) <= self.epw - _LABELS - 2 * self.c_margin
        labels = self._lines(self._family, 11, _LABELS, label)
        values = 1 if beside else self._lines(_SECRETS, 11, self.epw, value)

        if self.will_page_break(_LINE * (max(labels, values) if beside else labels + values)):
            self.add_page()

        top = self.get_y()
        self._cells(self._family, 11, _LABELS, label)

        if beside:
            below = self.get_y()
            self.set_xy(_MARGIN + _LABELS, top)
            self._cells(_SECRETS, 13, self.epw - _LABELS, value)
            self.set_y(max(below, self.get_y()))
        else:
            self._cells(_SECRETS, 11, self.epw, value)

        self.set_y(self.get_y() + 1)

    def _lines(self, family: str, size: int, width: float, text: str) -> int:
        """Return how many lines a text takes."""
        self.set_font(family, size=size)
        wrap = WrapMode.CHAR if family == _SECRETS else WrapMode.WORD
        found = self.multi_cell(
            width, _LINE, text, align="L", wrapmode=wrap, dry_run=True, output=MethodReturnValue.LINES
        )
        assert isinstance(found, list)
        return len(found)

    def _cells(self, family: str, size: int, width: float, text: str) -> None:
        self.set_font(family, size=size)
        wrap = WrapMode.CHAR if family == _SECRETS else WrapMode.WORD
        self.multi_cell(width, _LINE, text, align="L", wrapmode=wrap, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _load(self, fonts: Path | None) -> str:
        """Make a font's file known, and see that it has all characters."""
        name = self._letter.font
        known = ", ".join(sorted(CORE_FONTS))

        if fonts is None or "/" in name or not (fonts / name).is_file():
            raise LetterRefusedError("letter-font", f"there is no font {name!r}: a file, or one of {known}")

        self._letter.check(_characters(fonts / name))
        self.add_font("letter", fname=fonts / name)
        return "letter"


def _characters(path: Path) -> frozenset[str]:
    """Return the characters that a font's file has.

    The library would leave a file open that it can't use, so it gets none of these.
    """
    try:
        with TTFont(BytesIO(path.read_bytes())) as font:
            return frozenset(chr(code) for code in font.getBestCmap())
    except Exception as error:  # noqa: BLE001  # whatever is wrong with somebody's file
        raise LetterRefusedError("letter-font", f"the font {path.name!r} can't be read: {error}") from None


def on_paper(letter: LetterText, now: datetime, fonts: Path | None) -> bytes:
    """Return a letter as PDF.

    Args:
        letter: What stands in it.
        now: When it is made.
        fonts: The folder with the files of fonts.

    Raises:
        LetterRefusedError: There is no such font, or it hasn't all characters.
    """
    if letter.font in CORE_FONTS:
        letter.check()

    paper = _Paper(letter, now, fonts)
    paper.fill()
    return bytes(paper.output())
