"""The table of command forms: how a header is found in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cardtwin.decode.model import Effect
    from cardtwin.iso7816 import CommandApdu
    from cardtwin.provenance import Basis

__all__ = ["Details", "Form", "Table"]

_HEADER = re.compile(r"[0-9A-F.]{2}[0-9A-F]{2}[0-9A-F.]{4}")


@dataclass(frozen=True, slots=True)
class Details:
    """What the parameters and the data field of one command say.

    Attributes:
        parameters: For people; holds no secret.
        effect: Where it is milder than the form's, which is the worst that the header allows.
        secrets: Where in the data field secrets lie. None: everywhere if the form hides data, else nowhere.
    """

    parameters: str = ""
    effect: Effect | None = None
    secrets: tuple[slice, ...] | None = None


def by_length(apdu: CommandApdu) -> Details:
    """Say how many bytes of data there are, and nothing else."""
    return Details(f"{len(apdu.data)} bytes" if apdu.data else "")


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a command.

    Attributes:
        name: Its name.
        header: Eight hexadecimal digits in groups (``00 20 00 ..``), with dots where the form leaves room,
            except in INS. Interindustry commands stand with CLA 00, whatever their channel, chaining and
            messaging bits.
        effect: The worst that it does.
        basis: How well founded it is.
        read: Reads parameters and data. Data with broken contents are no error: they are described as such.
        hides: Whether the data may hold secrets.
        hides_response: Whether the response may hold secrets.

    Raises:
        ValueError: The header is no such text.
    """

    name: str
    header: str
    effect: Effect
    basis: Basis
    read: Callable[[CommandApdu], Details] = by_length
    hides: bool = False
    hides_response: bool = False

    def __post_init__(self) -> None:
        if not _HEADER.fullmatch(self._digits):
            raise ValueError(f"{self.name}: {self.header!r} is no pattern of a header")

    @property
    def _digits(self) -> str:
        return self.header.replace(" ", "")

    @property
    def ins(self) -> int:
        """The instruction byte."""
        return int(self._digits[2:4], 16)

    @property
    def fixed(self) -> int:
        """How many digits of the header are given."""
        return 8 - self._digits.count(".")

    def matches(self, header: str) -> bool:
        """Tell whether a header, eight capital digits without spaces, is of this form."""
        return all(wanted in {".", found} for wanted, found in zip(self._digits, header, strict=True))


class Table:
    """Forms by header. Of several that match, the one with most digits given is taken.

    Raises:
        ValueError: Two forms have the same header.
    """

    def __init__(self, forms: Iterable[Form]) -> None:
        self._forms: dict[int, list[Form]] = {}

        for form in sorted(forms, key=lambda one: -one.fixed):
            kin = self._forms.setdefault(form.ins, [])

            if any(form.header == other.header for other in kin):
                raise ValueError(f"{form.name}: a form of header {form.header} stands in the table already")

            kin.append(form)

    def find(self, header: bytes) -> Form | None:
        """Return the form of a header of four bytes, or None."""
        digits = header.hex().upper()
        return next((form for form in self._forms.get(header[1], ()) if form.matches(digits)), None)

    def __iter__(self) -> Iterator[Form]:
        return chain.from_iterable(self._forms.values())
