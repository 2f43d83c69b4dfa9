"""One call of one application: in turn, told to the observers, and never an exception."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, cast

from cardtwin.cryptoki.describe import INTERFACE, described
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.values import Answer, Reading
from cardtwin.events import Call, Defect, because
from cardtwin.middleware import Ckr, MiddlewareError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.cryptoki.calls import Application, Implementation, Registry
    from cardtwin.cryptoki.functions import Function
    from cardtwin.events import Hub

__all__ = ["Caller", "Outcome"]

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to.

    Attributes:
        rv: The return value.
        results: One for each parameter that gets something; none where nothing is written.
        reason: Why it is no CKR_OK, for the log; may be empty. Holds no secret.
    """

    rv: Ckr
    results: tuple[object, ...] = ()
    reason: str = ""


_OK: Final = Outcome(Ckr.CKR_OK)


class Caller:
    """Calls the functions for one application: one at a time, and never with an exception.

    Args:
        application: Whose calls these are.
        functions: What is called.
        hub: Who is told of the calls, with secrets masked, and of bugs.
    """

    def __init__(self, application: Application, functions: Registry, hub: Hub) -> None:
        self._application = application
        self._functions = functions
        self._hub = hub
        self._turn = threading.Lock()
        self._closed = False

    @classmethod
    def begin(
        cls, make_application: Callable[[], Application], functions: Registry, hub: Hub
    ) -> tuple[Self | None, Outcome]:
        """Do C_Initialize: make the application, and return its caller; None where that fails."""
        value, outcome = _tried("C_Initialize", make_application, hub)
        return (None if value is None else cls(cast("Application", value), functions, hub)), outcome

    def call(self, name: str, arguments: Sequence[object]) -> Outcome:
        """Call a function by its name in C, with the arguments that its Python function takes."""
        implementation = self._functions.find(name)

        if implementation is None:
            return Outcome(Ckr.CKR_FUNCTION_NOT_SUPPORTED, reason="there is no such function here")

        if self._hub.silent:
            return self._run(implementation, arguments)

        with because(name):
            outcome = self._run(implementation, arguments)

        self._hub.emit(described(implementation.function, arguments, outcome.rv, outcome.results))
        return outcome

    def refuse(self, function: Function, error: CryptokiError) -> Outcome:
        """Answer a call whose arguments are none; it is told like any other."""
        _log.info("%s: %s", function.name, error)
        self._hub.emit(Call(interface=INTERFACE, name=function.name, result=error.rv.name))
        return Outcome(error.rv, reason=error.message)

    def close(self) -> None:
        """Close the application. Calls that come later are answered CKR_CRYPTOKI_NOT_INITIALIZED."""
        with self._turn:
            if self._closed:
                return

            self._closed = True
            _tried("C_Finalize", self._application.close, self._hub)

    def _run(self, implementation: Implementation, arguments: Sequence[object]) -> Outcome:
        if not implementation.alone:
            return self._try(implementation, arguments)

        with self._turn:
            return self._try(implementation, arguments)

    def _try(self, implementation: Implementation, arguments: Sequence[object]) -> Outcome:
        if self._closed:
            return Outcome(Ckr.CKR_CRYPTOKI_NOT_INITIALIZED)

        function = implementation.function
        value, outcome = _tried(
            function.name, lambda: implementation.run(self._application, *arguments), self._hub
        )
        return _outcome(function, value) if outcome is _OK else outcome


def _tried(name: str, action: Callable[[], object], hub: Hub) -> tuple[object, Outcome]:
    """Return what an action gives, or how it failed."""
    try:
        return action(), _OK
    except (CryptokiError, MiddlewareError) as error:
        _log.info("%s: %s", name, error)
        return None, Outcome(error.rv, reason=str(error))
    except Exception as error:  # noqa: BLE001  # nothing a function does may leave its caller without an answer
        defect = Defect.of(name, error)
        _log.error("%s failed by a bug of cardtwin:\n%s", name, defect.detail)  # it has no text
        hub.emit(defect)
        return None, Outcome(Ckr.CKR_GENERAL_ERROR, reason="a bug of cardtwin")


def _outcome(function: Function, value: object) -> Outcome:
    """Return what the value of a Python function amounts to; answers bring return values of their own."""
    match len(function.results):
        case 0:
            return _OK
        case 1:
            results: tuple[object, ...] = (value,)
        case _:
            assert isinstance(value, tuple)
            results = value

    assert len(results) == len(function.results)
    return Outcome(_return_value(results), results)


def _return_value(results: tuple[object, ...]) -> Ckr:
    for result in results:
        for part in result if isinstance(result, (list, tuple)) else (result,):
            if isinstance(part, (Answer, Reading)) and part.rv is not Ckr.CKR_OK:
                return part.rv

    return Ckr.CKR_OK
