"""Encoding applications: which run, whether they say what they do, and whether their values are usable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import Cka
from cardtwin.encoding.applications.data import DATA_ATTRIBUTES
from cardtwin.encoding.applications.delivered import ANY_BUT_THE_FIRST
from cardtwin.encoding.applications.formats import decode, read_certificate, read_list, read_pkcs12
from cardtwin.encoding.applications.selection import chosen_applications
from cardtwin.encoding.checks.registry import Scope, checked_by
from cardtwin.encoding.checks.values import report_value
from cardtwin.encoding.errors import MissingValueError
from cardtwin.encoding.values import DialogAnswer, FieldRef, Label, Terms
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardtwin.encoding.description import Application, Setting

__all__: list[str] = []

_NEEDS: Final = {
    "KeyArchivalRequest": ("CertTempl", "Certificate", "P12PASSWORD"),
    "WriteP12Data": ("Certificate", "P12PASSWORD"),
    "WriteCertificate": ("Certificate",),
    "WriteCertKeyList": ("CertKeyList",),
}
"""What a flag needs beside it."""

_BELONGS_TO: Final = {
    "CertKeyList": ("WriteCertKeyList",),
    "CertKeyListMode": ("WriteCertKeyList",),
    "CertKeyListReturnField": ("WriteCertKeyList",),
    "P12PASSWORD": ("KeyArchivalRequest", "WriteP12Data"),
    "ObjectCriteria": ("CertTempl",),
    "KeySize": ("CertTempl",),
    "LabelExpressionDataObject": ("DataObject",),
    "AttributesDataObject": ("DataObject",),
}
"""Keywords that mean something only beside one of others."""

_CLASSES: Final = ("CKO_PUBLIC_KEY", "CKO_PRIVATE_KEY", "CKO_CERTIFICATE")
_SIZES: Final = frozenset(str(bits) for bits in range(1024, 4097, 8))
_WORK: Final = (
    "CertTempl",
    "KeyArchivalRequest",
    "WriteP12Data",
    "WriteCertificate",
    "WriteCertKeyList",
    "DataObject",
    "BlockCard",
)


@checked_by
def _list(scope: Scope) -> None:
    for name in ("ApplicationListField", "ApplicationList"):
        setting = scope.setting(name)

        if setting is None:
            continue

        if scope.job is None and name == "ApplicationListField":
            return

        try:
            chosen_applications(scope.description, scope.job)
        except MissingValueError as error:
            scope.diagnostics.error(
                "unknown-application", str(error), setting.value_span, remedy=error.remedy
            )

        return


@checked_by
def _both_lists(scope: Scope) -> None:
    both = scope.setting("ApplicationListField"), scope.setting("ApplicationList")

    if all(both) and both[1] is not None:
        scope.diagnostics.error(
            "two-lists",
            "ApplicationListField and ApplicationList both say which applications run",
            both[1].span,
            remedy="take one of them away",
        )


@checked_by
def _structure(scope: Scope) -> None:
    for application in scope.description.applications:
        _needs(scope, application)
        _belongs(scope, application)

        if not any(_says(application, name) for name in _WORK):
            scope.diagnostics.warning(
                "empty-application",
                f"[Application_{application.name}] does nothing",
                application.settings.span,
                remedy=f"say what it does: {', '.join(_WORK)}",
            )


def _says(application: Application, name: str) -> bool:
    setting = application.settings.get(name)
    return setting is not None and getattr(setting.value, "on", True)


def _needs(scope: Scope, application: Application) -> None:
    for flag, others in _NEEDS.items():
        setting = application.settings.get(flag)

        if setting is None or not _says(application, flag):
            continue

        for name in others:
            if application.settings.get(name) is None:
                scope.diagnostics.error(
                    "incomplete-application",
                    f"{flag} needs {name} beside it",
                    setting.span,
                    expected=f"{name}=... in [Application_{application.name}]",
                )


def _belongs(scope: Scope, application: Application) -> None:
    for setting in application.settings:
        users = _BELONGS_TO.get(setting.name, ())

        if users and not any(_says(application, name) for name in users):
            scope.diagnostics.warning(
                "unused-keyword",
                f"{setting.name} is not used without {' or '.join(users)}",
                setting.span,
                remedy=f"leave it out, or add {' or '.join(users)}",
            )


@checked_by
def _key_size(scope: Scope) -> None:
    for _, setting in _settings(scope, "KeySize"):
        text = scope.text(setting)

        if text not in _SIZES:
            scope.diagnostics.error(
                "bad-key-size",
                f"{text!r} is no size of an RSA key",
                setting.value_span,
                expected="the modulus in bits, such as 2048",
            )


@checked_by
def _mode(scope: Scope) -> None:
    for _, setting in _settings(scope, "CertKeyListMode"):
        if scope.text(setting).upper() != ANY_BUT_THE_FIRST:
            scope.diagnostics.error(
                "unknown-mode",
                f"{scope.text(setting)!r} is no mode that is known",
                setting.value_span,
                expected=ANY_BUT_THE_FIRST,
                remedy="leave it out where every pair has to be written",
            )


@checked_by
def _criteria(scope: Scope) -> None:
    for _, setting in _settings(scope, "ObjectCriteria"):
        if not isinstance(setting.value, Terms):
            continue

        if setting.value.subject not in _CLASSES:
            _wrong_criteria(scope, setting, f"{setting.value.subject!r} is no class of a key", _CLASSES)

        for each in setting.value.criteria:
            if each.attribute not in Cka.__members__:
                known = tuple(Cka.__members__)
                near = closest(each.attribute, known)
                _wrong_criteria(scope, setting, f"{each.attribute!r} is no attribute", ("CKA_LABEL",), near)

            if each.kind.casefold() != "string":
                _wrong_criteria(scope, setting, f"{each.kind!r} is no type that is known", ("string",))


def _wrong_criteria(
    scope: Scope, setting: Setting, message: str, known: tuple[str, ...], remedy: str = ""
) -> None:
    scope.diagnostics.error(
        "bad-criteria", message, setting.value_span, expected=", ".join(known), remedy=remedy
    )


@checked_by
def _attributes(scope: Scope) -> None:
    for _, setting in _settings(scope, "AttributesDataObject"):
        for each in setting.value.criteria if isinstance(setting.value, Terms) else ():
            read = DATA_ATTRIBUTES.get(each.attribute.upper())

            if read is None:
                scope.diagnostics.error(
                    "bad-attribute",
                    f"{each.attribute} is no attribute that a data object can be given",
                    setting.value_span,
                    expected=", ".join(DATA_ATTRIBUTES),
                    remedy=closest(each.attribute, DATA_ATTRIBUTES),
                )
                continue

            try:
                read(each.value)
            except ValueError as error:
                scope.diagnostics.error(
                    "bad-attribute",
                    f"{each.value!r} is no value of {each.attribute}",
                    setting.value_span,
                    expected=str(error),
                )


@checked_by
def _login(scope: Scope) -> None:
    chosen = scope.description.applications

    if not chosen or scope.retrieves_all or scope.setting("PIN") is not None:
        return

    if any(_says(each, name) for each in chosen for name in _WORK if name != "BlockCard"):
        scope.diagnostics.warning(
            "application-without-pin",
            "applications log in as user, and no PIN is named",
            chosen[0].settings.span,
            remedy="add PIN=FIELD, or PIN=!FROM_USER_DIALOG_1_FIELD, to [Description]",
        )


# Values of one job


@checked_by
def _values(scope: Scope) -> None:
    if scope.job is None:
        return

    try:
        chosen = chosen_applications(scope.description, scope.job)
    except MissingValueError:
        return  # that is told already

    for application in chosen:
        for setting in application.settings:
            if not _is_output(application, setting):
                _there(scope, setting)

        for name, flag, read in _READ:
            found = application.settings.get(name)

            if found is not None and (flag is None or application.settings.flag(flag)):
                _readable(scope, application, found, read)


def _is_output(application: Application, setting: Setting) -> bool:
    """Whether a field needs no value, because the encoding gives it one."""
    if setting.name == "Certificate":
        return not any(application.settings.flag(flag) for flag in ("WriteP12Data", "WriteCertificate"))

    return setting.name == "CertKeyListReturnField"


def _there(scope: Scope, setting: Setting) -> None:
    """Report fields that the job has no value for; what the encoding itself gives a field needs none."""
    assert scope.job is not None
    parts = setting.value.parts if isinstance(setting.value, Label) else (setting.value,)

    for value in parts:
        if not isinstance(value, FieldRef | DialogAnswer):
            continue

        try:
            scope.job.value(value)
        except MissingValueError as error:
            report_value(scope, setting, value, error)


def _certificate(_application: Application, _scope: Scope, text: str) -> object:
    return read_certificate(text)


def _pkcs12(application: Application, scope: Scope, text: str) -> object:
    """Read a PKCS#12 file; with KeyArchivalRequest an empty field gets one in the encoding."""
    password = application.settings.get("P12PASSWORD")

    if (
        password is None
        or scope.job is None
        or (not text and application.settings.flag("KeyArchivalRequest"))
    ):
        return None

    return read_pkcs12(text, scope.job.secret(password.value))


def _password(_application: Application, _scope: Scope, text: str) -> object:
    if not text:
        raise ValueError("an archived key is not sent without a password")

    return None


def _pairs(_application: Application, _scope: Scope, text: str) -> object:
    return read_list(text)


def _data(_application: Application, _scope: Scope, text: str) -> object:
    return decode(text)


_READ: Final[tuple[tuple[str, str | None, Callable[[Application, Scope, str], object]], ...]] = (
    ("Certificate", "WriteCertificate", _certificate),
    ("Certificate", "WriteP12Data", _pkcs12),
    ("P12PASSWORD", "KeyArchivalRequest", _password),
    ("CertKeyList", "WriteCertKeyList", _pairs),
    ("DataObject", None, _data),
)
"""Keywords whose values are read before the card is touched, with the flag that asks for them."""


def _readable(
    scope: Scope,
    application: Application,
    setting: Setting,
    read: Callable[[Application, Scope, str], object],
) -> None:
    assert scope.job is not None

    try:
        read(application, scope, scope.job.text(setting.value))
    except MissingValueError:
        return  # that is told already
    except ValueError as error:
        scope.diagnostics.error(
            "unusable-value",
            f"the value of {setting.name} cannot be used: {error}",
            setting.value_span,
            remedy="give it what the keyword takes: certificates, keys and data are written in Base64",
        )


def _settings(scope: Scope, name: str) -> Iterator[tuple[Application, Setting]]:
    for application in scope.description.applications:
        if (setting := application.settings.get(name)) is not None:
            yield application, setting
