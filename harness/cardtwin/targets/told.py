"""A program whose library tells nobody of its calls: the harness does, as it makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.describe import INTERFACE, arguments_of, results_of
from cardtwin.cryptoki.functions import BY_NAME
from cardtwin.events import CallBegan, CallEnded, because

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.cryptoki.foreign import Returned
    from cardtwin.events import Hub
    from cardtwin.targets.interface import Program

__all__ = ["ToldProgram"]

_INITIALIZE: Final = "C_Initialize"
_FINALIZE: Final = "C_Finalize"


class ToldProgram:
    """A program of a scenario, with its calls told to a hub; secrets are masked.

    Args:
        program: Who calls.
        name: What the scenario calls it.
        hub: Who is told.
    """

    def __init__(self, program: Program, name: str, hub: Hub) -> None:
        self._program = program
        self._name = name
        self._hub = hub

    def initialize(self) -> Returned:
        """Call C_Initialize; errors as call()."""
        return self._told(_INITIALIZE, (), self._program.initialize)

    def finalize(self) -> Returned:
        """Call C_Finalize; errors as call()."""
        return self._told(_FINALIZE, (), self._program.finalize)

    def call(self, name: str, arguments: Sequence[object]) -> Returned:
        """Call another function by its name in C, with the arguments that its Python function takes.

        Raises:
            TargetError: The program is gone, by this call or before.
        """
        return self._told(name, arguments, lambda: self._program.call(name, arguments))

    def fork(self) -> ToldProgram:
        """Return the child that a fork of the program makes, which is told apart; errors as call()."""
        return ToldProgram(self._program.fork(), f"the child of {self._name}", self._hub)

    def close(self) -> None:
        """End it. A second call does nothing."""
        self._program.close()

    def _told(self, name: str, arguments: Sequence[object], run: Callable[[], Returned]) -> Returned:
        function = BY_NAME[name]

        with because(name) as call:
            self._hub.emit(
                CallBegan(
                    cause=call.parent,
                    call=call,
                    interface=INTERFACE,
                    program=self._name,
                    arguments=arguments_of(function, arguments),
                )
            )
            returned = run()
            self._hub.emit(
                CallEnded(
                    cause=call.parent,
                    call=call,
                    result=returned.name,
                    results=results_of(function, returned.results),
                )
            )

        return returned
