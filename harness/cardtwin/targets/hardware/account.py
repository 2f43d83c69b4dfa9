"""What was sent to a physical card that may have changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.decode import HARMLESS
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.targets.hardware.judging import Judged

__all__ = ["Account", "meaning_of"]


def meaning_of(judged: Judged) -> str:
    """Return what a command does, in words."""
    return f"{judged.decoded.name} {judged.decoded.parameters}".rstrip()


class Account:
    """The account of one card: each command that may have changed it, in order, with what came of it."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each command."""
        return tuple(self._lines)

    def sent(self, judged: Judged, send: Callable[[], bytes]) -> bytes:
        """Send, and enter what may change the card: also where no answer comes."""
        if not judged.effect & ~HARMLESS:
            return send()

        self._lines.append(f"{meaning_of(judged)}: not answered")
        answer = send()
        self._lines[-1] = f"{meaning_of(judged)}: {StatusWord(int.from_bytes(answer[-2:]))}"
        return answer
