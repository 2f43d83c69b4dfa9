"""The table of keywords: where each stands, what it takes, and how well founded it is.

A keyword that is not in the table is a mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.values import ValueForm
from cardtwin.plan import SecretName
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "PIN_OUTPUTS",
    "Keyword",
    "Secrecy",
    "SectionKind",
    "find",
    "is_suspect",
    "keyword",
    "keywords",
    "secrecy",
]


class SectionKind(Enum):
    """Kinds of sections, as messages write them."""

    ENCODING = "[Encoding]"
    FIELDS = "[Fields]"
    DESCRIPTION = "[Description]"
    APPLICATION = "[Application_X]"


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword.

    Attributes:
        name: As the documentation spells it; case makes no difference.
        section: Where it stands.
        form: What it takes.
        source: The title of the public page that shows it.
        since: The first version that has it, where that is public.
        basis: Whether its meaning is stated.
        aliases: Other names of the same.
        secret: Whether a literal for it is a secret.
    """

    name: str
    section: SectionKind
    form: ValueForm
    source: str
    since: str = ""
    basis: Basis = Basis.STATED
    aliases: tuple[str, ...] = ()
    secret: bool = False


_table: dict[tuple[SectionKind, str], Keyword] = {}
_SUSPECT: Final = re.compile(r"pin|puk|passw|secret|managerkey", re.IGNORECASE)


def keyword(entry: Keyword) -> Keyword:
    """Enter a keyword in the table, under its name and its aliases.

    Raises:
        ValueError: A name is taken in that section.
    """
    names = [(entry.section, name.casefold()) for name in (entry.name, *entry.aliases)]

    for place in names:
        if place in _table:
            raise ValueError(f"{place[1]!r} stands in the table of {entry.section.value} already")

    _table.update(dict.fromkeys(names, entry))
    return entry


def find(section: SectionKind, name: str) -> Keyword | None:
    """Return the keyword of that name or alias, compared without regard to case."""
    return _table.get((section, name.casefold()))


def keywords(section: SectionKind | None = None) -> tuple[Keyword, ...]:
    """Return the keywords of a section, or all, in the order of entry."""
    return tuple(dict.fromkeys(entry for (kind, _), entry in _table.items() if section in {None, kind}))


class Secrecy(Enum):
    """Which values after a name are hidden from messages."""

    NONE = "none"
    LITERALS = "literals: what cannot be a field"
    ALL = "whatever is no declared field"


def secrecy(name: str) -> Secrecy:
    """Return what to hide after that name, which may be a misspelt keyword, or the wrong one for a PIN."""
    known = [entry for kind in SectionKind if (entry := find(kind, name))]

    if any(entry.secret for entry in known):
        return Secrecy.ALL

    if known:
        return Secrecy.LITERALS if is_suspect(name) else Secrecy.NONE

    return Secrecy.ALL if is_suspect(name) else Secrecy.LITERALS


def is_suspect(text: str) -> bool:
    """Whether a text speaks of PINs, PUKs or passwords."""
    return bool(_SUSPECT.search(text))


_STRUCTURE: Final = "Structure of an encoding description"
_PERSONAL: Final = "Encodings using Personal Desktop Client middleware"
_CREDENTIALS: Final = "Card initialization and credentials"
_UNBLOCK: Final = "Block and unblock card"
_READER: Final = "Reader, card selection and information"
_CERTIFICATES: Final = "Certificates and keys"
_OBJECTS: Final = "Write data objects to smart cards"
_SIGNATURE: Final = "Use signature slot"


def _enter(section: SectionKind, form: ValueForm, source: str, names: Iterable[str]) -> None:
    for name in names:
        keyword(Keyword(name, section, form, source))


def _secret(name: str, source: str, *, aliases: tuple[str, ...] = ()) -> Keyword:
    return keyword(
        Keyword(
            name,
            SectionKind.DESCRIPTION,
            ValueForm.VALUE,
            source,
            aliases=aliases,
            secret=True,
        )
    )


_enter(SectionKind.ENCODING, ValueForm.TEXT, _STRUCTURE, ("Type", "Devices", "Subtype"))
_enter(SectionKind.ENCODING, ValueForm.FLAG, _STRUCTURE, ("SkipEject",))
_enter(SectionKind.ENCODING, ValueForm.VALUE, _STRUCTURE, ("MessagingServerField",))

_enter(
    SectionKind.DESCRIPTION,
    ValueForm.TEXT,
    _PERSONAL,
    ("PKCS11LibraryWindows32", "PKCS11LibraryWindows64", "PKCS11Library", "ChipProfile"),
)
_enter(SectionKind.DESCRIPTION, ValueForm.TEXT, _STRUCTURE, ("MiniDriverLibrary",))
_enter(SectionKind.DESCRIPTION, ValueForm.FLAG, _PERSONAL, ("InitToken", "DeleteProfile"))
_enter(SectionKind.DESCRIPTION, ValueForm.FIELD_LIST, _PERSONAL, ("ProfileParameters",))
_enter(SectionKind.DESCRIPTION, ValueForm.VALUE, _PERSONAL, ("InitialLabel", "OperatorPinIsSOCredential"))
_secret("PIN", _CREDENTIALS)
_secret("InitialPUK", _CREDENTIALS)
_secret("PUK", _UNBLOCK)
_secret("Operator_PIN", _PERSONAL)
_secret("SignPIN", _PERSONAL, aliases=("PIN2",))
_secret("SignPUK", _SIGNATURE)
_enter(SectionKind.DESCRIPTION, ValueForm.FLAG, _CREDENTIALS, ("SetPIN",))
_enter(SectionKind.DESCRIPTION, ValueForm.FIELD_LIST, _CREDENTIALS, ("ClearFields",))
_enter(SectionKind.DESCRIPTION, ValueForm.VALUE, _PERSONAL, ("CMSCardSerialNumber",))

keyword(Keyword("ICCSN", SectionKind.DESCRIPTION, ValueForm.FIELD, _PERSONAL, aliases=("iccsnfield",)))
_enter(SectionKind.DESCRIPTION, ValueForm.FLAG, _PERSONAL, ("useChipSerialAsIccsn", "UseSelectCriteriaIccsn"))
_enter(SectionKind.DESCRIPTION, ValueForm.FLAG, _READER, ("UseICCSNwithATR",))
_enter(SectionKind.DESCRIPTION, ValueForm.VALUE, _READER, ("SelectCriteriaIccsn",))
_enter(SectionKind.DESCRIPTION, ValueForm.FLAG, _READER, ("RetrieveAllTokens",))
_enter(SectionKind.DESCRIPTION, ValueForm.FIELD, _READER, ("AllTokensIccsnsField",))
_enter(SectionKind.DESCRIPTION, ValueForm.FIELD, _PERSONAL, ("ApplicationListField",))
_enter(SectionKind.DESCRIPTION, ValueForm.TEXT, _SIGNATURE, ("ApplicationList",))

PIN_OUTPUTS: Final = {
    keyword(
        Keyword(f"CardPinDecryption_Output_{name}", SectionKind.DESCRIPTION, ValueForm.FIELD, _PERSONAL)
    ): name
    for name in SecretName
}
"""The keywords that name where decrypted PINs go, and the secret that each is for."""

_enter(
    SectionKind.APPLICATION,
    ValueForm.FLAG,
    _CERTIFICATES,
    ("KeyArchivalRequest", "WriteP12Data", "WriteCertificate", "WriteCertKeyList"),
)
_enter(SectionKind.APPLICATION, ValueForm.FLAG, _UNBLOCK, ("BlockCard",))
_enter(
    SectionKind.APPLICATION,
    ValueForm.FIELD,
    _CERTIFICATES,
    ("CardSerialNumberField", "Certificate", "CertKeyList", "CertKeyListReturnField"),
)
_enter(
    SectionKind.APPLICATION,
    ValueForm.TEXT,
    _CERTIFICATES,
    ("CertTempl", "CertKeyListMode", "KeySize"),
)
_enter(SectionKind.APPLICATION, ValueForm.CRITERIA, _CERTIFICATES, ("ObjectCriteria",))
_enter(SectionKind.APPLICATION, ValueForm.FIELD, _OBJECTS, ("DataObject",))
_enter(SectionKind.APPLICATION, ValueForm.LABEL, _OBJECTS, ("LabelExpressionDataObject",))
_enter(SectionKind.APPLICATION, ValueForm.ATTRIBUTES, _OBJECTS, ("AttributesDataObject",))
keyword(
    Keyword(
        "P12PASSWORD",
        SectionKind.APPLICATION,
        ValueForm.VALUE,
        _CERTIFICATES,
        secret=True,
    )
)
keyword(
    Keyword(
        "Location",
        SectionKind.APPLICATION,
        ValueForm.VALUE,
        _SIGNATURE,
        since="Identity Manager 22.10.2",
    )
)
