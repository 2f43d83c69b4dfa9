"""Recording: readers, emulated or the system's own, and a PKCS#11 library, with a trace of what goes by."""

from __future__ import annotations

import io
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cardtwin.cryptoki.server import CryptokiServer
from cardtwin.events import PowerChange, ReaderChanged
from cardtwin.hosting.host import Host
from cardtwin.recording.errors import RecordingRefusedError
from cardtwin.recording.foreign import ForeignLibrary, passed_on
from cardtwin.recording.physical import pass_reader
from cardtwin.sockets import private_directory
from cardtwin.trace import TraceWriter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from cardtwin.hosting import HostRequest
    from cardtwin.readers import ReaderManager

__all__ = ["Recording", "TraceOutput"]


@dataclass(frozen=True, slots=True)
class TraceOutput:
    """Where a trace goes.

    Attributes:
        path: The file.
        title: The trace's title. A command line is none: PINs may stand there.
        times: Whether events get their time.
        limit: How many bytes the trace has at most; None sets no limit.
    """

    path: Path
    title: str
    times: bool = False
    limit: int | None = None


class Recording:
    """Readers and a PKCS#11 library for programs, with a trace of what these do, while the block lasts.

    Args:
        request: The emulated readers and cards, and what our middleware is set up with.
        output: Where the trace goes.
        reader: The system's reader that is passed on; None passes on none.
        library: The PKCS#11 library that is called through ours; None takes our own middleware.

    Attributes:
        environment: What leads programs here.
        pins: The PINs and PUKs that a profile has put on the cards, by card and name: secrets.
        warnings: What was noticed that is no error.
        problems: What went wrong on the way, known at the end.

    Raises:
        RecordingError: It cannot be set up.
        HostingError: The emulated cards cannot be had.
    """

    def __init__(
        self,
        request: HostRequest,
        output: TraceOutput,
        *,
        reader: str | None = None,
        library: str | None = None,
    ) -> None:
        self._request = request
        self._output = output
        self._reader = reader
        self._library = library
        self._stack = ExitStack()
        self.environment: dict[str, str] = {}
        self.pins: Mapping[str, Mapping[str, str]] = {}
        self.warnings: tuple[str, ...] = ()
        self.problems: list[str] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            host = Host(self._request, lambda: None)
            ready = host.open()
            stack.callback(self._close, host)
            self.environment |= host.environment
            self.pins, self.warnings = ready["pins"], tuple(ready["warnings"])
            trace = stack.enter_context(ExitStack())  # ends after all that is told in it

            if self._reader is not None:
                stack.enter_context(pass_reader(host.bench.manager, self._reader))

            if self._library is not None:
                self.environment |= self._serve(stack, host, self._library)

            self._write(trace, host)  # last: where the rest can't be had, an earlier trace stays
            self._stack = stack.pop_all()

        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _close(self, host: Host) -> None:
        self.problems += host.close()["stopped"]["problems"]

    def _write(self, stack: ExitStack, host: Host) -> None:
        """Write from here on; what is in the readers already comes first."""
        output = self._output

        try:
            # A title or a limit that can't be leaves an earlier trace where it is as well.
            TraceWriter(io.StringIO(), output.title, limit=output.limit)
            stream = stack.enter_context(output.path.open("w", encoding="utf-8"))
            clock = time.monotonic if output.times else None
            writer = TraceWriter(stream, output.title, clock, limit=output.limit)
        except OSError as error:
            raise RecordingRefusedError(f"{output.path}: {error.strerror}") from None
        except ValueError as error:
            raise RecordingRefusedError(f"{output.path}: {error}") from None

        stack.callback(self._end_trace, writer)
        stack.callback(host.hub.subscribe(writer))
        _tell_present(host.bench.manager, writer)

    def _end_trace(self, writer: TraceWriter) -> None:
        if writer.problem is not None:
            why = writer.problem.strerror or "writing failed"
            self.problems.append(f"the trace is not whole: {self._output.path}: {why}")

        if writer.cut:
            self.problems.append(
                f"the trace has reached its limit, what came later is missing: {self._output.path}"
            )

    def _serve(self, stack: ExitStack, host: Host, path: str) -> Mapping[str, str]:
        """Put another library behind ours."""
        folder = stack.enter_context(private_directory())
        library = ForeignLibrary(path, host.bench.manager, host.environment, folder)
        server = CryptokiServer(
            folder / "pkcs11",
            library.application,
            functions=passed_on,
            hub=host.hub,
            program=self._request.program,
        )
        return stack.enter_context(server).environment


def _tell_present(manager: ReaderManager, writer: TraceWriter) -> None:
    """Begin a trace with the cards that are in the readers."""
    for state in manager.states():
        if state.present:
            writer(ReaderChanged(reader=state.name, change=PowerChange.INSERTED))

        if state.powered:
            writer(ReaderChanged(reader=state.name, change=PowerChange.POWERED_ON, atr=state.atr))
