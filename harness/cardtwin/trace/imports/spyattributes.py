"""Templates in a log of pkcs11-spy."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import Cka, Ckc, Ckk, Cko, name_of
from cardtwin.cryptoki.describe import text_of
from cardtwin.cryptoki.parameters import Kind, Parameter
from cardtwin.cryptoki.values import ULONG_SIZE, Attribute

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["lengths_in", "names_in", "template_in"]

_ITEM: Final = re.compile(r"    (?:(CKA_[A-Z0-9_]+)|CKA_\? \(0x([0-9a-f]+)\)) +(.*?) *")
_SIZE: Final = re.compile(r"[0-9A-Fa-f]+ / +(-?\d{1,20})")
_DUMP: Final = re.compile(r"    [0-9A-F]{8}  ((?:[0-9A-F]{2} )+)")
_DIGITS: Final = re.compile(r"    ((?:[0-9A-F]{2} ?)+)")
_NUMBER: Final = re.compile(r"Value ([0-9A-F]+) not found for type .*")
_BOOLEANS: Final = {"True": True, "False": False}
_NAMED: Final = {"CKO": Cko, "CKK": Ckk, "CKC": Ckc}
_UNAVAILABLE: Final = {-1, (1 << 32) - 1, (1 << 64) - 1}
_TEMPLATE: Final = Parameter(Kind.TEMPLATE, ("pTemplate", "ulCount"))


@dataclass(frozen=True, slots=True)
class _Item:
    """What the log says of one attribute. It may hold a secret."""

    name: str
    text: str = field(repr=False)
    lines: list[str] = field(default_factory=list, repr=False)

    @property
    def length(self) -> int | None:
        """The value's length in bytes; None where there is none."""
        if match := _SIZE.fullmatch(self.text):
            return None if int(match[1]) in _UNAVAILABLE else int(match[1])

        return 1 if self.text in _BOOLEANS else ULONG_SIZE

    @property
    def attribute(self) -> Attribute | None:
        """The attribute; None where it isn't in the standard, or the log doesn't tell the value."""
        kind = Cka.__members__.get(self.name)
        value = None if kind is None else self._value()
        return None if kind is None or value is None else Attribute.of(kind, value)

    def _value(self) -> bool | int | bytes | None:
        prefix = self.text.partition("_")[0]

        if self.text in _BOOLEANS:
            return _BOOLEANS[self.text]

        if prefix in _NAMED:
            member = _NAMED[prefix].__members__.get(self.text)
            return None if member is None else int(member)

        if match := _NUMBER.fullmatch(self.text):
            return int(match[1], 16)

        return self._bytes()

    def _bytes(self) -> bytes | None:
        """Return the bytes: of a dump, or of a text, each second line of which has the digits."""
        dump = [match[1] for line in self.lines if (match := _DUMP.match(line))]
        digits = dump or [match[1] for line in self.lines[::2] if (match := _DIGITS.fullmatch(line.rstrip()))]
        value = bytes.fromhex("".join(digits))
        return value if len(value) == self.length else None


def template_in(lines: Sequence[str]) -> str:
    """Return a template that was given, as text; what may be secret is masked."""
    return ", ".join(map(_text, _items(lines))) or "none"


def names_in(lines: Sequence[str]) -> str:
    """Return which attributes are asked for."""
    return ", ".join(item.name for item in _items(lines)) or "none"


def lengths_in(lines: Sequence[str], result: str) -> str:
    """Return how long the values are that were given back.

    Args:
        lines: Of the log.
        result: The return value's name: why the one value isn't there that is missing. The log doesn't tell
            of each.
    """
    lengths = [item.length for item in _items(lines)]
    missing = result if lengths.count(None) == 1 else "unavailable"
    return ", ".join(missing if length is None else str(length) for length in lengths) or "none"


def _items(lines: Sequence[str]) -> list[_Item]:
    found: list[_Item] = []

    for line in lines:
        if match := _ITEM.fullmatch(line):
            name = match[1] or name_of(Cka, int(match[2], 16))
            found.append(_Item(name, match[3]))
        elif found:
            found[-1].lines.append(line)

    return found


def _text(item: _Item) -> str:
    attribute = item.attribute
    return f"{item.name}=**" if attribute is None else text_of(_TEMPLATE, (attribute,))
