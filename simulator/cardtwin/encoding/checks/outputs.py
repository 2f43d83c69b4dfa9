"""Decrypted PINs: what may stand beside them, and where they may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.encoding.checks.registry import LOGIN_KEYWORDS, Scope, checked_by
from cardtwin.encoding.keywords import PIN_OUTPUTS
from cardtwin.encoding.process import EncryptedField, PoolField
from cardtwin.encoding.values import FieldRef
from cardtwin.source import Note

if TYPE_CHECKING:
    from cardtwin.encoding.description import Setting
    from cardtwin.encoding.job import Job
    from cardtwin.encoding.process import FieldMapping

__all__: list[str] = []

_ENCRYPTED: Final = "an encrypted field"
_NOWHERE: Final = "a field that no data pool has"


@checked_by
def _no_application(scope: Scope) -> None:
    if not scope.pin_outputs:
        return

    for application in scope.description.applications:
        scope.diagnostics.error(
            "decryption-with-application",
            f"[Application_{application.name}] must not stand beside CardPinDecryption",
            application.settings.span,
            remedy="use a description of its own for reading encrypted PINs",
            notes=(Note("the decryption", scope.pin_outputs[0][0].span),),
        )


@checked_by
def _no_initialisation(scope: Scope) -> None:
    for verb in ("InitToken", "DeleteProfile", "SetPIN"):
        setting = scope.setting(verb)

        if setting is not None and scope.flag(verb) and scope.pin_outputs:
            scope.diagnostics.warning(
                "decryption-with-login",
                f"{verb} stands beside CardPinDecryption, which runs last",
                setting.span,
                remedy="use a description of its own for reading encrypted PINs",
            )


@checked_by
def _each_output_once(scope: Scope) -> None:
    for at, (setting, field) in enumerate(scope.outputs):
        for other, before in scope.outputs[:at]:
            if _same_place(scope, before, field):
                scope.diagnostics.error(
                    "output-twice",
                    f"{setting.name} goes where {other.name} goes",
                    field.span,
                    remedy="give each output a field and a target of its own",
                    notes=(Note("the first one", other.span),),
                )


@checked_by
def _no_login_with_output(scope: Scope) -> None:
    for keyword in LOGIN_KEYWORDS:
        login = scope.setting(keyword)

        if login is None or not isinstance(login.value, FieldRef):
            continue

        for output, field in scope.pin_outputs:
            if _same_place(scope, field, login.value):
                scope.diagnostics.error(
                    "decrypted-pin-as-credential",
                    f"{keyword} takes what {output.name} gives: a PIN that is read last cannot log in",
                    login.value_span,
                    remedy="read the PINs by one description, and use them in another",
                    notes=(Note("read here", output.span),),
                )


def _same_place(scope: Scope, field: FieldRef, other: FieldRef) -> bool:
    if field.name == other.name:
        return True

    if scope.job is None:
        return False

    left, right = scope.job.mapped(field.name), scope.job.mapped(other.name)
    return left is not None and right is not None and left.target == right.target


@checked_by
def _targets(scope: Scope) -> None:
    if scope.job is None:
        return

    for setting, field in scope.outputs:
        mapping = scope.job.mapped(field.name)

        if mapping is None or not mapping.read:
            scope.diagnostics.warning(
                "no-read-flag",
                f"{setting.name} gives no value: field {field.name!r} "
                + ("is mapped to nothing" if mapping is None else "has no Read flag"),
                setting.value_span,
                remedy="map it, with the Read flag",
            )

        if mapping is not None:
            _fitting(scope.job, scope, setting, mapping)


def _fitting(job: Job, scope: Scope, setting: Setting, mapping: FieldMapping) -> None:
    """Report a target that cannot take it: a PIN needs an encrypted field, a number any that exists."""
    place = _place(job, mapping)

    if setting.keyword in PIN_OUTPUTS:
        if place != _ENCRYPTED:
            scope.diagnostics.error(
                "decrypted-pin-in-plain-text",
                f"{setting.name} would put a PIN into {mapping.target}, {place}",
                setting.value_span,
                expected="an encrypted field of a data pool, as ${DataPool_Field}",
            )
    elif place == _NOWHERE:
        scope.diagnostics.error(
            "unknown-pool-field",
            f"{setting.name} would go into {mapping.target}, {place}",
            setting.value_span,
            remedy="map it to a field that a data pool has, or to a process variable",
        )


def _place(job: Job, mapping: FieldMapping) -> str:
    if not isinstance(mapping.target, PoolField):
        return "a process variable"

    match job.process.pools.get(mapping.target.name):
        case EncryptedField():
            return _ENCRYPTED
        case None:
            return _NOWHERE
        case _:
            return "a plain-text field"
