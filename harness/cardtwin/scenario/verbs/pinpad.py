"""``enter``: what a person does at a reader's PIN pad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import PlainValidator, WithJsonSchema

from cardtwin.plan import Secret
from cardtwin.scenario.effects import READS
from cardtwin.scenario.step import Observed, Step, verb
from cardtwin.scenario.values import SCALAR
from cardtwin.targets import Capability, EntryError, PinEntry

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run

__all__ = ["Enter"]


def _parse_entries(value: Any) -> tuple[Secret | str, ...]:
    items = value if isinstance(value, list) else [value]

    if not items:
        raise ValueError("a person enters something: digits, 'cancel' or 'timeout'")

    return tuple(map(_parse_entry, items))


def _parse_entry(item: Any) -> Secret | str:
    text = item if isinstance(item, str) else ""

    try:
        entry = PinEntry.parse(text)
    except EntryError as error:
        raise ValueError(str(error)) from None

    return Secret.of(text) if entry.digits else text


_ENTRY: dict[str, Any] = {
    "type": SCALAR,
    "description": "the digits of a PIN, shown nowhere; or cancel, or timeout",
}
_Entries = Annotated[
    tuple[Secret | str, ...],
    PlainValidator(_parse_entries),
    WithJsonSchema({"oneOf": [_ENTRY, {"type": "array", "items": _ENTRY}]}),
]


@verb("enter", needs={Capability.DESK}, effects=READS)
class Enter(Step):
    """Enter something at the reader's PIN pad when it is next asked for: one thing for each prompt.

    An entry is the digits of a PIN, `cancel`, or `timeout` where nothing is entered. A change of a PIN asks
    for the old one, the new one, and that again. What a list has left when a command fails is forgotten.
    """

    addressed: ClassVar[frozenset[str]] = frozenset({"on"})
    enter: _Entries

    def run(self, run: Run) -> Observed:
        """Enter it."""
        texts = [entry if isinstance(entry, str) else entry.reveal().decode() for entry in self.enter]
        run.bench.desk.enter(run.reader(self), [PinEntry.parse(text) for text in texts])
        return Observed()
