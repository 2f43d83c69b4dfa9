"""One call in a log of pkcs11-spy: its arguments and results, as our own calls have them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import Ckm
from cardtwin.cryptoki.describe import text_of
from cardtwin.cryptoki.functions import BY_NAME, Kind
from cardtwin.events import Cause
from cardtwin.trace.imports.spyattributes import lengths_in, names_in, template_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardtwin.cryptoki.functions import Parameter

__all__ = ["SpyCall"]

Pairs = tuple[tuple[str, str], ...]

_FIELD: Final = re.compile(
    r"\[(?P<way>in|out)\] \*?(?P<name>\w+(?:->\w+)*)(?:\[[^\]]*\])?(?: = |: ?| )(?P<text>.*)"
)
_TWO_FIELDS: Final = re.compile(r"(\[in\] type = .*?)(\[out\] pInfo: )")
_DUMP: Final = re.compile(r"[0-9A-Fa-f]+ / +(\d{1,20})")
_NULL: Final = re.compile(r"NULL(?: \[size : 0x[0-9A-F]+ \((\d{1,20})\)\])?")
_NUMBER: Final = re.compile(r"0x([0-9a-f]+)\b|(\d{1,20})(?=\s|$)")
_NAME: Final = re.compile(r"CK[A-Z]{1,2}_\w+")
_OBJECT: Final = re.compile(r"Object (?:0x)?([0-9a-f]+) [Mm]atches")
_SLOT: Final = re.compile(r"Slot (-?\d{1,20})")
_COUNT: Final = re.compile(r"Count is (\d{1,20})")
_MECHANISM: Final = re.compile(r" *(?:(CKM_\w+)| Unknown Mechanism \(([0-9a-f]+)\)) *")
_PIN: Final = re.compile("Pin|PIN")


@dataclass(frozen=True, slots=True)
class _Field:
    """What the log says of a parameter: on its line, and on those below it. It may hold a PIN."""

    text: str = field(repr=False)
    lines: list[str] = field(default_factory=list, repr=False)

    @property
    def number(self) -> int | None:
        """The number that it is."""
        match = _NUMBER.match(self.text)
        return None if match is None else int(match[1], 16) if match[1] else int(match[2])

    @property
    def name(self) -> str | None:
        """The standard's name that it is."""
        match = _NAME.match(self.text)
        return None if match is None else match[0]

    @property
    def is_null(self) -> bool:
        """Whether it is a pointer to nothing."""
        return _NULL.match(self.text) is not None

    @property
    def length(self) -> int | None:
        """Of a pointer with a length: the length."""
        match = _DUMP.match(self.text) or _NULL.match(self.text)
        return None if match is None or match[1] is None else int(match[1])


Fields = dict[tuple[str, str], _Field]


@dataclass(slots=True)
class SpyCall:
    """A call that is being read.

    Attributes:
        name: Of the function.
        cause: The call, for its events.
        program: Who calls; empty where the log doesn't say.
        when: It began, in seconds; None where the log doesn't say.
        lines: Of the log, below those that say when.
        told: Whether its beginning is in the trace.
    """

    name: str
    cause: Cause = field(init=False)
    program: str = ""
    when: float | None = None
    lines: list[str] = field(default_factory=list, repr=False)
    told: bool = False

    def __post_init__(self) -> None:
        self.cause = Cause(self.name)

    def began(self, process: str, when: float | None) -> None:
        """Take note of who called when."""
        self.program = f"process {process}" if process else ""
        self.when = when

    def arguments(self) -> Pairs:
        """Return what the log tells of the arguments, as texts without secrets."""
        fields = _fields(self.lines)

        if self.name not in BY_NAME:
            return tuple(_of_unknown(fields, "in", ""))

        return tuple(
            (parameter.names[0], text)
            for parameter in BY_NAME[self.name].arguments
            if (text := _ARGUMENTS[parameter.kind](parameter, fields)) is not None
        )

    def results(self, result: str) -> Pairs:
        """Return what the log tells of the results, likewise; `result` is the return value's name."""
        fields = _fields(self.lines)

        if self.name not in BY_NAME:
            return tuple(_of_unknown(fields, "out", "*"))

        fields["returned", ""] = _Field(result)
        return tuple(
            (f"*{parameter.names[0]}", text)
            for parameter in BY_NAME[self.name].results
            if (text := _RESULTS[parameter.kind](parameter, fields)) is not None
        )


def _fields(lines: list[str]) -> Fields:
    found: Fields = {}
    latest = _Field("")

    for line in lines:
        for part in _parts(line):
            if match := _FIELD.fullmatch(part):
                latest = found[match["way"], match["name"]] = _Field(match["text"].rstrip())
            else:
                latest.lines.append(part)

    return found


def _parts(line: str) -> tuple[str, ...]:
    """Return a line's fields: version 0.23 forgets to end one of them."""
    match = _TWO_FIELDS.fullmatch(line)
    return match.groups() if match is not None else (line,)


def _of_unknown(fields: Fields, way: str, mark: str) -> Iterator[tuple[str, str]]:
    """Yield what can be told of a function that isn't in the table, such as one of PKCS#11 3.0."""
    for (direction, name), each in fields.items():
        number = each.number

        if direction != way:
            continue

        if _PIN.search(name):
            yield f"{mark}{name}", "NULL" if each.is_null else "**"
        elif _DUMP.match(each.text):
            yield f"{mark}{name}", f"{each.length} bytes"
        elif each.name is not None:
            yield f"{mark}{name}", each.name
        elif number is not None:
            yield f"{mark}{name}", str(number)


def _value(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("in", parameter.names[0]))

    if each is None or each.name is not None or each.number is None:
        return None if each is None else each.name

    return text_of(parameter, each.number)


def _boolean(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("in", parameter.names[0]))
    return None if each is None or each.number is None else text_of(parameter, bool(each.number))


def _data(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("in", parameter.names[0]))
    return None if each is None or each.length is None else f"{each.length} bytes"


def _pin(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("in", parameter.names[0]))
    return None if each is None else "NULL" if each.is_null else "**"


def _mechanism(parameter: Parameter, fields: Fields) -> str | None:
    name = parameter.names[0]
    each = fields.get(("in", f"{name}->type"))

    if each is None:
        return "NULL" if ("in", name) in fields else None

    return each.name or (None if each.number is None else f"0x{each.number:08X}")


def _template(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("in", parameter.names[0]))
    return None if each is None else template_in(each.lines)


def _query(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("in", parameter.names[0]))
    return None if each is None else names_in(each.lines)


def _room(parameter: Parameter, fields: Fields) -> str | None:
    """The log says nothing of the room itself: what was or wasn't put there tells how much there was."""
    pointer, size = parameter.names
    written, needed = fields.get(("out", pointer)), fields.get(("out", size))

    if written is None:
        return None if needed is None or needed.number is None else f"room for less than {needed.number}"

    return "NULL" if written.is_null else f"room for {written.length} or more"


def _list_room(parameter: Parameter, fields: Fields) -> str | None:
    written = fields.get(("out", parameter.names[0]))
    listed = None if written is None else _listed(written)
    return None if listed is None else "NULL" if listed[1] is None else f"room for {listed[0]} or more"


def _most(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("in", parameter.names[1]))
    return None if each is None or each.number is None else str(each.number)


def _filled_length(parameter: Parameter, fields: Fields) -> str | None:
    each = _filled(parameter, fields)
    return None if each is None else each.removesuffix(" bytes")


def _number_out(parameter: Parameter, fields: Fields) -> str | None:
    name = parameter.names[0]  # the log calls phKey hKey
    each = fields.get(("out", name)) or fields.get(("out", name[1:]))
    return None if each is None or each.number is None else str(each.number)


def _structure(parameter: Parameter, fields: Fields) -> str | None:
    if ("out", parameter.names[0]) not in fields or parameter.structure is None:
        return None

    return parameter.structure.python.__name__


def _written(parameter: Parameter, fields: Fields) -> str | None:
    pointer, size = parameter.names
    written, needed = fields.get(("out", pointer)), fields.get(("out", size))
    length = written.length if written is not None else needed.number if needed is not None else None
    return None if length is None else str(length)


def _list(parameter: Parameter, fields: Fields) -> str | None:
    written = fields.get(("out", parameter.names[0]))
    listed = None if written is None else _listed(written)

    if listed is None:
        return None

    return str(listed[0]) if listed[1] is None else f"{listed[0]}: {' '.join(listed[1])}"


def _listed(written: _Field) -> tuple[int, list[str] | None] | None:
    """Return how many there are, and which; None in their place where the number alone was asked for."""
    counts = [int(match[1]) for line in written.lines if (match := _COUNT.fullmatch(line))]

    if counts:
        return counts[0], None

    slots = [match[1] for line in written.lines if (match := _SLOT.fullmatch(line))]
    mechanisms = [_mechanism_number(match) for line in written.lines if (match := _MECHANISM.fullmatch(line))]
    return len(slots) + len(mechanisms), slots + mechanisms


def _mechanism_number(match: re.Match[str]) -> str:
    name, digits = match.groups()

    if digits is not None:
        return str(int(digits, 16))

    return str(int(Ckm[name])) if name in Ckm.__members__ else str(name)


def _found(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("out", parameter.names[2][1:]))  # the log calls pulObjectCount ulObjectCount

    if each is None:
        return None

    handles = [int(match[1], 16) for line in each.lines if (match := _OBJECT.fullmatch(line))]
    return text_of(parameter, handles)


def _filled(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("out", parameter.names[0])) or fields.get(("out", parameter.names[0][1:]))
    return None if each is None or each.length is None else f"{each.length} bytes"


def _read(parameter: Parameter, fields: Fields) -> str | None:
    each = fields.get(("out", parameter.names[0]))
    return None if each is None else lengths_in(each.lines, fields["returned", ""].text)


_ARGUMENTS: Final[Mapping[Kind, Callable[[Parameter, Fields], str | None]]] = {
    Kind.ULONG: _value,
    Kind.BOOL: _boolean,
    Kind.DATA: _data,
    Kind.LABEL: _data,
    Kind.PIN: _pin,
    Kind.MECHANISM: _mechanism,
    Kind.TEMPLATE: _template,
    Kind.QUERY: _query,
    Kind.BUFFER_OUT: _room,
    Kind.LIST_OUT: _list_room,
    Kind.FOUND_OUT: _most,
    Kind.FILL_OUT: _filled_length,
}
_RESULTS: Final[Mapping[Kind, Callable[[Parameter, Fields], str | None]]] = {
    Kind.ULONG_OUT: _number_out,
    Kind.STRUCTURE_OUT: _structure,
    Kind.BUFFER_OUT: _written,
    Kind.LIST_OUT: _list,
    Kind.FOUND_OUT: _found,
    Kind.FILL_OUT: _filled,
    Kind.QUERY: _read,
}
