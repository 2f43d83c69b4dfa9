"""One call of one application: in turn, told to the observers, and never an exception."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, cast

from cardtwin.cryptoki.describe import INTERFACE, arguments_of, in_line, results_of
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.functions import BY_NAME
from cardtwin.cryptoki.login import NotLoggedInError
from cardtwin.cryptoki.values import Answer, Reading
from cardtwin.events import CallBegan, CallEnded, Defect, because
from cardtwin.middleware import Ckr, MiddlewareError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.cryptoki.calls import Application, Implementation, Registry
    from cardtwin.cryptoki.functions import Function
    from cardtwin.events import Hub, LoginEnded

__all__ = ["Caller", "Outcome"]

_log: Final = logging.getLogger(__name__)
_BEGIN: Final = "C_Initialize"
_END: Final = "C_Finalize"
_GONE: Final = "the program is gone"
_GLANCE: Final = 0.1
"""Seconds that a program's last call gets to end by itself when the program is gone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to.

    Attributes:
        rv: The return value.
        results: One for each parameter that gets something; none where nothing is written.
        reason: Why it is no CKR_OK, for the log; may be empty. Holds no secret.
        login: How the login ended without which the call is refused, if that is why.
    """

    rv: Ckr
    results: tuple[object, ...] = ()
    reason: str = ""
    login: LoginEnded | None = None


_OK: Final = Outcome(Ckr.CKR_OK)
_NOT_THERE: Final = Outcome(Ckr.CKR_FUNCTION_NOT_SUPPORTED, reason="there is no such function here")


class Caller:
    """Calls the functions for one application: one at a time, and never with an exception.

    Args:
        application: Whose calls these are.
        functions: What is called.
        hub: Who is told of the calls, with secrets masked, and of bugs.
        program: The name of the program that calls, for observers.
    """

    def __init__(self, application: Application, functions: Registry, hub: Hub, program: str = "") -> None:
        self._application = application
        self._functions = functions
        self._hub = hub
        self._program = program
        self._turn = threading.Lock()
        self._closed = False

    @classmethod
    def begin(
        cls, make_application: Callable[[], Application], functions: Registry, hub: Hub, program: str = ""
    ) -> tuple[Self | None, Outcome]:
        """Do C_Initialize: make the application, and return its caller; None where that fails."""
        caller: Self | None = None

        def make() -> Outcome:
            nonlocal caller
            value, outcome = _tried(_BEGIN, make_application, hub)
            caller = None if value is None else cls(cast("Application", value), functions, hub, program)
            return outcome

        outcome = _told(make, BY_NAME[_BEGIN], (), hub, program)

        if caller is not None:
            caller._note(BY_NAME[_BEGIN], (), outcome)  # noqa: SLF001  # the object that is made here

        return caller, outcome

    def call(self, name: str, arguments: Sequence[object]) -> Outcome:
        """Call a function by its name in C, with the arguments that its Python function takes."""
        implementation = self._functions.find(name)
        function = BY_NAME[name] if implementation is None else implementation.function

        def run() -> Outcome:
            return _NOT_THERE if implementation is None else self._run(implementation, arguments)

        outcome = run() if self._hub.silent else _told(run, function, arguments, self._hub, self._program)
        self._note(function, arguments, outcome)
        return outcome

    def refuse(self, function: Function, error: CryptokiError) -> Outcome:
        """Answer a call whose arguments are none; it is told like any other."""
        _log.info("%s: %s", function.name, error)
        outcome = Outcome(error.rv, reason=error.message)
        _told(lambda: outcome, function, (), self._hub, self._program)
        self._note(function, (), outcome)
        return outcome

    def close(self, *, gone: bool = False) -> None:
        """Close the application. Calls that come later are answered CKR_CRYPTOKI_NOT_INITIALIZED.

        Args:
            gone: The program has ended without C_Finalize.
        """
        while not self._turn.acquire(timeout=_GLANCE if gone else -1):
            self._application.abandon()

        try:
            if self._closed:
                return

            self._closed = True

            if gone:
                with because(_GONE):
                    self._end()

                return

            outcome = _told(self._end, BY_NAME[_END], (), self._hub, self._program)
        finally:
            self._turn.release()

        self._note(BY_NAME[_END], (), outcome)

    def _end(self) -> Outcome:
        return _tried(_END, self._application.close, self._hub)[1]

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

    def _note(self, function: Function, arguments: Sequence[object], outcome: Outcome) -> None:
        """Have the application's own log tell of the call, where it wants that."""
        if self._application.notes(function.name, outcome.rv):
            shown = in_line(function.name, arguments_of(function, arguments))
            self._application.note(shown, outcome.rv, outcome.reason)


def _told(
    run: Callable[[], Outcome], function: Function, arguments: Sequence[object], hub: Hub, program: str
) -> Outcome:
    """Run a call, and tell the hub how it begins and ends; what happens meanwhile has it as its cause."""
    with because(function.name) as call:
        hub.emit(
            CallBegan(
                cause=call.parent,
                call=call,
                interface=INTERFACE,
                program=program,
                arguments=arguments_of(function, arguments),
            )
        )
        outcome = run()
        hub.emit(
            CallEnded(
                cause=call.parent,
                call=call,
                result=outcome.rv.name,
                results=results_of(function, outcome.results),
                reason=outcome.reason,
                login=outcome.login,
            )
        )

    return outcome


def _tried(name: str, action: Callable[[], object], hub: Hub) -> tuple[object, Outcome]:
    """Return what an action gives, or how it failed."""
    try:
        return action(), _OK
    except (CryptokiError, MiddlewareError) as error:
        _log.info("%s: %s", name, error)
        login = error.ended if isinstance(error, NotLoggedInError) else None
        return None, Outcome(error.rv, reason=error.message, login=login)
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
