"""What kind of encoding it is, and whether its parts go together."""

from __future__ import annotations

from typing import Final

from cardtwin.encoding.checks.registry import USED_WITH, Scope, checked_by
from cardtwin.encoding.keywords import SectionKind, find
from cardtwin.encoding.values import ValueForm
from cardtwin.middleware import Version
from cardtwin.provenance.encoding import DEVICE_8710

__all__ = ["JPKI_ENCODER"]

JPKI_ENCODER: Final = "8710"
_DESKTOP_APP: Final = "8711"


@checked_by
def _type(scope: Scope) -> None:
    setting = scope.description.encoding.get("Type")

    if setting is None:
        scope.diagnostics.error(
            "missing-type",
            "[Encoding] has no Type",
            scope.description.encoding.span,
            expected="Type=1024,Chip",
        )
    elif not _is_for_chips(scope):
        scope.diagnostics.error(
            "not-supported",
            f"not supported yet: encodings of type {scope.text(setting)}",
            setting.value_span,
            expected="1024,Chip",
        )


def _is_for_chips(scope: Scope) -> bool:
    """Whether Type speaks of a chip; an encoding without Type is taken for one."""
    setting = scope.description.encoding.get("Type")
    kinds = [part.strip().casefold() for part in scope.text(setting).split(",")]
    return setting is None or "chip" in kinds


@checked_by
def _subtype(scope: Scope) -> None:
    setting = scope.description.encoding.get("Subtype")

    if setting is not None and _is_for_chips(scope):  # other types are refused as such
        scope.diagnostics.error(
            "subtype-of-chip",
            "Subtype takes the place of Devices where something else than a chip is encoded",
            setting.span,
            remedy=f"leave it out, and write Devices={_DESKTOP_APP}",
        )


@checked_by
def _devices(scope: Scope) -> None:
    setting = scope.description.encoding.get("Devices")

    if scope.description.encoding.get("Subtype") is not None:
        return  # one of the two is there, and told if it is the wrong one

    if setting is None:
        scope.diagnostics.error(
            "missing-devices",
            "[Encoding] has no Devices",
            scope.description.encoding.span,
            expected=f"Devices={_DESKTOP_APP}",
        )
    elif len(scope.devices) != 1:
        scope.diagnostics.error(
            "several-devices",
            "an encoding for chips has one device",
            setting.value_span,
            expected=f"Devices={_DESKTOP_APP}",
        )
    elif scope.devices[0] not in {JPKI_ENCODER, _DESKTOP_APP}:
        scope.diagnostics.warning(
            "unknown-device",
            f"device {scope.devices[0]} is not known",
            setting.value_span,
            remedy=f"{JPKI_ENCODER} is JPKIEncoder, {_DESKTOP_APP} is Smart ID Desktop App",
        )


@checked_by
def _decryption_on_jpki_encoder(scope: Scope) -> None:
    if not scope.pin_outputs or JPKI_ENCODER not in scope.devices:
        return

    setting = scope.description.encoding.get("Devices")
    assert setting is not None
    refuse = scope.switches[DEVICE_8710] == "refuse"
    report = scope.diagnostics.error if refuse else scope.diagnostics.warning
    report(
        "decryption-by-jpki-encoder",
        "JPKIEncoder does not read encrypted PINs",
        setting.value_span,
        remedy=f"write Devices={_DESKTOP_APP}, for Smart ID Desktop App",
    )


@checked_by
def _too_new(scope: Scope) -> None:
    """Report keywords that came with a later version of Identity Manager."""
    for setting in scope.description if scope.job is not None else ():
        product, _, version = setting.keyword.since.rpartition(" ")

        if version and scope.job is not None and scope.job.identity_manager < Version.of(version):
            scope.diagnostics.error(
                "keyword-too-new",
                f"{product} {scope.job.identity_manager} does not know {setting.name}",
                setting.span,
                remedy=f"leave it out; {setting.keyword.since} is the first that knows it",
            )


@checked_by
def _delete_with_others(scope: Scope) -> None:
    setting = scope.setting("DeleteProfile")

    if setting is None or not scope.flag("DeleteProfile"):
        return

    if scope.flag("InitToken"):
        scope.diagnostics.error(
            "delete-and-init",
            "a description deletes a profile or initialises a token, not both",
            setting.span,
            remedy="use two descriptions, one after the other",
        )

    others = [name for name in ("SetPIN", "CMSCardSerialNumber") if scope.says(name)]
    others += [f"[Application_{application.name}]" for application in scope.description.applications]

    if others:
        scope.diagnostics.error(
            "delete-with-others",
            f"{', '.join(others)}: nothing is left to do on a card whose profile is deleted",
            setting.span,
            remedy="use two descriptions, one after the other",
        )


@checked_by
def _all_tokens(scope: Scope) -> None:
    setting = scope.setting("RetrieveAllTokens")

    if setting is None or not scope.retrieves_all:
        return

    if scope.all_tokens_target is None:
        scope.diagnostics.error(
            "missing-output",
            "the ICCSNs of all cards are to be read, and AllTokensIccsnsField is missing",
            setting.span,
            expected="AllTokensIccsnsField=FIELD",
        )

    verbs = ("InitToken", "DeleteProfile", "SetPIN", "CMSCardSerialNumber", "ICCSN", "UseSelectCriteriaIccsn")
    skipped = [name for name in verbs if scope.says(name)]
    skipped += [setting.name for setting, _ in scope.pin_outputs]
    skipped += [f"[Application_{application.name}]" for application in scope.description.applications]

    if skipped:
        scope.diagnostics.warning(
            "skipped-parts",
            f"RetrieveAllTokens is a single operation; skipped are {', '.join(skipped)}",
            setting.span,
            remedy="use a description of its own for reading the ICCSNs of all cards",
        )


@checked_by
def _selection(scope: Scope) -> None:
    setting = scope.setting("UseSelectCriteriaIccsn")

    if setting is not None and scope.flag(setting.name) and scope.setting("SelectCriteriaIccsn") is None:
        scope.diagnostics.error(
            "missing-criterion",
            "a card is to be selected by ICCSN, and SelectCriteriaIccsn is missing",
            setting.span,
            expected="SelectCriteriaIccsn=FIELD",
        )


def _asked_for(name: str) -> str:
    entry = find(SectionKind.DESCRIPTION, name)
    return f"{name}=true" if entry is not None and entry.form is ValueForm.FLAG else name


@checked_by
def _unused(scope: Scope) -> None:
    for setting in scope.description.settings:
        told = setting.name == "Operator_PIN" and scope.flag("DeleteProfile")  # in words of its own

        if not scope.uses(setting) and not told:
            users = " or ".join(_asked_for(user) for user in USED_WITH[setting.name])
            scope.diagnostics.warning(
                "unused-keyword",
                f"{setting.name} is not used without {users}",
                setting.span,
                remedy=f"leave it out, or add {users}",
            )


@checked_by
def _without_effect(scope: Scope) -> None:
    setting = scope.description.encoding.get("MessagingServerField")

    if setting is not None and JPKI_ENCODER in scope.devices:
        scope.diagnostics.warning(
            "no-effect",
            "MessagingServerField has no effect: no messaging server leads to JPKIEncoder",
            setting.span,
            remedy=f"leave it out, or write Devices={_DESKTOP_APP}",
        )


@checked_by
def _nothing_to_do(scope: Scope) -> None:
    verbs = ("InitToken", "DeleteProfile", "SetPIN", "RetrieveAllTokens")
    does = any(scope.flag(verb) for verb in verbs) or scope.says("ICCSN") or scope.says("CMSCardSerialNumber")

    if not does and not scope.pin_outputs and not scope.description.applications:
        scope.diagnostics.warning(
            "nothing-to-do",
            "this description does nothing to a card",
            scope.description.settings.span,
            remedy="say what to do: InitToken, DeleteProfile, ICCSN or CardPinDecryption_Output_...",
        )
