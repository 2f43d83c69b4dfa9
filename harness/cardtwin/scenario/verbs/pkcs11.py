"""``pkcs11``: call one function of PKCS#11, or one of ours beside it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import ConfigDict, PlainValidator, create_model

from cardtwin.cryptoki.functions import BY_NAME, FUNCTIONS, OWN, Function
from cardtwin.scenario.document import MapNode, TextNode
from cardtwin.scenario.effects import PRESENTS, of_function
from cardtwin.scenario.pkcs11 import (
    CallExpectation,
    argument_fields,
    arguments_of,
    expectation_of,
    files_named,
    values_of,
)
from cardtwin.scenario.step import Observed, Step, verb
from cardtwin.source import closest
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardtwin.cryptoki.foreign import Returned
    from cardtwin.decode import Effect
    from cardtwin.scenario.run import Run
    from cardtwin.targets import Program

__all__ = ["Pkcs11"]

_OWN: Final = frozenset(function.name for function in OWN)
_STARTING: Final[dict[str, Callable[[Program], Returned]]] = {
    "C_Initialize": lambda program: program.initialize(),
    "C_Finalize": lambda program: program.finalize(),
}
"""What begins and ends the library itself."""


def _function_name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a function is called by its name, such as C_Sign")  # noqa: TRY004  # collected

    if value not in BY_NAME:
        hint = closest(value, BY_NAME)
        raise ValueError(f"there is no function {value!r}" + (f"; {hint}" if hint else ""))

    return value


@verb("pkcs11", needs={Capability.PKCS11}, effects=PRESENTS)
class Pkcs11(Step):
    """Call one function of PKCS#11, or one of ours beside it. Without `expect`, it returns CKR_OK.

    Keys and results have the names of the function's parameters in C; a pointer and the length of what it
    points to are one key. `room` is how much the caller's buffer holds: enough by default, NULL to ask for
    the length. Nothing is called on the program's behalf: C_Initialize comes first.
    """

    model_config = ConfigDict(extra="allow")  # a form of one function looks at the rest

    addressed: ClassVar[frozenset[str]] = frozenset({"by"})
    pkcs11: Annotated[str, PlainValidator(_function_name)]

    @classmethod
    def form(cls, written: MapNode) -> type[Step]:
        """Return the form of the function that a step names."""
        name = written.get("pkcs11")
        return _forms().get(name.text, cls) if isinstance(name, TextNode) else cls

    @classmethod
    def forms(cls) -> tuple[type[Step], ...]:
        """Return a form for each function."""
        return tuple(_forms().values())


class _Form(Pkcs11):
    """A call of one function."""

    model_config = ConfigDict(extra="forbid")

    function: ClassVar[Function]
    expect: CallExpectation | None = None

    @classmethod
    def refers(cls, written: MapNode) -> Iterator[tuple[str, TextNode]]:
        """Yield also the files that are given as data."""
        yield from super().refers(written)

        for name in files_named(written):
            yield "files", name

    @classmethod
    def capabilities(cls, written: MapNode) -> frozenset[Capability]:  # noqa: ARG003  # the function tells
        """Return what the function needs: those of ours are in no other library."""
        return cls.needs | ({Capability.OWN} if cls.function.name in _OWN else set())

    @classmethod
    def effects(cls, written: MapNode) -> Effect:  # noqa: ARG003  # the function tells
        """Return what the function may do."""
        return of_function(cls.function.name)

    def run(self, run: Run) -> Observed:
        """Call it."""
        function = self.function
        program = run.bench.program(run.process(self))
        arguments = arguments_of(function, self, run)
        begin = _STARTING.get(function.name)
        returned = program.call(function.name, arguments) if begin is None else begin(program)
        return Observed(
            values_of(function, arguments, returned),
            success=returned.rv == 0,
            note=f"{function.name} returns {returned.name}",
        )


@cache
def _forms() -> dict[str, type[Step]]:
    return {function.name: _form(function) for function in FUNCTIONS}


def _form(function: Function) -> type[Step]:
    fields: dict[str, Any] = {
        "pkcs11": (Literal[function.name], ...),
        "expect": (expectation_of(function) | None, None),
        **argument_fields(function),
    }
    form: type[_Form] = create_model(
        f"Call{function.name}", __base__=_Form, __doc__=f"Call {function.name}.", **fields
    )
    form.function = function
    form.bound_result = function.results[0].names[0] if len(function.results) == 1 else ""
    return form
