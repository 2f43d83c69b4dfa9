"""All forms that traces can be written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.trace.exports import apdu4j, pcapng
from cardtwin.trace.exports.packets import ExportError
from cardtwin.trace.masking import MaskedExchange
from cardtwin.trace.recorder import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["FORMS", "Form", "export_traces"]


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    Attributes:
        name: What the command line calls it.
        about: What reads it, in a few words.
        content: Returns what a file has in it for traces that have APDUs.
    """

    name: str
    about: str
    content: Callable[[Sequence[Trace]], bytes] = field(repr=False)


FORMS: Final = {
    form.name: form
    for form in (
        Form("apdu4j", "a dump for apdu4j", apdu4j.content),
        Form("pcapng", "packets for Wireshark", pcapng.content),
    )
}
"""All forms by their names."""


def export_traces(traces: Sequence[Trace], form: str, path: Path, *, reader: str | None = None) -> None:
    """Write the APDUs of traces into a file; other events are in none of the forms.

    Args:
        traces: What is written.
        form: One of FORMS.
        path: The file.
        reader: Whose APDUs are written; those of all readers if not given.

    Raises:
        ExportError: There are no APDUs, or the form has no place for something.
        OSError: The file cannot be written.
    """
    chosen = [_at(reader, trace) for trace in traces]
    with_apdus = [trace for trace in chosen if any(isinstance(e, MaskedExchange) for e in trace.events)]

    if not with_apdus:
        where = "in this trace" if reader is None else f"at a reader {reader!r} in this trace"
        raise ExportError(f"there are no APDUs {where}, and the form has nothing else")

    path.write_bytes(FORMS[form].content(with_apdus))


def _at(reader: str | None, trace: Trace) -> Trace:
    """Return what happened at a reader, and what happened at none."""
    kept = [at for at, event in enumerate(trace.events) if reader in {None, getattr(event, "reader", reader)}]
    times = tuple(trace.times[at] for at in kept) if trace.times else ()
    return Trace(trace.title, tuple(trace.events[at] for at in kept), times)
