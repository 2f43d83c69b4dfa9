"""What a token procedure has to be like before it can be signed. Each check is entered in a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from cardtwin.issuance.manager.model import (
    IssuerCertificates,
    KeyAction,
    NumberRange,
    Policy,
    StorageProfile,
    TokenProcedure,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["Problem", "problems"]

_Ranges: TypeAlias = "Mapping[str, NumberRange]"
_Check: TypeAlias = "Callable[[TokenProcedure, Policy, _Ranges], Iterator[Problem]]"
_checks: list[_Check] = []


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is missing in a procedure or doesn't fit: a stable code, and a sentence."""

    code: str
    message: str


def problems(procedure: TokenProcedure, policy: Policy, ranges: _Ranges) -> tuple[Problem, ...]:
    """Return all that keeps a procedure from being signed.

    Args:
        procedure: The procedure.
        policy: What it may refer to.
        ranges: The ranges of serial numbers in use, by the procedure that uses them.
    """
    return tuple(problem for check in _checks for problem in check(procedure, policy, ranges))


def _check(function: _Check) -> _Check:
    _checks.append(function)
    return function


def _is_attributes(procedure: TokenProcedure) -> bool:
    return procedure.storage_profile is StorageProfile.ATTRIBUTE_CERTIFICATE_FILE


@_check
def _mandatory(procedure: TokenProcedure, policy: Policy, _ranges: _Ranges) -> Iterator[Problem]:
    if not procedure.name:
        yield Problem("name-missing", "the procedure name is mandatory")

    if procedure.state is None:
        yield Problem("state-missing", "the state is Active or Closed")

    if procedure.domain not in policy.domains:
        yield Problem("unknown-domain", f"there is no domain {procedure.domain!r}")

    if procedure.storage_profile is None:
        yield Problem("storage-profile-missing", "a storage profile has to be selected")


@_check
def _serial_number(procedure: TokenProcedure, _policy: Policy, ranges: _Ranges) -> Iterator[Problem]:
    if procedure.storage_profile is not StorageProfile.SMART_CARD:
        if procedure.card_serial_number is not None or procedure.serial_range is not None:
            yield Problem("serial-number-unavailable", "only a smart card has a card serial number")

        return

    if procedure.card_serial_number is None:
        yield Problem("serial-number-missing", "card serial number: Yes or No is mandatory for a smart card")
    elif procedure.card_serial_number and procedure.serial_range is None:
        yield Problem("serial-range-missing", "with a card serial number the range From and To is mandatory")
    elif not procedure.card_serial_number and procedure.serial_range is not None:
        yield Problem("serial-range-unavailable", "a range is for procedures with a card serial number")
    elif procedure.serial_range is not None:
        yield from _range(procedure.name, procedure.serial_range, ranges)


def _range(name: str, numbers: NumberRange, ranges: _Ranges) -> Iterator[Problem]:
    if wrong := numbers.problem():
        yield Problem("serial-range", wrong)
        return

    for other, used in ranges.items():
        if other != name and numbers.overlaps(used):
            yield Problem("serial-range-in-use", f"numbers of {numbers} are in use in {used}, of {other!r}")


@_check
def _pins(procedure: TokenProcedure, policy: Policy, _ranges: _Ranges) -> Iterator[Problem]:
    if _is_attributes(procedure):
        if procedure.pin_procedure:
            yield Problem("pin-procedure-unavailable", "an attribute certificate file has no PIN")
    elif not procedure.pin_procedure:
        yield Problem("pin-procedure-missing", "a PIN procedure has to be chosen")
    elif procedure.pin_procedure not in policy.pin_procedures:
        yield Problem("unknown-pin-procedure", f"there is no PIN procedure {procedure.pin_procedure!r}")


@_check
def _keys(procedure: TokenProcedure, policy: Policy, _ranges: _Ranges) -> Iterator[Problem]:
    if _is_attributes(procedure) and procedure.key_procedures:
        yield Problem("key-procedures-unavailable", "an attribute certificate file has no keys")

    yield from _references("key", procedure.key_procedures, policy.key_procedures)


@_check
def _issuers(procedure: TokenProcedure, _policy: Policy, _ranges: _Ranges) -> Iterator[Problem]:
    if _is_attributes(procedure):
        if procedure.issuer_certificates is not None or procedure.recovered_cas is not None:
            yield Problem("issuer-certificates-unavailable", "an attribute certificate file has no issuers'")
    elif procedure.issuer_certificates is None:
        yield Problem("issuer-certificates-missing", "a policy for issuer certificates has to be selected")
    elif procedure.recovered_cas is not None and procedure.issuer_certificates is IssuerCertificates.NONE:
        message = "CAs for recovered certificates is only applicable where issuer certificates are stored"
        yield Problem("recovered-cas-unavailable", message)


@_check
def _attributes(procedure: TokenProcedure, policy: Policy, _ranges: _Ranges) -> Iterator[Problem]:
    if _is_attributes(procedure) and not procedure.attribute_procedures:
        yield Problem("attribute-procedures-missing", "an attribute certificate file needs such a procedure")

    yield from _references(
        "attribute certificate", procedure.attribute_procedures, policy.attribute_procedures
    )


@_check
def _certificates(procedure: TokenProcedure, policy: Policy, _ranges: _Ranges) -> Iterator[Problem]:
    if _is_attributes(procedure):
        if procedure.certificate_procedures:
            yield Problem("certificate-procedures-unavailable", "an attribute certificate file has no others")
    elif not procedure.certificate_procedures and not _only_reuse(procedure, policy):
        message = "certificate procedures are mandatory, unless all keys are recovered with their certificate"
        yield Problem("certificate-procedures-missing", message)

    yield from _references("certificate", procedure.certificate_procedures, policy.certificate_procedures)


def _only_reuse(procedure: TokenProcedure, policy: Policy) -> bool:
    """Whether only key recovery with reuse of the certificate is selected."""
    found = [policy.key_procedures.get(name) for name in procedure.key_procedures]
    return bool(found) and all(key and key.action is KeyAction.RECOVER and key.reuse for key in found)


@_check
def _view(procedure: TokenProcedure, policy: Policy, _ranges: _Ranges) -> Iterator[Problem]:
    if procedure.input_view and procedure.input_view not in policy.input_views:
        yield Problem("unknown-input-view", f"there is no input view {procedure.input_view!r}")


def _references(kind: str, names: tuple[str, ...], known: Iterable[str]) -> Iterator[Problem]:
    code: Final = kind.replace(" certificate", "")

    for name in dict.fromkeys(names):
        if name not in known:
            yield Problem(f"unknown-{code}-procedure", f"there is no {kind} procedure {name!r}")

        if names.count(name) > 1:
            yield Problem(f"{code}-procedure-twice", f"the {kind} procedure {name!r} is selected twice")
