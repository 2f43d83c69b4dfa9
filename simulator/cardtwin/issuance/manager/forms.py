"""Reading a policy: an INI file with a section for everything that is set up in the workbench.

::

    [Domain /sales]
    [PIN letter German]
    Subject=Ihre Karte
    PIN1=Ihre PIN
    [PIN procedure Letter]
    PIN1=6 digits, letter 1
    PUK=8 digits, letter 2
    Letter=German
    [Certificate procedure Signature]
    Key usage=digitalSignature
    [Key procedure Archive]
    Action=archive
    [Token procedure Employee card]
    State=Active
    Storage profile=Smart Card

A token procedure's keys are the labels of the dialog. What is left out there isn't filled in: that is no
mistake of the file, but of who clicks OK.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cardtwin.issuance.manager.fields import (
    ValueRefusedError,
    bits,
    ca_name,
    choice,
    domain,
    flag,
    names,
    number,
    number_range,
    pin_rule,
    prefix,
    text,
    usages,
)
from cardtwin.issuance.manager.lettertext import OWN_FIELDS, fields_in
from cardtwin.issuance.manager.model import (
    DEFAULT_VIEW,
    ROOT_DOMAIN,
    AttributeProcedure,
    CertificateProcedure,
    InputView,
    IssuerCertificates,
    KeyAction,
    KeyProcedure,
    LetterLayout,
    PinProcedure,
    Policy,
    ProcedureState,
    StorageProfile,
    TokenProcedure,
)
from cardtwin.plan import SecretName
from cardtwin.source import Diagnostics, closest, parse_ini

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cardtwin.source import IniItem, IniSection, SourceText

__all__ = ["parse_policy"]

_Readers: TypeAlias = "Mapping[str, tuple[str, Callable[[str], object]]]"

_CERTIFICATE: Final[_Readers] = {
    "key usage": ("usage", usages),
    "issuing ca": ("issuer", ca_name),
    "days": ("days", number),
}
_KEY: Final[_Readers] = {
    "action": ("action", choice(KeyAction)),
    "reuse certificate": ("reuse", flag),
    "key usage": ("usage", usages),
    "bits": ("bits", bits),
}
_ATTRIBUTE: Final[_Readers] = {"role": ("role", text), "days": ("days", number)}
_VIEW: Final[_Readers] = {"fields": ("fields", names)}
_TOKEN: Final[_Readers] = {
    "state": ("state", choice(ProcedureState)),
    "domain": ("domain", domain),
    "visible in subdomain": ("visible_in_subdomain", flag),
    "storage profile": ("storage_profile", choice(StorageProfile)),
    "card serial number": ("card_serial_number", flag),
    "serial number range": ("serial_range", number_range),
    "pin procedure": ("pin_procedure", text),
    "key procedures": ("key_procedures", names),
    "issuer certificates": ("issuer_certificates", choice(IssuerCertificates)),
    "cas for recovered certificates": ("recovered_cas", flag),
    "attribute certificate procedures": ("attribute_procedures", names),
    "certificate procedures": ("certificate_procedures", names),
    "input view": ("input_view", text),
}
_PINS: Final[_Readers] = {
    **{name.casefold(): (name, pin_rule) for name in SecretName},
    "letter": ("layout", text),
}
_LETTER: Final[_Readers] = {
    **{name.casefold(): (name, text) for name in SecretName},
    "sender": ("sender", text),
    "addressee": ("addressee", text),
    "subject": ("subject", text),
    "text": ("text", text),
    "closing": ("closing", text),
    "serial number": ("serial", text),
    "footer": ("footer", text),
    "copy": ("copy", text),
    "prefix": ("prefix", prefix),
    "font": ("font", text),
}


def parse_policy(source: SourceText) -> Policy:
    """Read a policy.

    Raises:
        SourceError: A section or a key isn't known, stands there twice, or has a value that it doesn't take.
    """
    found = Diagnostics()
    sections: dict[str, dict[str, object]] = {kind: {} for kind in _KINDS}

    parsed = parse_ini(source, found).sections

    for section in parsed:
        _section(section, sections, found)

    policy = Policy(
        domains=frozenset(sections["domain"]) | {ROOT_DOMAIN},
        **{field: sections[kind] for kind, field in _FIELDS.items()},  # type: ignore[arg-type]  # made by kind
    )
    _check_letters(policy, parsed, found)
    found.raise_errors()
    return policy


def _check_letters(policy: Policy, sections: Iterable[IniSection], found: Diagnostics) -> None:
    """See that each layout that is named is there, and each field that stands in one."""
    places = {" ".join(section.name.split()).casefold(): section.span for section in sections}
    views = (DEFAULT_VIEW, *policy.input_views.values())
    fields = OWN_FIELDS.union(*(view.fields for view in views))

    for procedure in policy.pin_procedures.values():
        if procedure.layout and procedure.layout not in policy.letters:
            message = f"there is no [PIN letter {procedure.layout}]"
            remedy = closest(procedure.layout, policy.letters)
            place = places[f"pin procedure {procedure.name}".casefold()]
            found.error("unknown-pin-letter", message, place, remedy=remedy)

    for layout in policy.letters.values():
        for name in sorted(fields_in(layout) - fields):
            remedy = closest(name, fields) or f"there are: {', '.join(sorted(fields))}"
            place = places[f"pin letter {layout.name}".casefold()]
            found.error("unknown-field", f"no input view has the field {name!r}", place, remedy=remedy)


def _section(section: IniSection, sections: dict[str, dict[str, object]], found: Diagnostics) -> None:
    kind = next((kind for kind in _KINDS if re.match(rf"{kind}\b", section.name, re.IGNORECASE)), None)

    if kind is None:
        expected = ", ".join(f"[{kind.capitalize()} ...]" for kind in _KINDS)
        found.error("unknown-section", f"there is no [{section.name}]", section.span, expected=expected)
        return

    name = section.name[len(kind) :].strip()

    if name in sections[kind]:
        found.error("section-twice", f"there is a [{section.name}] already", section.span)
        return

    if not name and kind != "token procedure":
        found.error("name-missing", f"this {kind} has no name", section.span)
        return

    readers, make = _KINDS[kind]
    values = _values(section, readers, found)

    try:
        sections[kind][name] = make(name, values)
    except TypeError:
        missing = ", ".join(key for key, (field, _) in readers.items() if field not in values)
        found.error("key-missing", f"this {kind} isn't complete", section.span, expected=missing)
    except ValueRefusedError as error:
        found.error("bad-value", str(error), section.span)


def _values(section: IniSection, readers: _Readers, found: Diagnostics) -> dict[str, object]:
    values: dict[str, object] = {}

    for item in section.items:
        entry = readers.get(item.key.casefold())

        if entry is None:
            remedy = closest(item.key, readers) or f"there are: {', '.join(readers) or 'none'}"
            found.error("unknown-key", f"there is no {item.key!r} here", item.key_span, remedy=remedy)
        elif entry[0] in values:
            found.error("key-twice", f"{item.key} has a value already", item.key_span)
        elif item.value:
            _read(item, entry, values, found)

    return values


def _read(
    item: IniItem,
    entry: tuple[str, Callable[[str], object]],
    values: dict[str, object],
    found: Diagnostics,
) -> None:
    field, read = entry

    try:
        values[field] = read(item.value)
    except ValueRefusedError as error:
        found.error("bad-value", f"this is no value for {item.key}", item.value_span, expected=str(error))


def _domain(name: str, _values: Mapping[str, Any]) -> str:
    return domain(name)


def _pins(name: str, values: Mapping[str, Any]) -> PinProcedure:
    rules = tuple((SecretName(key), rule) for key, rule in values.items() if key != "layout")
    return PinProcedure(name, rules, values.get("layout", ""))


def _letter(name: str, values: Mapping[str, Any]) -> LetterLayout:
    labels = {SecretName(key): label for key, label in values.items() if key in set(SecretName)}
    return LetterLayout(name, labels=labels, **{k: v for k, v in values.items() if k not in labels})


def _token(name: str, values: Mapping[str, Any]) -> TokenProcedure:
    return replace(TokenProcedure(name), **values)


_KINDS: Final[Mapping[str, tuple[_Readers, Callable[[str, Mapping[str, Any]], object]]]] = {
    "domain": ({}, _domain),
    "pin letter": (_LETTER, _letter),
    "pin procedure": (_PINS, _pins),
    "certificate procedure": (_CERTIFICATE, lambda name, values: CertificateProcedure(name, **values)),
    "key procedure": (_KEY, lambda name, values: KeyProcedure(name, **values)),
    "attribute certificate procedure": (_ATTRIBUTE, lambda name, values: AttributeProcedure(name, **values)),
    "input view": (_VIEW, lambda name, values: InputView(name, **values)),
    "token procedure": (_TOKEN, _token),
}
"""The kinds of sections: their keys, and what makes the value of one."""

_FIELDS: Final = {
    "pin letter": "letters",
    "pin procedure": "pin_procedures",
    "certificate procedure": "certificate_procedures",
    "key procedure": "key_procedures",
    "attribute certificate procedure": "attribute_procedures",
    "input view": "input_views",
    "token procedure": "token_procedures",
}
