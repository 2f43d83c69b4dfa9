"""A token procedure and what it names, as values: what the forms of the Administrator's workbench hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cardtwin.issuance.authority import ISSUING_CA, KeyUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.plan import SecretName

__all__ = [
    "DEFAULT_LETTER",
    "DEFAULT_VIEW",
    "ROOT_DOMAIN",
    "AttributeProcedure",
    "CertificateProcedure",
    "Distribution",
    "InputView",
    "IssuerCertificates",
    "KeyAction",
    "KeyProcedure",
    "LetterLayout",
    "NumberRange",
    "PinProcedure",
    "PinRule",
    "Policy",
    "ProcedureState",
    "Role",
    "StorageProfile",
    "TokenProcedure",
]

ROOT_DOMAIN: Final = "/"
"""The domain above all others; ``/sales/north`` is a subdomain of ``/sales``, and that one of ``/``."""


class Role(StrEnum):
    """The roles of officers that count here."""

    USE_AWB = "Use AWB"
    POLICY_TASKS = "Policy tasks"
    MANAGE_PIN_LETTERS = "Manage PIN letters"


class ProcedureState(StrEnum):
    """Whether a token procedure can be used."""

    ACTIVE = "Active"
    CLOSED = "Closed"


class StorageProfile(StrEnum):
    """Where a token is stored. The name of the third isn't public, and ours."""

    SMART_CARD = "Smart Card"
    ATTRIBUTE_CERTIFICATE_FILE = "Attribute Certificate file"
    PKCS12_FILE = "PKCS #12 file"


class IssuerCertificates(StrEnum):
    """Which certificates of CAs go onto a token."""

    ALL = "Store all"
    NONE = "Do not store any"
    ROOT = "Store the root"
    ISSUING = "Store the issuing CA"


class KeyAction(StrEnum):
    """What a key procedure does."""

    ARCHIVE = "archive"
    RECOVER = "recover"


class Distribution(StrEnum):
    """How a secret gets to who needs it."""

    LETTER = "letter"
    STORED = "stored"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class NumberRange:
    """A range of serial numbers of equally many digits, both ends in it."""

    first: str
    last: str

    @property
    def digits(self) -> int:
        """How many digits each number has."""
        return len(self.first)

    def problem(self) -> str:
        """Return why this is no range; nothing if it is one."""
        if not (self.first.isdecimal() and self.last.isdecimal() and (self.first + self.last).isascii()):
            return "From and To are digits"

        if not len(self.first) == len(self.last) <= 18:
            return "From and To have equally many digits, 18 at most"

        return "From is more than To" if self.first > self.last else ""

    def overlaps(self, other: NumberRange) -> bool:
        """Whether a number is in both; numbers of another length are other numbers."""
        return self.digits == other.digits and self.first <= other.last and other.first <= self.last

    def __contains__(self, serial: str) -> bool:
        return len(serial) == self.digits and serial.isdecimal() and self.first <= serial <= self.last

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class PinRule:
    """What one secret of a card is like.

    Attributes:
        shortest: The least number of characters.
        longest: The most; what Certificate Manager makes has so many.
        alphabet: The characters that may be in it.
        distribution: Who gets it: the holder by a letter, nobody (it is stored), or the holder chooses it.
        letter: The letter that it stands in, from 1 on.
    """

    shortest: int
    longest: int
    alphabet: str = field(repr=False)
    distribution: Distribution
    letter: int = 1


@dataclass(frozen=True, slots=True)
class LetterLayout:
    """What stands in PIN letters besides the secrets.

    ``${Common name}`` stands for a field of the input view; ``|`` begins a new line, and a line that is empty
    then is left out.

    Attributes:
        name: Its name.
        sender: Who writes.
        addressee: To whom.
        subject: The line above the text.
        text: The text above the secrets.
        closing: The text below them.
        serial: What the card's serial number is called.
        footer: The line at the foot: ID, number of the letter, and how many there are.
        copy: What is added to that in each further copy.
        prefix: What the IDs of letters begin with.
        font: A font that every PDF reader has, or the name of a TrueType or OpenType file.
        labels: What the secrets are called; one that isn't here has its own name.
    """

    name: str
    sender: str = ""
    addressee: str = "${Common name}|${Organisation}"
    subject: str = "Your card"
    text: str = "These are the secrets of your card. Keep this letter where nobody else finds it."
    closing: str = ""
    serial: str = "Card serial number"
    footer: str = "Letter ${Letter}, ${Number} of ${Of}"
    copy: str = "copy ${Copy}"
    prefix: str = "PL-"
    font: str = "Helvetica"
    labels: Mapping[SecretName, str] = field(default_factory=dict)

    def templates(self) -> tuple[str, ...]:
        """Return all texts in which fields may stand."""
        return (self.sender, self.addressee, self.subject, self.text, self.closing, self.footer, self.copy)


DEFAULT_LETTER: Final = LetterLayout("default")
"""The layout of PIN procedures that name none."""


@dataclass(frozen=True, slots=True)
class PinProcedure:
    """The secrets of a token, in their order, and the layout of the letters in which they are told."""

    name: str
    rules: tuple[tuple[SecretName, PinRule], ...]
    layout: str = ""


@dataclass(frozen=True, slots=True)
class CertificateProcedure:
    """What certificates are like.

    Attributes:
        name: Its name.
        usage: The key usage that is set; empty where none is.
        issuer: The CA that issues them.
        days: How long they are valid.
    """

    name: str
    usage: frozenset[KeyUsage] = frozenset()
    issuer: str = ISSUING_CA
    days: int = 365


@dataclass(frozen=True, slots=True)
class KeyProcedure:
    """What is done with keys that are archived.

    Attributes:
        name: Its name.
        action: A new key is made and archived, or archived ones are recovered.
        reuse: Whether a recovered key keeps its certificate, or gets a new one.
        usage: The key usage of the keys that it is about.
        bits: The length of a new key's modulus.
    """

    name: str
    action: KeyAction
    reuse: bool = False
    usage: frozenset[KeyUsage] = frozenset({KeyUsage.KEY_ENCIPHERMENT})
    bits: int = 2048


@dataclass(frozen=True, slots=True)
class AttributeProcedure:
    """What attribute certificates are like (RFC 5755): a role, and how long it is held."""

    name: str
    role: str
    days: int = 365


@dataclass(frozen=True, slots=True)
class InputView:
    """The fields that the registration authority shows for a token procedure."""

    name: str
    fields: tuple[str, ...]


DEFAULT_VIEW: Final = InputView("default", ("Common name", "E-mail", "Serial number", "Organisation"))
"""The view of a token procedure that names none."""


@dataclass(frozen=True, slots=True)
class TokenProcedure:
    """The form "Create Token Procedure Request". What isn't filled in is empty or None."""

    name: str = ""
    state: ProcedureState | None = None
    domain: str = ROOT_DOMAIN
    visible_in_subdomain: bool = False
    storage_profile: StorageProfile | None = None
    card_serial_number: bool | None = None
    serial_range: NumberRange | None = None
    pin_procedure: str = ""
    key_procedures: tuple[str, ...] = ()
    issuer_certificates: IssuerCertificates | None = None
    recovered_cas: bool | None = None
    attribute_procedures: tuple[str, ...] = ()
    certificate_procedures: tuple[str, ...] = ()
    input_view: str = ""

    def visible_in(self, domain: str) -> bool:
        """Whether it can be used for a user of a domain."""
        below = self.domain if self.domain.endswith("/") else f"{self.domain}/"
        return domain == self.domain or (self.visible_in_subdomain and domain.startswith(below))


@dataclass(frozen=True, slots=True)
class Policy:
    """What token procedures refer to, each by its name, and the forms that were filled in."""

    domains: frozenset[str] = frozenset({ROOT_DOMAIN})
    pin_procedures: Mapping[str, PinProcedure] = field(default_factory=dict)
    letters: Mapping[str, LetterLayout] = field(default_factory=dict)
    key_procedures: Mapping[str, KeyProcedure] = field(default_factory=dict)
    certificate_procedures: Mapping[str, CertificateProcedure] = field(default_factory=dict)
    attribute_procedures: Mapping[str, AttributeProcedure] = field(default_factory=dict)
    input_views: Mapping[str, InputView] = field(default_factory=dict)
    token_procedures: Mapping[str, TokenProcedure] = field(default_factory=dict)
