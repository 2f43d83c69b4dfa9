"""The C code that follows from the table of functions: structures, a stub for each function, and the lists.

It comes out the same each time. Nothing but the standard library is needed: the build runs this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.functions import (
    BY_NAME,
    FUNCTIONS,
    OWN,
    STANDARD,
    Function,
    Kind,
    Parameter,
    sum_of_table,
)
from cardtwin.cryptoki.structures import (
    INFO_STRUCTURES,
    PARAMETER_STRUCTURES,
    Data,
    Field,
    Structure,
    Text,
    VersionField,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["stubs"]

_SECOND_TYPE: Final = {
    Kind.DATA: "CK_ULONG",
    Kind.PIN: "CK_ULONG",
    Kind.TEMPLATE: "CK_ULONG",
    Kind.VALUES: "CK_ULONG",
    Kind.QUERY: "CK_ULONG",
    Kind.FILL_OUT: "CK_ULONG",
    Kind.BUFFER_OUT: "CK_ULONG_PTR",
    Kind.LIST_OUT: "CK_ULONG_PTR",
    Kind.FOUND_OUT: "CK_ULONG",
}

_PUT: Final = {
    Kind.ULONG: "ct_put_ulong(&call, {0});",
    Kind.BOOL: "ct_put_byte(&call, {0});",
    Kind.DATA: "ct_put_data(&call, {0}, {1});",
    Kind.PIN: "ct_put_data(&call, {0}, {1});",
    Kind.LABEL: "ct_put_data(&call, {0}, {0} != NULL ? 32 : 0);",
    Kind.MECHANISM: "put_mechanism(&call, {0});",
    Kind.TEMPLATE: "ct_put_template(&call, {0}, {1});",
    Kind.VALUES: "ct_put_values(&call, {0}, {1});",
    Kind.RESERVED: "ct_put_pointer(&call, {0});",
    Kind.IGNORED: "(void){0};",
    Kind.ULONG_OUT: "ct_put_pointer(&call, {0});",
    Kind.STRUCTURE_OUT: "ct_put_pointer(&call, {0});",
    Kind.BUFFER_OUT: "room = ct_put_room(&call, {0}, {1});",
    Kind.LIST_OUT: "room = ct_put_room(&call, {0}, {1});",
    Kind.FOUND_OUT: "ct_put_found(&call, {0}, {1}, {2});",
    Kind.FILL_OUT: "ct_put_filling(&call, {0}, {1});",
    Kind.QUERY: "ct_put_query(&call, {0}, {1});",
}

_GET: Final = {
    Kind.ULONG_OUT: "ct_get_ulong(&call, {0});",
    Kind.STRUCTURE_OUT: "get_{structure}(&call, {0});",
    Kind.BUFFER_OUT: "ct_get_buffer(&call, {0}, {1}, room);",
    Kind.LIST_OUT: "ct_get_list(&call, {0}, {1}, room);",
    Kind.FOUND_OUT: "ct_get_found(&call, {0}, {2}, {1});",
    Kind.FILL_OUT: "ct_get_filling(&call, {0}, {1});",
    Kind.QUERY: "ct_get_readings(&call, {0}, {1});",
}


def stubs() -> str:
    """Return the file, as text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterable[str]:
    yield "/* Generated from cryptoki/functions.py. */"
    yield "#include <string.h>"
    yield ""
    yield '#include "runtime.h"'
    yield ""
    yield f"const uint32_t ct_sum_of_table = {sum_of_table()}u;"
    yield f"const unsigned ct_number_of_initialize = {BY_NAME['C_Initialize'].number};"
    yield f"const unsigned ct_number_of_finalize = {BY_NAME['C_Finalize'].number};"

    for structure in (*INFO_STRUCTURES, *PARAMETER_STRUCTURES):
        yield from _definition(structure)

    for structure in INFO_STRUCTURES:
        yield from _getter(structure)

    yield from _mechanisms()

    for function in FUNCTIONS:
        yield f"CT_EXPORT {_prototype(function)};"

    for function in FUNCTIONS:
        if not function.local:
            yield from _stub(function)

    yield from _lists()


def _definition(structure: Structure) -> Iterable[str]:
    yield ""
    yield f"typedef struct {structure.name} {{"

    for field in structure.fields:
        yield from (f"    {member};" for member in _members(field))

    yield f"}} {structure.name};"
    yield f"typedef {structure.name} *{structure.name}_PTR;"


def _members(field: Field) -> tuple[str, ...]:
    match field:
        case Text(name, size):
            return (f"CK_UTF8CHAR {name}[{size}]",)
        case VersionField(name):
            return (f"CK_VERSION {name}",)
        case Data(pointer, length, length_first):
            members = (f"CK_BYTE_PTR {pointer}", f"CK_ULONG {length}")
            return members[::-1] if length_first else members
        case _:
            return (f"CK_ULONG {field.name}",)


def _getter(structure: Structure) -> Iterable[str]:
    yield ""
    yield f"static void get_{structure.name}(struct ct_call *call, {structure.name} *target)"
    yield "{"
    yield "    if (!ct_is_there(call, target))"
    yield "        return;"
    yield ""

    for field in structure.fields:
        match field:
            case Text(name, size):
                yield f"    ct_get_bytes(call, target->{name}, {size});"
            case VersionField(name):
                yield f"    ct_get_bytes(call, &target->{name}, 2);"
            case Data(pointer):
                raise TypeError(f"{structure.name}: {pointer} has no place in a result")
            case _:
                yield f"    ct_get_ulong(call, &target->{field.name});"

    yield "}"


def _mechanisms() -> Iterable[str]:
    """Yield what puts a mechanism: structures member by member, as they hold pointers; else plain bytes."""
    yield ""
    yield "static void put_mechanism(struct ct_call *call, const CK_MECHANISM *mechanism)"
    yield "{"
    yield "    ct_put_pointer(call, mechanism);"
    yield ""
    yield "    if (mechanism == NULL)"
    yield "        return;"
    yield ""
    yield "    ct_put_ulong(call, mechanism->mechanism);"
    yield ""
    yield "    switch (mechanism->pParameter == NULL ? ~0UL : mechanism->mechanism) {"

    for structure in PARAMETER_STRUCTURES:
        yield from _structured(structure)

    yield "    default:"
    yield "        break;"
    yield "    }"
    yield ""
    yield "    ct_put_byte(call, 0);"
    yield "    ct_put_data(call, mechanism->pParameter, mechanism->ulParameterLen);"
    yield "}"


def _structured(structure: Structure) -> Iterable[str]:
    yield from (f"    case 0x{mechanism:X}UL: /* {mechanism.name} */" for mechanism in structure.mechanisms)
    yield f"        if (mechanism->ulParameterLen == sizeof({structure.name})) {{"
    yield f"            {structure.name} parameter;"
    yield ""
    yield "            memcpy(&parameter, mechanism->pParameter, sizeof parameter);"
    yield "            ct_put_byte(call, 1);"

    for field in structure.fields:
        if isinstance(field, Data):
            yield f"            ct_put_data(call, parameter.{field.pointer}, parameter.{field.length});"
        else:
            yield f"            ct_put_ulong(call, parameter.{field.name});"

    yield "            return;"
    yield "        }"
    yield ""
    yield "        break;"


def _prototype(function: Function) -> str:
    return f"CK_RV {function.name}({', '.join(_declarations(function))})"


def _declarations(function: Function) -> Iterable[str]:
    for parameter in function.parameters:
        types = (parameter.c_type, _SECOND_TYPE.get(parameter.kind, ""), "CK_ULONG_PTR")
        yield from (f"{c_type} {name}" for c_type, name in zip(types, parameter.names, strict=False))


def _stub(function: Function) -> Iterable[str]:
    has_room = any(each.kind in (Kind.BUFFER_OUT, Kind.LIST_OUT) for each in function.parameters)
    yield ""
    yield _prototype(function)
    yield "{"
    yield "    struct ct_call call;"

    if has_room:
        yield "    CK_ULONG room;"

    yield f"    CK_RV rv = ct_begin(&call, {function.number}, {'true' if function.waits else 'false'});"
    yield ""
    yield "    if (rv != CKR_OK)"
    yield "        return rv;"
    yield ""
    yield from (f"    {_PUT[each.kind].format(*each.names)}" for each in function.parameters)
    yield from _results(function.results)
    yield "    return ct_end(&call);"
    yield "}"


def _results(results: tuple[Parameter, ...]) -> Iterable[str]:
    if not results:
        yield "    ct_exchange(&call);"
        return

    yield ""
    yield "    if (ct_exchange(&call)) {"

    for each in results:
        name = each.structure.name if each.structure else ""
        yield f"        {_GET[each.kind].format(*each.names, structure=name)}"

    yield "    }"
    yield ""


def _lists() -> Iterable[str]:
    yield ""
    yield "struct CK_FUNCTION_LIST {"
    yield "    CK_VERSION version;"
    yield from (
        f"    CK_RV (*{function.name})({', '.join(_declarations(function))});" for function in STANDARD
    )
    yield "};"
    yield ""
    yield "CK_FUNCTION_LIST ct_function_list = {"
    yield "    .version = {2, 40},"
    yield from (f"    .{function.name} = {function.name}," for function in STANDARD)
    yield "};"
    yield ""
    yield "cardtwin_function_list ct_own_function_list = {"
    yield "    .version = {1, 0},"
    yield from (f"    .{function.name.removeprefix('cardtwin_')} = {function.name}," for function in OWN)
    yield "};"
