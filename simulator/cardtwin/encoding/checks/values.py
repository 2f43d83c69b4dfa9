"""The values of one job: are they there, and are they what the keyword takes."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.checks.registry import LOGIN_KEYWORDS, Scope, checked_by
from cardtwin.encoding.errors import MissingValueError, UnusableValueError
from cardtwin.encoding.values import FieldList, Literal
from cardtwin.source import closest

if TYPE_CHECKING:
    from cardtwin.encoding.description import Setting
    from cardtwin.encoding.values import FieldRef, Value
    from cardtwin.plan import Secret

__all__ = ["LABEL_LENGTH", "decode_parameter", "report_value"]

LABEL_LENGTH: Final = 32
"""The room of a token's label in bytes (PKCS#11, CK_TOKEN_INFO)."""

_INPUTS: Final = (
    *LOGIN_KEYWORDS,
    "InitialLabel",
    "OperatorPinIsSOCredential",
    "SelectCriteriaIccsn",
    "CMSCardSerialNumber",
)
_NEEDED: Final = {
    "InitialPUK": ("InitToken", "SetPIN"),
    "PIN": ("SetPIN",),
    "SignPIN": ("SetPIN",),
    "SignPUK": ("SetPIN",),
    "SelectCriteriaIccsn": ("UseSelectCriteriaIccsn",),
}
"""Keywords whose values must not be empty, with the flags that need them."""


def decode_parameter(value: str | Secret) -> bytes:
    """Return the bytes that a profile parameter's Base64 text stands for.

    Raises:
        ValueError: It is no Base64.
    """
    text = b"".join((value.encode() if isinstance(value, str) else value.reveal()).split())

    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("no Base64") from None

    if len(text) % 4:  # Python's decoder lets surplus padding pass
        raise ValueError("no Base64")

    return decoded


@checked_by
def _mapped_fields(scope: Scope) -> None:
    for name in scope.job.mapping if scope.job is not None else ():
        if scope.description.field(name) is None:
            scope.diagnostics.warning(
                "unknown-mapped-field",
                f"the mapping names {name!r}, which is no field of this description",
                scope.description.source.start,
                remedy=closest(name, (field.name for field in scope.description.fields))
                or "add it to [Fields], or take it out of the mapping",
            )


@checked_by
def _inputs_are_there(scope: Scope) -> None:
    for name in _INPUTS:
        setting = scope.setting(name)

        if setting is None or not scope.uses(setting):
            continue

        value = _value(scope, setting, setting.value)

        needed = any(scope.flag(flag) for flag in _NEEDED.get(name, ()))

        if needed and value is not None and not len(value):
            scope.diagnostics.error(
                "empty-value", f"{name} is empty", setting.value_span, remedy="give its field a value"
            )


@checked_by
def _messaging_server(scope: Scope) -> None:
    setting = scope.description.encoding.get("MessagingServerField")

    if setting is not None and (name := _value(scope, setting, setting.value)) is not None and not len(name):
        scope.diagnostics.error(
            "empty-value",
            "MessagingServerField is empty",
            setting.value_span,
            remedy="name the messaging server, or leave the keyword out",
        )


@checked_by
def _parameters(scope: Scope) -> None:
    setting = scope.setting("ProfileParameters")

    if setting is None or not scope.uses(setting) or not isinstance(setting.value, FieldList):
        return

    for field in setting.value.fields:
        if (value := _value(scope, setting, field)) is None:
            continue

        try:
            decode_parameter(value)
        except ValueError:
            scope.diagnostics.error(
                "not-base64",
                f"the value of parameter {field.name} is no Base64",
                field.span,
                remedy="values of profile parameters are written in Base64",
            )


@checked_by
def _label(scope: Scope) -> None:
    setting = scope.setting("InitialLabel")

    if setting is None:
        return

    if isinstance(setting.value, Literal):
        label: str | Secret | None = setting.value.text
    else:
        label = _peek(scope, setting.value)

    if label is not None and len(label.encode() if isinstance(label, str) else label) > LABEL_LENGTH:
        scope.diagnostics.error(
            "label-too-long",
            f"a token's label has {LABEL_LENGTH} bytes at most",
            setting.value_span,
            remedy="shorten it; letters beyond ASCII take two bytes or more",
        )


@checked_by
def _so_credential(scope: Scope) -> None:
    setting = scope.setting("OperatorPinIsSOCredential")

    if scope.job is None or setting is None:
        return

    value = _peek(scope, setting.value)
    word = value.casefold() if isinstance(value, str) else None

    if value is not None and word not in {"true", "false", ""}:
        if not isinstance(setting.value, Literal):  # that is told without values
            scope.diagnostics.error(
                "bad-flag-value",
                "the value of OperatorPinIsSOCredential is neither true nor false",
                setting.value_span,
                expected="a plain field or variable whose value is true or false",
            )
    elif word == "true" and scope.flag("InitToken"):
        _operator_pin(scope, setting)


def _operator_pin(scope: Scope, flag: Setting) -> None:
    """Report an operator PIN that is to log in and is empty; one that can't be got is reported already."""
    setting = scope.setting("Operator_PIN")
    told = setting is None and isinstance(flag.value, Literal)

    if not told and (setting is None or _is_empty(scope, setting)):
        scope.diagnostics.error(
            "missing-operator-pin",
            "the operator PIN is to log in, and Operator_PIN has no value",
            flag.span,
            expected="Operator_PIN=FIELD",
        )


def _is_empty(scope: Scope, setting: Setting) -> bool:
    value = _peek(scope, setting.value)
    return value is not None and not len(value)


def _peek(scope: Scope, value: Value) -> str | Secret | None:
    """Return a value, or None if the job has none; that is reported elsewhere."""
    if scope.job is None:
        return None

    try:
        return scope.job.value(value)
    except MissingValueError:
        return None


def _value(scope: Scope, setting: Setting, value: Value | FieldRef) -> str | Secret | None:
    """Return a value, or None if the job has none, and report that."""
    if scope.job is None:
        return None

    try:
        return scope.job.value(value)
    except MissingValueError as error:
        report_value(scope, setting, value, error)
        return None


def report_value(scope: Scope, setting: Setting, value: Value | FieldRef, error: MissingValueError) -> None:
    """Report that a setting has no value, or none that can be used."""
    span, message = getattr(value, "span", setting.value_span), f"{setting.name}: {error}"

    if isinstance(error, UnusableValueError):
        scope.diagnostics.error("unusable-value", message, span, remedy=error.remedy)
    else:
        scope.diagnostics.error("missing-value", message, span, remedy=error.remedy)
