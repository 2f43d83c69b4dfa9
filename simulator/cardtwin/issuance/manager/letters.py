"""PIN letters: entered when a token is issued, printed when an officer who may orders it.

An officer with the role Manage PIN letters signs an order: which letters, and which copy of each it is. A
print is counted before anybody has it, so that no copy is there that isn't known of. Each further copy says
that it is one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.issuance.manager import canonical, pins
from cardtwin.issuance.manager.errors import LetterRefusedError
from cardtwin.issuance.manager.lettertext import CORE_FONTS, letter_text
from cardtwin.issuance.manager.model import DEFAULT_LETTER, Distribution
from cardtwin.issuance.manager.officers import LETTER_ROLES
from cardtwin.issuance.manager.signatures import verify
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from cardtwin.issuance.manager.archive import Archive
    from cardtwin.issuance.manager.lettertext import LetterText
    from cardtwin.issuance.manager.model import LetterLayout, PinProcedure, Policy
    from cardtwin.issuance.manager.officers import Officers
    from cardtwin.issuance.manager.store import Store
    from cardtwin.plan import SecretName

__all__ = ["Letter", "Letters", "PinLetter"]

_MOST: Final = 10_000
"""Letters of one order."""
_OWNER_ONLY: Final = 0o600
_NOTHING: Final = Secret(b"")


@dataclass(frozen=True, slots=True)
class Letter:
    """The letters of a token, which share an ID.

    Attributes:
        id: The ID.
        token: The token.
        serial: The card's serial number; empty where it has none.
        procedure: The PIN procedure, which says what stands in which letter.
        fields: What was entered in the input view.
        copies: How often they were printed.
    """

    id: str
    token: str
    serial: str
    procedure: str
    fields: Mapping[str, str]
    copies: int


@dataclass(frozen=True, slots=True)
class PinLetter:
    """A letter as PDF.

    Attributes:
        id: The ID that it shares with the token's others.
        name: The name of its file.
        content: The PDF. It holds secrets.
    """

    id: str
    name: str
    content: bytes = field(repr=False)

    def write(self, folder: Path) -> Path:
        """Write it into a folder, for its owner only, and never in place of something.

        Raises:
            LetterRefusedError: There is a file of that name, or it can't be written; nothing is left of it.
        """
        path = folder / self.name

        try:
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _OWNER_ONLY)
        except FileExistsError:
            raise LetterRefusedError("letter-exists", f"there is a {self.name} already") from None
        except OSError as error:
            raise _not_written(self.name, error) from None

        try:
            with os.fdopen(made, "wb") as file:
                file.write(self.content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _not_written(self.name, error) from None
        except BaseException:
            path.unlink(missing_ok=True)
            raise

        return path


class Letters:
    """All PIN letters."""

    def __init__(
        self,
        store: Store,
        officers: Officers,
        archive: Archive,
        policy: Policy,
        now: Callable[[], datetime],
        fonts: Path | None,
    ) -> None:
        self._store = store
        self._officers = officers
        self._archive = archive
        self._policy = policy
        self._now = now
        self._fonts = fonts

    def enter(self, token: str, serial: str, procedure: PinProcedure, fields: Mapping[str, str]) -> str:
        """Enter a token's letters, to be printed later, and return their ID; empty where it has none.

        A token that has letters keeps their ID.

        Raises:
            LetterRefusedError: There are characters in the fields that the letter's font hasn't.
        """
        told = {name: _NOTHING for name, rule in procedure.rules if rule.distribution is Distribution.LETTER}

        if not told:
            return ""

        with self._store.change() as database:
            if (known := self.of_token(token)) is not None:
                return known.id

            prefix = self._layout(procedure).prefix
            query = "SELECT COALESCE(MAX(number), 0) + 1 FROM letters WHERE prefix = ?"
            (number,) = database.execute(query, (prefix,)).fetchone()
            letter = Letter(f"{prefix}{number:06}", token, serial, procedure.name, dict(fields), 0)
            self._check(letter, procedure, told)
            entered = json.dumps(letter.fields, ensure_ascii=False)
            row = (letter.id, prefix, number, token, serial, procedure.name, entered, 0)
            database.execute("INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            return letter.id

    def letter(self, id: str) -> Letter:  # noqa: A002  # what is printed on it
        """Return the letters of an ID.

        Raises:
            LetterRefusedError: There are none.
        """
        found = self._found("id", id)

        if found is None:
            raise LetterRefusedError("no-letter", f"there is no PIN letter {id!r}")

        return found

    def of_token(self, token: str) -> Letter | None:
        """Return a token's letters; None where it has none."""
        return self._found("token", token)

    def order(self, ids: Sequence[str]) -> bytes:
        """Return what an officer signs to have letters printed: each as the next copy.

        Raises:
            LetterRefusedError: There is no such letter, one is named twice, or there are too many.
        """
        if not 1 <= len(ids) <= _MOST or len(set(ids)) < len(ids):
            message = f"an order has 1 to {_MOST} PIN letters, each once"
            raise LetterRefusedError("letter-order", message)

        return canonical.letter_order([(id_, self.letter(id_).copies + 1) for id_ in ids])

    def print(
        self, ids: Sequence[str], officer: str, message: bytes, folder: Path | None = None
    ) -> tuple[PinLetter, ...]:
        """Print letters, and count that. Where one can't be written, none is left; they are counted, though.

        Args:
            ids: Their IDs.
            officer: Who orders it.
            message: CMS SignedData over the order.
            folder: Where to write them, one file each; None leaves that to the caller.

        Raises:
            SignatureRefusedError: It isn't good, isn't for the next copies, or the officer may not sign it.
            LetterRefusedError: There is no such letter, a secret isn't known, there is such a file, or one
                can't be written.
        """
        with self._store.change() as database:
            entitled = self._officers.entitled(officer, LETTER_ROLES)
            verify(message, self.order(ids), entitled.certificate)
            printed = tuple(made for id_ in ids for made in self._printed(self.letter(id_)))

            if folder is not None:
                _see_that_none_is_there(printed, folder)

            for id_ in ids:
                database.execute("UPDATE letters SET copies = copies + 1 WHERE id = ?", (id_,))
                row = (id_, self.letter(id_).copies, officer, self._now().isoformat(), message)
                database.execute("INSERT INTO prints VALUES (?, ?, ?, ?, ?)", row)

        if folder is not None:
            _write(printed, folder)

        return printed

    def prints(self, id: str) -> tuple[tuple[int, str, str], ...]:  # noqa: A002  # what is printed on it
        """Return which copies of a letter were printed, for whom, and when (ISO 8601)."""
        query = "SELECT copy, officer, time FROM prints WHERE letter = ? ORDER BY copy"
        return tuple(self._store.database.execute(query, (id,)).fetchall())

    def _printed(self, letter: Letter) -> Iterator[PinLetter]:
        # The library takes half a second to load, which only those who print pay.
        from cardtwin.issuance.manager.paper import on_paper  # noqa: PLC0415

        for text in self._texts(letter, letter.copies + 1):
            yield PinLetter(letter.id, text.file_name, on_paper(text, self._now(), self._fonts))

    def _texts(self, letter: Letter, copy: int) -> Iterator[LetterText]:
        procedure = self._policy.pin_procedures.get(letter.procedure)

        if procedure is None:
            message = f"there is no PIN procedure {letter.procedure!r} any more"
            raise LetterRefusedError("no-pin-procedure", message)

        secrets = self._archive.secrets(letter.token)
        told = [name for name, rule in procedure.rules if rule.distribution is Distribution.LETTER]

        if missing := [name for name in told if name not in secrets]:
            message = f"{', '.join(missing)} of the token isn't known"
            raise LetterRefusedError("letter-secret", message)

        return self._filled(letter, procedure, secrets, copy)

    def _filled(
        self, letter: Letter, procedure: PinProcedure, secrets: Mapping[SecretName, Secret], copy: int
    ) -> Iterator[LetterText]:
        parts = pins.letters(procedure, secrets)
        common = {
            **letter.fields,
            **({"Serial number": letter.serial} if letter.serial else {}),
            "Letter": letter.id,
            "Of": str(len(parts)),
            "Date": f"{self._now():%Y-%m-%d}",
        }

        for place, part in enumerate(parts.values(), 1):
            yield letter_text(self._layout(procedure), part, {**common, "Number": str(place)}, copy=copy)

    def _check(self, letter: Letter, procedure: PinProcedure, told: Mapping[SecretName, Secret]) -> None:
        """See that the letter can be printed later."""
        for text in self._filled(letter, procedure, told, copy=1):
            if text.font in CORE_FONTS:
                text.check()
            else:
                from cardtwin.issuance.manager.paper import on_paper  # noqa: PLC0415  # as above

                on_paper(text, self._now(), self._fonts)

    def _layout(self, procedure: PinProcedure) -> LetterLayout:
        return self._policy.letters.get(procedure.layout, DEFAULT_LETTER)

    def _found(self, column: str, value: str) -> Letter | None:
        query = "SELECT id, token, serial, procedure, fields, copies FROM letters WHERE "
        row = self._store.database.execute(query + column + " = ?", (value,)).fetchone()

        if row is None:
            return None

        id_, token, serial, procedure, fields, copies = row
        return Letter(id_, token, serial, procedure, json.loads(fields), copies)


def _see_that_none_is_there(letters: Iterable[PinLetter], folder: Path) -> None:
    if not folder.is_dir():
        raise LetterRefusedError("letter-write", f"there is no folder {folder}: make it first")

    for letter in letters:
        if os.path.lexists(folder / letter.name):
            raise LetterRefusedError("letter-exists", f"there is a {letter.name} already")


def _write(letters: Iterable[PinLetter], folder: Path) -> None:
    """Write all letters, or none."""
    written: list[Path] = []

    try:
        for letter in letters:
            written.append(letter.write(folder))  # noqa: PERF401  # what is there so far has to be known
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)

        raise


def _not_written(name: str, error: OSError) -> LetterRefusedError:
    return LetterRefusedError(
        "letter-write",
        f"{name} can't be written ({error.strerror}), so no letter of the order was: see to that, and order "
        "the next copies",
    )
