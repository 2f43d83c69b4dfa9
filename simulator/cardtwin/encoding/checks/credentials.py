"""Initialising and deleting: profile, parameters, PINs, and which of them logs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.encoding.checks.registry import Scope, checked_by
from cardtwin.encoding.values import FieldList, FieldRef, Literal
from cardtwin.source import closest

if TYPE_CHECKING:
    from cardtwin.encoding.description import Setting

__all__ = ["RESERVED_PARAMETERS"]

RESERVED_PARAMETERS: Final = ("SEC_PIN1", "SEC_PIN2", "SEC_PUK", "SEC_OP")
"""Variables of the profile that carry PINs; no parameter may take their names."""


@checked_by
def _profile(scope: Scope) -> None:
    setting = scope.setting("InitToken")

    if setting is None or not scope.flag("InitToken"):
        return

    profile = scope.setting("ChipProfile")

    if profile is None:
        scope.diagnostics.error(
            "missing-profile",
            "a token is to be initialised, and no card profile is named",
            setting.span,
            expected="ChipProfile=NAME.cpf",
        )
    elif scope.attachments is not None:
        name = scope.text(profile)

        if name.casefold() not in {attached.casefold() for attached in scope.attachments}:
            scope.diagnostics.error(
                "profile-not-attached",
                f"card profile {name!r} is not in the encoding description",
                profile.value_span,
                remedy=closest(name, scope.attachments) or f"add {name} to the description",
            )


@checked_by
def _profile_name(scope: Scope) -> None:
    setting = scope.setting("ChipProfile")

    if setting is not None and not scope.text(setting).casefold().endswith(".cpf"):
        scope.diagnostics.warning(
            "profile-name",
            f"{scope.text(setting)!r} is not called as card profiles are",
            setting.value_span,
            remedy="let its name end in .cpf",
        )


@checked_by
def _serial_login(scope: Scope) -> None:
    setting = scope.setting("CMSCardSerialNumber")

    if setting is not None and not any(scope.setting(name) for name in ("InitialPUK", "Operator_PIN")):
        scope.diagnostics.warning(
            "serial-without-login",
            "writing the card serial number usually takes the administrative login, and there is none",
            setting.span,
            remedy="add InitialPUK=FIELD, or Operator_PIN=FIELD with OperatorPinIsSOCredential=#true",
        )


@checked_by
def _other_serials(scope: Scope) -> None:
    setting = scope.setting("CMSCardSerialNumber")

    for application in scope.description.applications:
        other = application.settings.get("CardSerialNumberField")

        if setting is not None and other is not None and _name(other) != _name(setting):
            scope.diagnostics.warning(
                "another-serial",
                f"[Application_{application.name}] goes by another card serial number than the card gets",
                other.value_span,
                remedy="name the field of CMSCardSerialNumber: then card, certificates and token agree",
            )


def _name(setting: Setting) -> str:
    return setting.value.name if isinstance(setting.value, FieldRef) else ""


@checked_by
def _initial_puk(scope: Scope) -> None:
    setting = scope.setting("InitToken")

    if setting is not None and scope.flag("InitToken") and scope.setting("InitialPUK") is None:
        scope.diagnostics.error(
            "missing-initial-puk",
            "a token is to be initialised, and InitialPUK is missing",
            setting.span,
            expected="InitialPUK=FIELD",
        )


@checked_by
def _sign_puk(scope: Scope) -> None:
    setting = scope.setting("SignPUK")

    if setting is not None and scope.flag("InitToken"):
        scope.diagnostics.error(
            "initial-sign-puk",
            "the initial signature PUK cannot be set",
            setting.span,
            remedy="leave SignPUK out; the card profile makes the signature PUK",
        )


@checked_by
def _reserved_parameters(scope: Scope) -> None:
    setting = scope.setting("ProfileParameters")
    fields = setting.value.fields if setting is not None and isinstance(setting.value, FieldList) else ()
    seen: set[str] = set()

    for field in fields:
        if field.name.upper() in RESERVED_PARAMETERS:
            scope.diagnostics.error(
                "reserved-parameter",
                f"{field.name} is reserved: PINs do not reach the profile as parameters",
                field.span,
                remedy="use PIN, SignPIN, InitialPUK and Operator_PIN",
            )

        if field.name.casefold() in seen:
            scope.diagnostics.error(
                "duplicate-parameter",
                f"{field.name} is listed twice",
                field.span,
                remedy="list each parameter once",
            )

        seen.add(field.name.casefold())


@checked_by
def _so_credential(scope: Scope) -> None:
    setting = scope.setting("OperatorPinIsSOCredential")

    if setting is None or not isinstance(setting.value, Literal):
        return

    word = setting.value.text.casefold()

    if word not in {"true", "false"}:
        scope.diagnostics.error(
            "bad-flag-value",
            "the value of OperatorPinIsSOCredential is neither true nor false",
            setting.value_span,
            expected="#true, #false or a field with such a value",
        )
    elif word == "true" and scope.flag("InitToken") and scope.setting("Operator_PIN") is None:
        scope.diagnostics.error(
            "missing-operator-pin",
            "the operator PIN is to log in, and Operator_PIN is missing",
            setting.span,
            expected="Operator_PIN=FIELD",
        )


@checked_by
def _operator_pin_for_deleting(scope: Scope) -> None:
    setting = scope.setting("Operator_PIN")

    if setting is not None and scope.flag("DeleteProfile"):
        scope.diagnostics.warning(
            "operator-pin-not-used",
            "Identity Manager cannot log in with the operator PIN for deleting; Operator_PIN is not used",
            setting.span,
            remedy="leave it out; a card that needs it is erased by the middleware's own tools",
        )
