"""Decrypted PINs: what may stand beside them, and where they may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.encoding.checks.registry import LOGIN_KEYWORDS, Scope, checked_by
from cardtwin.encoding.process import EncryptedField, PoolField
from cardtwin.encoding.values import FieldRef
from cardtwin.source import Note

if TYPE_CHECKING:
    from cardtwin.encoding.description import Setting
    from cardtwin.encoding.process import FieldMapping

__all__: list[str] = []


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
    first: dict[str, Setting] = {}

    for setting, field in scope.pin_outputs:
        if (other := first.get(field.name)) is not None:
            scope.diagnostics.error(
                "output-twice",
                f"field {field.name!r} takes two PINs",
                field.span,
                notes=(Note("the first one", other.span),),
            )

        first.setdefault(field.name, setting)


@checked_by
def _no_login_with_output(scope: Scope) -> None:
    outputs = {field.name: setting for setting, field in scope.pin_outputs}

    for keyword in LOGIN_KEYWORDS:
        login = scope.setting(keyword)

        if login is None or not isinstance(login.value, FieldRef):
            continue

        for name, output in outputs.items():
            if name == login.value.name or _same_target(scope, name, login.value.name):
                scope.diagnostics.error(
                    "decrypted-pin-as-credential",
                    f"{keyword} takes what {output.name} gives: a PIN that is read last cannot log in",
                    login.value_span,
                    remedy="read the PINs by one description, and use them in another",
                    notes=(Note("read here", output.span),),
                )


def _same_target(scope: Scope, name: str, other: str) -> bool:
    if scope.job is None:
        return False

    left, right = scope.job.mapped(name), scope.job.mapped(other)
    return left is not None and right is not None and left.target == right.target


@checked_by
def _targets(scope: Scope) -> None:
    if scope.job is None:
        return

    for setting, field in scope.pin_outputs:
        mapping = scope.job.mapped(field.name)

        if mapping is None or not mapping.read:
            scope.diagnostics.warning(
                "no-read-flag",
                f"{setting.name} gives no value: field {field.name!r} "
                + ("is mapped to nothing" if mapping is None else "has no Read flag"),
                setting.value_span,
                remedy="map it to an encrypted data-pool field, with the Read flag",
            )

        if mapping is not None:
            _encrypted(scope, setting, mapping)


def _encrypted(scope: Scope, setting: Setting, mapping: FieldMapping) -> None:
    if isinstance(mapping.target, PoolField):
        found = scope.job.process.pools.get(mapping.target.name) if scope.job else None

        if isinstance(found, EncryptedField):
            return

        what = "a plain-text field" if found is not None else "a field that no data pool has"
    else:
        what = "a process variable"

    scope.diagnostics.error(
        "decrypted-pin-in-plain-text",
        f"{setting.name} would put a PIN into {mapping.target}, {what}",
        setting.value_span,
        expected="an encrypted field of a data pool, as ${DataPool_Field}",
    )
