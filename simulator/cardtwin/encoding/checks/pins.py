"""SetPIN and the credentials beside it: do they say one thing, and can it be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.encoding.checks.registry import Scope, checked_by
from cardtwin.encoding.job import CURRENT_AND_NEW
from cardtwin.encoding.values import DialogAnswer
from cardtwin.middleware import Version

if TYPE_CHECKING:
    from cardtwin.encoding.description import Setting

__all__: list[str] = []

_LOG_IN: Final = 1
_FIRST_WITH_PUK: Final = Version.of("21.04.3")
_PINS: Final = (("PIN", "InitialPUK"), ("SignPIN", "SignPUK"))


@checked_by
def _says_something(scope: Scope) -> None:
    setting = scope.setting("SetPIN")

    if setting is None or not scope.flag("SetPIN"):
        return

    if not any(scope.setting(name) for name in ("PIN", "SignPIN", "PUK")):
        scope.diagnostics.error(
            "set-pin-without-pin",
            "a PIN is to be set, and none is named",
            setting.span,
            expected="PIN=FIELD, SignPIN=FIELD or PUK=FIELD",
        )


@checked_by
def _by_what(scope: Scope) -> None:
    if not scope.flag("SetPIN"):
        return

    for keyword, puk in _PINS:
        if (pin := scope.setting(keyword)) is not None:
            _meaning(scope, pin, puk)

    if (new := scope.setting("PUK")) is not None and scope.setting("InitialPUK") is None:
        _missing(scope, new, "InitialPUK", "the PUK is changed by the one that the card has")


def _meaning(scope: Scope, pin: Setting, puk: str) -> None:
    dialog = pin.value.number if isinstance(pin.value, DialogAnswer) else None
    changes = dialog == CURRENT_AND_NEW

    if scope.flag("InitToken"):
        if changes:
            _report(
                scope,
                pin,
                "change-of-new-token",
                f"dialog {CURRENT_AND_NEW} asks for the current PIN, and a token that is made has none",
                "use dialog 2, or a field",
            )
    elif dialog == _LOG_IN:
        _report(
            scope,
            pin,
            "dialog-for-login",
            f"dialog {_LOG_IN} asks for the PIN that the card has, and not for a new one",
            f"use dialog 2 beside {puk}, or dialog {CURRENT_AND_NEW} alone",
        )
    elif changes and _sets(scope, puk):
        _both(scope, pin, puk)
    elif not changes and scope.setting(puk) is None:
        _missing(
            scope,
            pin,
            puk,
            f"{pin.name} is set by the PUK; {pin.name}=!FROM_USER_DIALOG_{CURRENT_AND_NEW}_FIELD changes it",
        )


def _sets(scope: Scope, puk: str) -> bool:
    """Whether a PUK is there to set the PIN, and not to be changed itself."""
    changed = puk == "InitialPUK" and scope.setting("PUK") is not None
    return scope.setting(puk) is not None and not changed


def _both(scope: Scope, pin: Setting, puk: str) -> None:
    _report(
        scope,
        pin,
        "change-and-unblock",
        f"dialog {CURRENT_AND_NEW} changes {pin.name}, {puk} sets it: that is one too many",
        f"leave {puk} out, or use dialog 2",
    )


def _missing(scope: Scope, setting: Setting, puk: str, why: str) -> None:
    scope.diagnostics.error(
        f"missing-{'initial' if puk == 'InitialPUK' else 'sign'}-puk",
        f"{puk} is missing: {why}",
        setting.span,
        expected=f"{puk}=FIELD",
    )


def _report(scope: Scope, setting: Setting, code: str, message: str, remedy: str) -> None:
    scope.diagnostics.error(code, message, setting.value_span, remedy=remedy)


@checked_by
def _puk_change(scope: Scope) -> None:
    new = scope.setting("PUK")

    if scope.job is None or new is None or not scope.flag("SetPIN") or scope.by_minidriver:
        return

    if scope.job.identity_manager < _FIRST_WITH_PUK:
        scope.diagnostics.error(
            "puk-change-blocked",
            f"Identity Manager {scope.job.identity_manager} does not change the PUK with this client",
            new.span,
            remedy=f"leave PUK out; Identity Manager {_FIRST_WITH_PUK} is the first that does",
        )
