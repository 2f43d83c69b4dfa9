"""What programs of a scenario do in this process: call PKCS#11's functions, and have a card thrown out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.api import registry
from cardtwin.cryptoki.dispatch import Caller
from cardtwin.cryptoki.foreign import Returned
from cardtwin.cryptoki.functions import BY_NAME
from cardtwin.events import because
from cardtwin.middleware import Ckr
from cardtwin.pcsc import Disposition, ShareMode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.cryptoki.calls import Application
    from cardtwin.events import Hub
    from cardtwin.pcsc import Context

__all__ = ["EmulatedProgram", "eject"]

_UNCARRIED: Final = {"C_GetFunctionList": Ckr.CKR_ARGUMENTS_BAD}
"""What the library answers of itself: the place of the list is NULL."""


class EmulatedProgram:
    """A program above the functions in Python, as if it had loaded the C library.

    Args:
        make_application: What C_Initialize makes.
        hub: Who is told of the calls.
        name: The program's name, for who is told.
    """

    def __init__(self, make_application: Callable[[], Application], hub: Hub, name: str) -> None:
        self._make_application = make_application
        self._hub = hub
        self._name = name
        self._caller: Caller | None = None

    def initialize(self) -> Returned:
        """Call C_Initialize."""
        if self._caller is not None:
            return Returned(Ckr.CKR_CRYPTOKI_ALREADY_INITIALIZED)

        self._caller, outcome = Caller.begin(self._make_application, registry, self._hub, self._name)
        return Returned(outcome.rv)

    def finalize(self) -> Returned:
        """Call C_Finalize."""
        if self._caller is None:
            return Returned(Ckr.CKR_CRYPTOKI_NOT_INITIALIZED)

        caller, self._caller = self._caller, None
        caller.close()
        return Returned(Ckr.CKR_OK)

    def call(self, name: str, arguments: Sequence[object]) -> Returned:
        """Call another function by its name in C, with the arguments that its Python function takes."""
        if not BY_NAME[name].carried:
            return Returned(_UNCARRIED[name])

        if self._caller is None:
            return Returned(Ckr.CKR_CRYPTOKI_NOT_INITIALIZED)

        outcome = self._caller.call(name, arguments)
        return Returned(outcome.rv, outcome.results)

    def fork(self) -> EmulatedProgram:
        """Return the child that a fork of the program makes: it has to call C_Initialize itself."""
        return EmulatedProgram(self._make_application, self._hub, self._name)

    def close(self) -> None:
        """End it. What C_Finalize would have closed, goes."""
        if self._caller is not None:
            with because(self._name):
                self._caller.close(gone=True)

            self._caller = None


def eject(context: Context, reader: str) -> None:
    """Ask a reader to throw its card out; one without a motor does nothing.

    Raises:
        PcscError: It cannot be asked.
    """
    context.connect(reader, share=ShareMode.DIRECT).disconnect(Disposition.EJECT)
