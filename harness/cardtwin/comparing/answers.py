"""Two answers to one command: in what they differ, byte and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.events import ReaderChanged
from cardtwin.iso7816 import FileControl, StatusWord, TlvFormatError
from cardtwin.targets.takeover import conditions_told
from cardtwin.trace import MaskedExchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cardtwin.events import Event

__all__ = ["VOLATILE", "Difference", "Kind", "differences", "origins"]

_HIDDEN: Final = "**"
_GET_RESPONSE: Final = "GET RESPONSE"
_WAITING: Final = {"61", "6C", "9F"}
"""The first byte of the status words after which GET RESPONSE fetches an answer, or asks for it again."""

VOLATILE: Final = frozenset(
    {
        "GET CHALLENGE",
        "PSO COMPUTE DIGITAL SIGNATURE",
        "PSO ENCIPHER",
        "INTERNAL AUTHENTICATE",
        "GENERATE KEY PAIR",
    }
)
"""Commands whose answers are other ones each time, though the card does the same: their lengths count."""

_OBJECTS: Final = {
    0x80: "size",
    0x81: "size",
    0x82: "file descriptor",
    0x83: "file identifier",
    0x84: "DF name",
    0x85: "proprietary information",
    0x88: "short file identifier",
    0x8A: "life cycle status",
}
_ACCESS: Final = {
    0x86: "access conditions (86)",
    0x8B: "access conditions (8B)",
    0x8C: "access conditions (8C)",
    0x8E: "access conditions (8E)",
    0xA0: "access conditions (A0)",
    0xA1: "access conditions (A1)",
    0xAB: "access conditions (AB)",
}
"""Objects of control parameters that hold security attributes (ISO/IEC 7816-4:2020, 7.4.3, 9.3)."""


class Kind(Enum):
    """In what two runs differ."""

    STATUS = "status word"
    COUNTER = "tries left"
    ACCESS = "access conditions"
    ATTRIBUTE = "file attribute"
    LENGTH = "length of the answer"
    DATA = "data"
    UNANSWERED = "no answer"
    COMMAND = "command"
    VERDICT = "verdict"
    CALL = "calls"
    RESULT = "return value"


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference; the left side is what was expected, or the first target.

    Attributes:
        kind: In what.
        place: Where, such as ``step 3 (apdu), APDU 2``.
        what: The command by name, or what else is compared.
        left: What there is on one side.
        right: What there is on the other.
    """

    kind: Kind
    place: str
    what: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}: {self.kind.value}: {self.left} against {self.right}"


def differences(
    left: MaskedExchange, right: MaskedExchange, place: str, origin: str = ""
) -> tuple[Difference, ...]:
    """Return in what the answers to one command differ.

    Masked bytes are taken as equal. Of what is new each time, such as a challenge, the length counts.

    Args:
        left: One of them.
        right: The other.
        place: Where.
        origin: Of GET RESPONSE, the meaning of the command whose answer it fetches.
    """
    volatile = (origin or left.meaning).startswith(tuple(VOLATILE))
    return tuple(
        Difference(kind, place, f"{left.command[:11]} {left.meaning}", one, other)
        for kind, one, other in _differences(left, right, volatile=volatile)
    )


def origins(events: Iterable[Event]) -> Mapping[int, str]:
    """Return whose answers are fetched: the meaning of the command, by the identity of each GET RESPONSE."""
    found: dict[int, str] = {}
    waiting: dict[str, str] = {}

    for event in events:
        if isinstance(event, MaskedExchange):
            before = waiting.pop(event.reader, event.meaning)
            origin = before if event.meaning.startswith(_GET_RESPONSE) else event.meaning
            found[id(event)] = origin

            if event.response[-5:-3] in _WAITING:
                waiting[event.reader] = origin
        elif isinstance(event, ReaderChanged):
            waiting.pop(event.reader, None)

    return found


def _differences(
    left: MaskedExchange, right: MaskedExchange, *, volatile: bool
) -> Iterator[tuple[Kind, str, str]]:
    if left.unanswered or right.unanswered:
        if left.unanswered != right.unanswered:
            yield Kind.UNANSWERED, left.answer, right.answer

        return

    one, other = left.response.split(), right.response.split()

    if (statuses := (_status(one), _status(other)))[0] != statuses[1]:
        yield _status_kind(*statuses), *_shown(*statuses)
        return

    yield from _data(one[:-2], other[:-2], volatile=volatile)


def _status(response: list[str]) -> StatusWord | None:
    return StatusWord(int("".join(response[-2:]), 16)) if len(response) >= 2 else None


def _status_kind(*statuses: StatusWord | None) -> Kind:
    """Two counters are a difference of the card's state, not of its behaviour."""
    counters = all(status is not None and status.tries_left is not None for status in statuses)
    return Kind.COUNTER if counters else Kind.STATUS


def _shown(one: StatusWord | None, other: StatusWord | None) -> tuple[str, str]:
    return str(one or "no status word"), str(other or "no status word")


def _data(one: list[str], other: list[str], *, volatile: bool) -> Iterator[tuple[Kind, str, str]]:
    if _same(one, other):
        return

    attributes = tuple(_attributes(_bytes(one), _bytes(other)))

    if attributes:
        yield from attributes
    elif len(one) != len(other):
        yield Kind.LENGTH, f"{len(one)} bytes", f"{len(other)} bytes"
    elif not volatile:
        first = next(at for at in range(len(one)) if not _same([one[at]], [other[at]]))
        yield Kind.DATA, _around(one, first), _around(other, first)


def _same(one: list[str], other: list[str]) -> bool:
    return len(one) == len(other) and all(
        a == b or _HIDDEN in {a, b} for a, b in zip(one, other, strict=True)
    )


_SHOWN: Final = 16


def _around(data: list[str], first: int) -> str:
    """Return what is to be seen of data: the bytes from the first difference on."""
    more = "..." if first + _SHOWN < len(data) else ""
    return f"{' '.join(data[first : first + _SHOWN])}{more} from byte {first}"


def _bytes(data: list[str]) -> bytes:
    return b"" if _HIDDEN in data else bytes.fromhex("".join(data))


def _attributes(one: bytes, other: bytes) -> Iterator[tuple[Kind, str, str]]:
    """Yield in what two files' control parameters differ, object by object; nothing of other data."""
    try:
        controls = FileControl.parse(one), FileControl.parse(other)
    except TlvFormatError:
        return

    left, right = map(_objects, controls)
    meant = _who_may(*controls)

    for tag in dict.fromkeys((*left, *right)):
        if left.get(tag) != right.get(tag):
            name = _ACCESS.get(tag) or _OBJECTS.get(tag) or f"object {tag:02X}"
            kind, (here, there) = (Kind.ACCESS, meant) if tag in _ACCESS else (Kind.ATTRIBUTE, ("", ""))
            yield kind, f"{name} {_value(left.get(tag))}{here}", f"{_value(right.get(tag))}{there}"


def _who_may(left: FileControl, right: FileControl) -> tuple[str, str]:
    """Return which operations have other conditions, in words for each side."""
    told = conditions_told(left), conditions_told(right)
    others = [name for name in told[0] if name in told[1] and told[0][name] != told[1][name]]
    here, there = (", ".join(f"{name} {each[name]}" for name in others) for each in told)
    return (f" ({here})", f" ({there})") if others else ("", "")


def _objects(control: FileControl) -> dict[int, tuple[bytes, ...]]:
    found: dict[int, tuple[bytes, ...]] = {}

    for each in control.objects:
        found[each.tag] = (*found.get(each.tag, ()), each.value)

    return found


def _value(values: tuple[bytes, ...] | None) -> str:
    return "none" if values is None else " and ".join(value.hex(" ").upper() or "empty" for value in values)
