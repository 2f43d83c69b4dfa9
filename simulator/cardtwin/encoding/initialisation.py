"""The first block: a token is made, or its profile deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.encoding.checks.values import decode_parameter
from cardtwin.encoding.errors import NoCardEraserError
from cardtwin.encoding.run import Block, Run, command
from cardtwin.encoding.values import FieldList, FieldRef
from cardtwin.events import because
from cardtwin.middleware import Login, UserType
from cardtwin.plan import SecretName
from cardtwin.provenance.encoding import SO_LOGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.encoding.description import Setting
    from cardtwin.source import SourceText

__all__ = ["SECRETS", "card_serial", "operator_pin_logs_in"]

SECRETS: Final = {
    "PIN": SecretName.PIN1,
    "SignPIN": SecretName.PIN2,
    "InitialPUK": SecretName.PUK,
    "Operator_PIN": SecretName.OP,
}
"""Which keyword reaches the profile as which secret (inferred, see ``encoding.secret-names``)."""


def operator_pin_logs_in(run: Run) -> bool:
    """Whether OperatorPinIsSOCredential names the operator PIN as the security officer's."""
    setting = run.scope.setting("OperatorPinIsSOCredential")
    return setting is not None and run.job.text(setting.value).casefold() == "true"


@command("InitToken", Block.INITIALISATION, lambda run: run.scope.flag("InitToken"))
def _init_token(run: Run) -> None:
    secrets = {name: secret for keyword, name in SECRETS.items() if (secret := run.given(keyword))}
    run.middleware.init_token(
        run.reader, _profile(run), parameters=_parameters(run), secrets=secrets, label=_label(run)
    )

    if run.switches[SO_LOGIN] == "after-init":
        _log_in_as_security_officer(run)


def _profile(run: Run) -> SourceText:
    profile = run.job.attachment(run.scope.text(run.scope.setting("ChipProfile")))
    assert profile is not None, "the checks refuse a profile that isn't there"
    return profile


def _parameters(run: Run) -> dict[str, bytes]:
    setting = run.scope.setting("ProfileParameters")

    if setting is None or not isinstance(setting.value, FieldList):
        return {}

    return {field.name: decode_parameter(run.job.value(field)) for field in setting.value.fields}


def _label(run: Run) -> str | None:
    setting = run.scope.setting("InitialLabel")
    return run.job.text(setting.value) or None if setting is not None else None


def _log_in_as_security_officer(run: Run) -> None:
    if run.middleware.token(run.reader).so_credential is None:
        return

    credential = run.given("Operator_PIN" if operator_pin_logs_in(run) else "InitialPUK")
    assert credential is not None, "the checks refuse a credential that isn't there"

    with because("login as security officer"):
        run.middleware.login(run.reader, UserType.SO, credential)


@command(
    "CMSCardSerialNumber",
    Block.INITIALISATION,
    lambda run: run.scope.setting("CMSCardSerialNumber") is not None,
)
def _write_serial(run: Run) -> None:
    if serial := card_serial(run):
        run.middleware.set_serial(run.reader, serial, _administrative_login(run))


def card_serial(run: Run) -> str:
    """Return the number that CMSCardSerialNumber gives; empty where it gives none.

    The authority is asked for one where an application goes by the same field.
    """
    setting = run.scope.setting("CMSCardSerialNumber")

    if setting is None:
        return ""

    if any(_same_field(setting, other) for other in _serial_fields(run)):
        return run.serial_of(setting)

    return run.job.text(setting.value).strip()


def _serial_fields(run: Run) -> Iterator[Setting]:
    for application in run.scope.description.applications:
        if (setting := application.settings.get("CardSerialNumberField")) is not None:
            yield setting


def _same_field(setting: Setting, other: Setting) -> bool:
    match setting.value, other.value:
        case FieldRef(name), FieldRef(also):
            return name == also
        case _:
            return False


def _administrative_login(run: Run) -> Login | None:
    """Return the security officer's login; None where token or encoding has no credential for it."""
    if run.middleware.token(run.reader).so_credential is None:
        return None

    credential = run.given("Operator_PIN" if operator_pin_logs_in(run) else "InitialPUK")
    return None if credential is None else Login(UserType.SO, credential)


@command("DeleteProfile", Block.INITIALISATION, lambda run: run.scope.flag("DeleteProfile"))
def _delete_profile(run: Run) -> None:
    eraser = run.middleware.card_eraser(run.reader)

    if eraser is None:
        raise NoCardEraserError('object "Card Eraser" not found')

    eraser.destroy(_highest_login(run))


def _highest_login(run: Run) -> Login | None:
    """Return the login with the PUK, else with the PIN; None asks for the anonymous deletion."""
    if puk := run.given("PUK") or run.given("InitialPUK"):
        return Login(UserType.SO, puk)

    pin = run.given("PIN")
    return Login(UserType.USER, pin) if pin else None
