"""What an encoding by a minidriver can do, and how its admin key is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.encoding.checks.registry import Scope, checked_by
from cardtwin.encoding.errors import MissingValueError
from cardtwin.encoding.minidriver import ADMIN_KEY_DIGITS, admin_key

if TYPE_CHECKING:
    from cardtwin.source import Span

__all__: list[str] = []

_NOT_BY_IT: Final = (
    "InitToken",
    "DeleteProfile",
    "CMSCardSerialNumber",
    "useChipSerialAsIccsn",
    "SignPIN",
    "SignPUK",
    "Operator_PIN",
)
"""Keywords of [Description] for what no minidriver does."""


@checked_by
def _limits(scope: Scope) -> None:
    if not scope.by_minidriver:
        return

    for name in _NOT_BY_IT:
        if (setting := scope.setting(name)) is not None and scope.says(name):
            _beyond(scope, name, setting.span)

    for setting, _ in scope.pin_outputs:
        _beyond(scope, setting.name, setting.span)

    for application in scope.description.applications:
        _beyond(scope, f"[Application_{application.name}]", application.settings.span)


def _beyond(scope: Scope, what: str, where: Span) -> None:
    scope.diagnostics.error(
        "minidriver-limits",
        f"{what} is not done by a minidriver, which reads numbers and sets PINs",
        where,
        remedy="name Personal Desktop Client's library by PKCS11LibraryWindows32, or leave it out",
    )


@checked_by
def _admin_keys(scope: Scope) -> None:
    for name in ("InitialPUK", "PUK") if scope.by_minidriver and scope.flag("SetPIN") else ():
        setting = scope.setting(name)

        if setting is None or scope.job is None:
            continue

        try:
            admin_key(scope.job.secret(setting.value))
        except MissingValueError:
            continue  # that is told already
        except ValueError as error:
            scope.diagnostics.error(
                "bad-admin-key",
                f"the value of {name} cannot be used: {error}",
                setting.value_span,
                expected=f"{ADMIN_KEY_DIGITS} hexadecimal digits",
            )
