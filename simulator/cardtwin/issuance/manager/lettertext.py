"""What stands in a PIN letter: a layout's texts, filled in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.issuance.manager.errors import LetterRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.issuance.manager.model import LetterLayout
    from cardtwin.plan import Secret, SecretName

__all__ = ["CORE_FONTS", "OWN_FIELDS", "LetterText", "fields_in", "letter_text"]

CORE_FONTS: Final = frozenset({"Helvetica", "Times", "Courier"})
"""The fonts that every PDF reader has. Their characters are those of Latin-1 (ISO/IEC 8859-1)."""

OWN_FIELDS: Final = frozenset({"Letter", "Number", "Of", "Copy", "Date", "Serial number"})
"""What stands for something in each letter, besides the fields of input views."""

_FIELD: Final = re.compile(r"\$\{([^{}]*)\}")
_LATIN_1: Final = frozenset(chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100)))


@dataclass(frozen=True, slots=True)
class LetterText:
    """One letter, filled in.

    Attributes:
        id: The ID that it shares with the other letters of its token.
        number: Which of them it is.
        copy: Which copy it is, from 1 on.
        font: The font.
        date: The day on which it is printed.
        sender: Who writes, line by line.
        addressee: To whom.
        subject: The line above the text.
        text: The paragraphs above the secrets.
        closing: Those below.
        rows: What each secret is called, and the secret; the card's serial number comes first.
        footer: The line at the foot.
    """

    id: str
    number: int
    copy: int
    font: str
    date: str
    sender: tuple[str, ...]
    addressee: tuple[str, ...]
    subject: str
    text: tuple[str, ...]
    closing: tuple[str, ...]
    rows: tuple[tuple[str, str], ...] = field(repr=False)
    footer: str

    @property
    def file_name(self) -> str:
        """The name of its file."""
        copy = f"-copy-{self.copy}" if self.copy > 1 else ""
        return f"{self.id}-{self.number}{copy}.pdf"

    def check(self, characters: frozenset[str] = _LATIN_1) -> None:
        """See that a font, by default one that every PDF reader has, has all characters of the letter.

        Raises:
            LetterRefusedError: It hasn't. Characters of secrets aren't told.
        """
        open_text = (*self.sender, *self.addressee, self.subject, *self.text, *self.closing, self.footer)
        labels = tuple(label for label, _ in self.rows)

        if missing := set("".join((*open_text, *labels, self.date))) - characters:
            shown = " ".join(f"{sign!r}" for sign in sorted(missing))
            message = f"the font {self.font} of PIN letters hasn't {shown}: Font names a file of one that has"
            raise LetterRefusedError("letter-characters", message)

        if set("".join(value for _, value in self.rows)) - _LATIN_1:
            raise LetterRefusedError("letter-secret", "a secret has characters that can't be printed")


def letter_text(
    layout: LetterLayout,
    secrets: Mapping[SecretName, Secret],
    fields: Mapping[str, str],
    *,
    copy: int = 1,
) -> LetterText:
    """Fill a letter in.

    Args:
        layout: The texts.
        secrets: The secrets in it.
        fields: What fields stand for: those of the input view and of the letter.
        copy: Which copy it is.

    Raises:
        LetterRefusedError: A secret can't be written.
    """
    values = {**fields, "Copy": str(copy)}
    footer = _filled(layout.footer, values)
    serial = values.get("Serial number", "")

    try:
        told = [
            (layout.labels.get(name, name.value), secret.reveal().decode())
            for name, secret in secrets.items()
        ]
    except UnicodeDecodeError:
        raise LetterRefusedError("letter-secret", "a secret has characters that can't be printed") from None

    return LetterText(
        values["Letter"],
        int(values["Number"]),
        copy,
        layout.font,
        values["Date"],
        _lines(layout.sender, values),
        _lines(layout.addressee, values),
        _filled(layout.subject, values),
        _lines(layout.text, values),
        _lines(layout.closing, values),
        (*([(layout.serial, serial)] if serial else []), *told),
        footer if copy == 1 else f"{footer}, {_filled(layout.copy, values)}",
    )


def fields_in(layout: LetterLayout) -> frozenset[str]:
    """Return the names of all fields that stand in a layout."""
    return frozenset(name for template in layout.templates() for name in _FIELD.findall(template))


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = _FIELD.sub(lambda found: values.get(found[1], ""), template)
    return unicodedata.normalize("NFC", text).strip()


def _lines(template: str, values: Mapping[str, str]) -> tuple[str, ...]:
    filled = (_filled(line, values) for line in template.split("|"))
    return tuple(line for line in filled if line)
