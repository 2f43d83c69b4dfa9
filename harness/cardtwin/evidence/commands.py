"""Commands that reached cards, counted by kind and by step; and what guards did not send."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cardtwin.decode import Decoded, Decoder, Effect, in_words
from cardtwin.events import CommandRefused, Exchange, ReaderChanged
from cardtwin.evidence.model import Commands, Refused
from cardtwin.iso7816 import StatusWord
from cardtwin.targets.looking import is_a_look

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.events import Cause, Event

__all__ = ["CommandCount"]

_FILLER: Final = re.compile(rb"[\x00\xff]+")


class _Kind(NamedTuple):
    reader: str
    step: int | None
    sent_by: Literal["programs", "harness"]
    name: str
    effects: tuple[str, ...]


class CommandCount:
    """An observer that counts. Of commands it keeps what evidence must not hold.

    Args:
        steps: The numbers of the scenario's steps, by the causes that they are.
    """

    def __init__(self, steps: Mapping[str, int]) -> None:
        self._steps = steps
        self._decoders: dict[str, Decoder] = {}
        self._sent: Counter[_Kind] = Counter()
        self._failed: Counter[_Kind] = Counter()
        self._unanswered: Counter[_Kind] = Counter()
        self._refused: list[Refused] = []
        self._presented: set[bytes] = set()

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case Exchange():
                self._count(event)
            case CommandRefused():
                self._refused.append(self._told(event))
            case ReaderChanged() if event.reader in self._decoders:
                self._decoders[event.reader].reset()
            case _:
                pass

    @property
    def presented(self) -> frozenset[bytes]:
        """What was presented as a PIN or key, or as a new one, without what fills it up."""
        return frozenset(self._presented)

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What guards did not send."""
        return tuple(self._refused)

    def commands(self) -> Iterator[Commands]:
        """Yield all commands by kind, in the order in which each kind came first."""
        kinds: dict[_Kind, list[_Kind]] = {}

        for kind in self._sent:
            kinds.setdefault(kind._replace(step=None), []).append(kind)

        for whole, parts in kinds.items():
            yield self._summed(whole, parts)

    def changing(self) -> Iterator[Commands]:
        """Yield those that do more than read, step by step."""
        for kind in self._sent:
            if kind.effects:
                yield self._summed(kind, [kind])

    def _count(self, event: Exchange) -> None:
        decoder = self._decoders.setdefault(event.reader, Decoder())
        decoded = decoder.read(event.command, event.response).decoded
        kind = self._kind(event, decoded)
        self._sent[kind] += 1

        if decoded.effect & Effect.SPENDS_TRIES:
            # Only what presents secrets: what is hidden because nobody knows it would be found everywhere.
            secrets = (event.command[place] for place in decoded.secrets)
            self._presented.update(part for secret in secrets for part in _parts(secret))

        if len(event.response) < 2:
            self._unanswered[kind] += 1
        elif not StatusWord(int.from_bytes(event.response[-2:])).is_success:
            self._failed[kind] += 1

    def _kind(self, event: Exchange, decoded: Decoded) -> _Kind:
        sent_by: Literal["programs", "harness"] = "harness" if is_a_look(event.cause) else "programs"
        return _Kind(event.reader, self._step(event.cause), sent_by, decoded.name, in_words(decoded.effect))

    def _told(self, event: CommandRefused) -> Refused:
        return Refused(
            reader=event.reader,
            step=self._step(event.cause),
            command=event.command,
            meaning=event.meaning,
            rule=event.rule,
            reason=event.reason,
            remedy=event.remedy,
        )

    def _step(self, cause: Cause | None) -> int | None:
        return None if cause is None else self._steps.get(cause.path()[0].what)

    def _summed(self, kind: _Kind, parts: list[_Kind]) -> Commands:
        return Commands(
            **kind._asdict(),
            count=sum(self._sent[part] for part in parts),
            not_successful=sum(self._failed[part] for part in parts),
            unanswered=sum(self._unanswered[part] for part in parts),
        )


def _parts(presented: bytes) -> Iterator[bytes]:
    """Yield what was presented, without what fills it up; and its halves: an old PIN and a new one."""
    for part in _FILLER.split(presented):
        half = len(part) // 2
        yield from (part, part[:half], part[half:])
