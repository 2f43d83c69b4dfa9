"""One call of one application: in turn, told to the observers, and never an exception."""

from __future__ import annotations

import logging
import threading
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.describe import described
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.values import Answer, Reading
from cardtwin.events import Defect, because
from cardtwin.middleware import Ckr, MiddlewareError

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    def close(self) -> None:
        """Close the application. Calls that come later are answered CKR_CRYPTOKI_NOT_INITIALIZED."""
        with self._turn:
            if self._closed:
                return

            self._closed = True
            self._application.close()

    def _run(self, implementation: Implementation, arguments: Sequence[object]) -> Outcome:
        if not implementation.alone:
            return self._try(implementation, arguments)

        with self._turn:
            return self._try(implementation, arguments)

    def _try(self, implementation: Implementation, arguments: Sequence[object]) -> Outcome:
        if self._closed:
            return Outcome(Ckr.CKR_CRYPTOKI_NOT_INITIALIZED)

        try:
            value = implementation.run(self._application, *arguments)
        except (CryptokiError, MiddlewareError) as error:
            _log.info("%s: %s", implementation.function.name, error)
            return Outcome(error.rv, reason=error.message)
        except Exception:  # noqa: BLE001  # nothing a function does may leave its caller without an answer
            name = implementation.function.name
            detail = traceback.format_exc()
            _log.error("%s failed by a bug of cardtwin:\n%s", name, detail)
            self._hub.emit(Defect(where=name, detail=detail))
            return Outcome(Ckr.CKR_GENERAL_ERROR)

        return _outcome(implementation.function, value)


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


_OK: Final = Outcome(Ckr.CKR_OK)


def _return_value(results: tuple[object, ...]) -> Ckr:
    for result in results:
        for part in result if isinstance(result, (list, tuple)) else (result,):
            if isinstance(part, (Answer, Reading)) and part.rv is not Ckr.CKR_OK:
                return part.rv

    return Ckr.CKR_OK
