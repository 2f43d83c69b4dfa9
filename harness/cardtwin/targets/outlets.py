"""The sockets by which other programs reach a bench: PC/SC's readers, and PKCS#11's functions."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from cardtwin.cryptoki.api import registry
from cardtwin.cryptoki.server import CryptokiServer
from cardtwin.readers.pcsclite import PcscLiteServer
from cardtwin.sockets import private_directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from cardtwin.cryptoki.calls import Client
    from cardtwin.events import SharedCause
    from cardtwin.targets.emulated import EmulatedBench

__all__ = ["Outlets"]


class Outlets:
    """Both sockets, in a folder that nobody else may enter, for as long as the block lasts.

    Args:
        bench: What they lead to. It has to outlive them.
        program: The name that all programs go by that call PKCS#11's functions, instead of their own.
        cause: The cause of what programs do here; None makes each program that of its own doings.
    """

    def __init__(
        self, bench: EmulatedBench, *, program: str | None = None, cause: SharedCause | None = None
    ) -> None:
        self._bench = bench
        self._program = program
        self._cause = cause
        self._stack = ExitStack()
        self._environment: dict[str, str] = {}
        self._functions: CryptokiServer | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables that lead a program to the bench."""
        return self._environment

    @property
    def clients(self) -> tuple[Client, ...]:
        """The programs that have called C_Initialize, and not yet C_Finalize."""
        return self._functions.clients if self._functions is not None else ()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = stack.enter_context(private_directory())
            readers = PcscLiteServer(self._bench.manager, folder / "pcsc", cause=self._cause)
            functions = CryptokiServer(
                folder / "pkcs11",
                lambda client: self._bench.application(client.program),
                functions=registry,
                hub=self._bench.hub,
                program=self._program,
                cause=self._cause,
            )

            for server in (readers, functions):
                stack.enter_context(server)
                self._environment |= server.environment

            self._functions = functions
            self._stack = stack.pop_all()

        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
