"""Calls of PKCS#11 as steps: arguments as they were, names for handles, matchers for what is always new."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.functions import BY_NAME, Kind
from cardtwin.drafting import texts
from cardtwin.drafting.earlier import Earlier
from cardtwin.drafting.layout import Entry, Tree
from cardtwin.drafting.pins import CallPins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardtwin.cryptoki.functions import Function, Parameter
    from cardtwin.drafting.names import Handles, Secrets
    from cardtwin.drafting.recorded import RecordedCall

__all__ = ["NEEDLESS", "CallDrafter", "CallStep"]

_OK: Final = "CKR_OK"
_TOO_SMALL: Final = "CKR_BUFFER_TOO_SMALL"
_ANY: Final = 64
_HANDLES: Final = {
    "CK_SLOT_ID": "slot",
    "CK_SESSION_HANDLE": "session",
    "CK_OBJECT_HANDLE": "object",
}
_CALLED: Final = {
    "CKO_PRIVATE_KEY": "keys",
    "CKO_PUBLIC_KEY": "public_keys",
    "CKO_SECRET_KEY": "secret_keys",
    "CKO_CERTIFICATE": "certificates",
    "CKO_DATA": "data",
}
"""What objects are called that were looked for, by CKA_CLASS."""

_OF_THE_CARD: Final = {"CKA_ID", "CKA_MODULUS", "CKA_SUBJECT", "CKA_ISSUER", "CKA_SERIAL_NUMBER", "CKA_VALUE"}
"""Attributes that are other ones on each card: who looks for one has read it before, as a rule."""

_LENGTHS_VARY: Final = {"C_GetOperationState"}
_MATTERS: Final = re.compile("C_(Decrypt|Verify|Unwrap|SetOperationState).*")
"""Functions that look into their data: with other data their return value may be another one."""

_INVALID: Final = {
    "CKR_SIGNATURE_INVALID",
    "CKR_ENCRYPTED_DATA_INVALID",
    "CKR_WRAPPED_KEY_INVALID",
    "CKR_SAVED_STATE_INVALID",
}
"""What is returned for data that is not what was made before, though it has the length."""

_OF_DIGESTS: Final = "CKM_RSA_PKCS_PSS"
"""The mechanism whose hash has made the data that it is given."""


@dataclass(slots=True)
class CallStep:
    """A step in the making.

    Attributes:
        call: What it does again.
        fields: Its keys.
        binds: The names that it gives, each with the result.
        notes: Comments.
    """

    call: RecordedCall
    fields: dict[str, Tree] = field(default_factory=dict)
    binds: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def entry(self, used: set[str]) -> Entry:
        """Return the step. Names that nothing refers to are left out."""
        value: dict[str, Tree] = dict(self.fields)
        binds: dict[str, Tree] = {name: result for name, result in self.binds.items() if name in used}

        if binds:
            value["bind"] = next(iter(binds)) if len(BY_NAME[self.call.name].results) == 1 else binds

        return Entry(value, tuple(self.notes))


class CallDrafter:
    """Makes steps of calls, one after the other.

    Args:
        handles: The names for handles.
        secrets: The names for secrets.

    Attributes:
        pins: Which secrets the calls gave.
    """

    def __init__(self, handles: Handles, secrets: Secrets) -> None:
        self._handles = handles
        self._secrets = secrets
        self.pins = CallPins(secrets)
        self._sought: dict[tuple[str, str], str] = {}
        self._hashed: dict[tuple[str, str], CallStep] = {}
        self._earlier = Earlier(handles)
        self._numbered: set[str] = set()

    def step(self, call: RecordedCall, by: str, *, fault: bool = False) -> CallStep:
        """Return the step of a call.

        Args:
            call: The call.
            by: What the scenario calls the program.
            fault: Whether its return value is what is wrong: then it is expected to succeed.
        """
        meant = replace(call, result=_OK) if fault else call
        step = CallStep(meant, {"pkcs11": call.name})
        function = BY_NAME[call.name]

        for parameter in function.arguments:
            self._argument(step, parameter)

        step.fields["by"] = by

        if fault:
            step.notes.append(f"the fault: in the trace this returns {call.result}")
            return step

        self._expect(step, function)
        self.pins.count(call)

        if call.result == _OK:
            self._learn(step, function)

        return step

    def _argument(self, step: CallStep, parameter: Parameter) -> None:
        name, text = parameter.names[0], step.call.arguments.get(parameter.names[0])

        if text is None and parameter.kind in _WITH_ROOM and step.call.result == _TOO_SMALL:
            step.fields["room"] = "0"
            step.notes.append(_ABOUT_ROOM)
        elif text is None and parameter.kind not in NEEDLESS:
            step.notes.append(f"LOOK: the trace doesn't tell {name}")
            key = parameter.names[1] if parameter.kind is Kind.FILL_OUT else name
            step.fields[key] = _UNTOLD[parameter.kind]
        elif text is not None:
            _ARGUMENTS[parameter.kind](self, step, parameter, text)

    # One for each kind of parameter

    def _number(self, step: CallStep, parameter: Parameter, text: str) -> None:
        name, call = parameter.names[0], step.call
        kind = _HANDLES.get(parameter.c_type)

        if parameter.c_type == "CK_FLAGS":
            step.fields[name] = texts.flags(call.name, text)
            return

        found = (
            None if kind is None else self._handles.refer(kind, "" if kind == "slot" else call.program, text)
        )
        step.fields[name] = found or text

        if kind not in {None, "slot"} and found is None and text != "0":
            step.notes.append(f"LOOK: nothing in the trace has given this program the {kind} {text}")

        if kind == "slot" and found is None and text not in self._numbered:
            self._numbered.add(text)
            step.notes.append("LOOK: the trace has no list of slots: this is the number that its library has")

    def _flag(self, step: CallStep, parameter: Parameter, text: str) -> None:
        step.fields[parameter.names[0]] = "yes" if text == "true" else "no"

    def _data(self, step: CallStep, parameter: Parameter, text: str) -> None:
        name, size = parameter.names[0], texts.length(text)

        if size is None:
            step.fields[name] = "NULL"
            return

        known = step.call.result not in _INVALID
        earlier = self._earlier.data(step.call.program, name, size) if known else None
        self._fit_hash(step, name, size)
        step.fields[name] = earlier or texts.filler(size)

        if earlier is None and size and _MATTERS.fullmatch(step.call.name):
            step.notes.append(
                f"LOOK: the trace has the length of {name} alone, and what comes of it depends on it"
            )

    def _fit_hash(self, step: CallStep, name: str, size: int) -> None:
        """Let a mechanism that is given a digest have the hash that makes one of this length."""
        if name == "pData" and (began := self._hashed.pop(self._session(step.call), None)):
            began.fields["pMechanism"], _ = texts.mechanism(_OF_DIGESTS, size)

    def _session(self, call: RecordedCall) -> tuple[str, str]:
        return call.program, call.arguments.get("hSession", "")

    def _pin(self, step: CallStep, parameter: Parameter, text: str) -> None:
        name = parameter.names[0]
        step.fields[name] = text if text == "NULL" else self.pins.given(step.call, name)

    def _label(self, step: CallStep, parameter: Parameter, _: str) -> None:
        step.fields[parameter.names[0]] = "token"
        step.notes.append("LOOK: the trace doesn't have the label")

    def _mechanism(self, step: CallStep, parameter: Parameter, text: str) -> None:
        step.fields[parameter.names[0]], note = texts.mechanism(text)

        if text == _OF_DIGESTS:
            self._hashed[self._session(step.call)] = step

        if note:
            step.notes.append(f"LOOK: {note}")

    def _template(self, step: CallStep, parameter: Parameter, text: str) -> None:
        found, unknown = texts.template(text)

        if step.call.name == "C_FindObjectsInit":
            found = {
                name: self._sought_value(step.call.program, name, value)
                for name, value in found.items()
                if name not in unknown
            }
            self._sought[self._session(step.call)] = _CALLED.get(str(found.get("CKA_CLASS")), "objects")

        if unknown:
            step.notes.append(f"LOOK: the trace doesn't have the value of {', '.join(unknown)}")

        if found:
            step.fields[parameter.names[0]] = dict(found)

    def _sought_value(self, program: str, name: str, value: Tree) -> Tree:
        if name not in _OF_THE_CARD or not isinstance(value, str):
            return value

        return self._earlier.attribute(program, name, len(value.split())) or value

    def _query(self, step: CallStep, parameter: Parameter, text: str) -> None:
        names: list[str] = texts.names(text)
        small = step.call.result == _TOO_SMALL
        step.fields[parameter.names[0]] = dict.fromkeys(names, "0") if small else [*names]

        if small:
            step.notes.append(_ABOUT_ROOM)

    def _room(self, step: CallStep, _: Parameter, text: str) -> None:
        room = texts.room(text, too_small=step.call.result == _TOO_SMALL)

        if room is not None:
            step.fields["room"] = room

    def _most(self, step: CallStep, parameter: Parameter, text: str) -> None:
        if parameter.kind is Kind.FILL_OUT or text != str(_ANY):
            step.fields[parameter.names[1]] = text

    # What came of it

    def _expect(self, step: CallStep, function: Function) -> None:
        call = step.call

        if not call.result:
            step.notes.append("LOOK: in the trace this hasn't returned")
        elif call.result != _OK:
            step.fields["expect"] = call.result
        elif expected := dict(self._matchers(step, function)):
            step.fields["expect"] = expected

    def _matchers(self, step: CallStep, function: Function) -> Iterator[tuple[str, Tree]]:
        for parameter in function.results:
            text = step.call.results.get(parameter.names[0])

            match parameter.kind:
                case Kind.FOUND_OUT if text is not None:
                    yield parameter.names[2], str(len(_numbers(text)))
                case Kind.BUFFER_OUT if text is not None and text.isdecimal():
                    if step.fields.get("room") != "NULL" and function.name not in _LENGTHS_VARY:
                        yield parameter.names[0], {"any": text}
                case Kind.FILL_OUT if text is not None and (size := texts.length(text)) is not None:
                    yield parameter.names[0], {"any": str(size)}
                case _:
                    pass

    def _learn(self, step: CallStep, function: Function) -> None:
        """Give names to what a call gave, and take note of what it changed."""
        call = step.call

        for parameter in function.results:
            if parameter.names[0] in call.results:
                self._name_result(step, parameter, call.results[parameter.names[0]])

        self.pins.learn(call)

    def _name_result(self, step: CallStep, parameter: Parameter, text: str) -> None:
        call, result = step.call, parameter.names[0]

        match parameter.kind:
            case Kind.ULONG_OUT if result == "phSession":
                self._give(step, "session", [text], "session", result)
            case Kind.ULONG_OUT if result.startswith("ph"):
                self._give(step, "object", [text], _snake(result[2:]), result)
            case Kind.LIST_OUT if call.name == "C_GetSlotList" and (slots := texts.listed(text)):
                self._secrets.slots(slots)
                self._give(step, "slot", slots, "slots", result, listed=True)
            case Kind.FOUND_OUT if numbers := _numbers(text):
                sought = self._sought.get(self._session(call), "objects")
                self._give(step, "object", numbers, sought, result, listed=True)
            case Kind.BUFFER_OUT if text.isdecimal() and step.fields.get("room") != "NULL":
                name = self._handles.name(_snake(result[1:]))
                step.binds[name] = result
                self._earlier.made(call.program, call.name, name, int(text))
            case Kind.QUERY:
                self._note_values(step, text)
            case _:
                pass

    def _note_values(self, step: CallStep, lengths: str) -> None:
        """Take note of attributes of the card's own that were read."""
        asked = texts.names(step.call.arguments.get("pTemplate", "none"))
        read = zip(asked, texts.names(lengths), strict=False)
        found = {name: int(size) for name, size in read if name in _OF_THE_CARD and size.isdecimal()}

        if not found:
            return

        bound = self._handles.name("attributes")
        step.binds[bound] = "pTemplate"

        for name, size in found.items():
            self._earlier.read(step.call.program, name, bound, size)

    def _give(
        self, step: CallStep, kind: str, numbers: list[str], wish: str, result: str, *, listed: bool = False
    ) -> None:
        name = self._handles.name(wish)
        step.binds[name] = result
        self._handles.give(kind, "" if kind == "slot" else step.call.program, numbers, name, listed=listed)


def _numbers(text: str) -> list[str]:
    return [] if text == "none" else text.split()


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


_UNTOLD: Final[Mapping[Kind, Tree]] = {
    Kind.ULONG: "0",
    Kind.BOOL: "no",
    Kind.DATA: "NULL",
    Kind.PIN: "NULL",
    Kind.LABEL: "token",
    Kind.MECHANISM: "0",
    Kind.QUERY: [],
    Kind.FILL_OUT: "0",
}
"""What stands for an argument that isn't told, as in a call that was refused for its arguments."""

NEEDLESS: Final = {Kind.BUFFER_OUT, Kind.LIST_OUT, Kind.FOUND_OUT, Kind.TEMPLATE, Kind.VALUES}
"""What a step can do without."""

_WITH_ROOM: Final = {Kind.BUFFER_OUT, Kind.LIST_OUT}
_ABOUT_ROOM: Final = "LOOK: the trace doesn't tell how much room there was"

_ARGUMENTS: Final[Mapping[Kind, Callable[[CallDrafter, CallStep, Parameter, str], None]]] = {
    Kind.ULONG: CallDrafter._number,  # noqa: SLF001  # the table of the class's own methods
    Kind.BOOL: CallDrafter._flag,  # noqa: SLF001  # as above
    Kind.DATA: CallDrafter._data,  # noqa: SLF001  # as above
    Kind.PIN: CallDrafter._pin,  # noqa: SLF001  # as above
    Kind.LABEL: CallDrafter._label,  # noqa: SLF001  # as above
    Kind.MECHANISM: CallDrafter._mechanism,  # noqa: SLF001  # as above
    Kind.TEMPLATE: CallDrafter._template,  # noqa: SLF001  # as above
    Kind.VALUES: lambda _drafter, _step, _parameter, _text: None,
    Kind.QUERY: CallDrafter._query,  # noqa: SLF001  # as above
    Kind.BUFFER_OUT: CallDrafter._room,  # noqa: SLF001  # as above
    Kind.LIST_OUT: CallDrafter._room,  # noqa: SLF001  # as above
    Kind.FOUND_OUT: CallDrafter._most,  # noqa: SLF001  # as above
    Kind.FILL_OUT: CallDrafter._most,  # noqa: SLF001  # as above
}
