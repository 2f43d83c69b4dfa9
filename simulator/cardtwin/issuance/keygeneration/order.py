"""What is ordered: a batch of cards from one profile, and what each card of it gets."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.x509 import SubjectKeyIdentifier

from cardtwin.entropy import SeededEntropy, SystemEntropy
from cardtwin.issuance.keygeneration.errors import OrderRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.entropy import Entropy
    from cardtwin.issuance.manager import NumberRange
    from cardtwin.issuance.pinform import PinForm
    from cardtwin.plan import SecretName
    from cardtwin.source import SourceText

__all__ = ["Assignment", "BatchOrder"]

FORMAT: Final = "cardtwin batch"
VERSION: Final = 1
MOST_CARDS: Final = 1_000_000
_LONGEST_LABEL: Final = 32
_PLACE: Final = re.compile(r"\{(\w*)\}")
_SCRYPT: Final = {"n": 1 << 14, "r": 8, "p": 1, "dklen": 16}


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one card gets.

    Attributes:
        index: Its place in the batch, from 0.
        serial: The chip's serial number.
        number: The number by which the card goes, where it isn't the chip's.
        label: The token's label; None leaves it to the profile.
    """

    index: int
    serial: bytes
    number: str | None
    label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOrder:
    """A batch.

    Attributes:
        model: The card model.
        profile: The card profile.
        certificate: The PIN encryption certificate, in DER.
        count: How many cards.
        first_serial: The serial number of the first card's chip; each card has the next one.
        numbers: Numbers by which the cards go, lowest first; None takes their chips'.
        label: The tokens' label, in which ``{index}``, ``{serial}`` and ``{number}`` stand for the card's;
            None leaves it to the profile.
        pins: What PINs are made like that the profile leaves open.
        parameters: Values of the profile's variables.
        seed: What all randomness comes from, for the same batch again; None takes the system's.
        fresh_keys: Whether RSA keys are new ones also where there is a seed, and none of a public pool.
        public_keys: Whether the list has the public keys themselves, too.
        switches: Values of switches by rule.
    """

    model: str
    profile: SourceText
    certificate: bytes = field(repr=False)
    count: int
    first_serial: bytes
    numbers: NumberRange | None = None
    label: str | None = None
    pins: Mapping[SecretName, PinForm] = field(default_factory=dict)
    parameters: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    seed: str | None = field(default=None, repr=False)
    fresh_keys: bool = False
    public_keys: bool = False
    switches: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """See that there can be such a batch, as far as that shows without a card.

        Raises:
            OrderRefusedError: There can't be.
        """
        if not 1 <= self.count <= MOST_CARDS:
            raise OrderRefusedError(f"a batch has 1 to {MOST_CARDS} cards, not {self.count}")

        if self.fresh_keys and self.seed is None:
            raise OrderRefusedError("fresh keys: without a seed all keys are new anyway, leave it out")

        self._check_numbers()
        self._check_label()

    def _check_numbers(self) -> None:
        if int.from_bytes(self.first_serial) + self.count > 1 << 8 * len(self.first_serial):
            raise OrderRefusedError(
                f"from {self.first_serial.hex().upper()} on there are no {self.count} serial numbers of "
                f"{len(self.first_serial)} bytes"
            )

        if self.numbers is not None:
            if wrong := self.numbers.problem():
                raise OrderRefusedError(f"the numbers {self.numbers}: {wrong}")

            if (size := int(self.numbers.last) - int(self.numbers.first) + 1) < self.count:
                raise OrderRefusedError(
                    f"there are {size} numbers in {self.numbers}, too few for {self.count} cards"
                )

    def _check_label(self) -> None:
        unknown = set(_PLACE.findall(self.label or "")) - {"index", "serial", "number"}

        if unknown:
            raise OrderRefusedError(
                f"the label can have {{index}}, {{serial}} and {{number}}, not {{{min(unknown)}}}"
            )

        # Every card's number has equally many characters, so one label stands for all.
        if (length := len((self.assignment(0).label or "").encode())) > _LONGEST_LABEL:
            raise OrderRefusedError(f"the labels have {length} bytes, a token's has {_LONGEST_LABEL} at most")

    def assignment(self, index: int) -> Assignment:
        """Return what the card at that place gets, from 0."""
        serial = (int.from_bytes(self.first_serial) + index).to_bytes(len(self.first_serial))
        number = None

        if self.numbers is not None:
            number = str(int(self.numbers.first) + index).zfill(self.numbers.digits)

        places = {
            "index": str(index + 1).zfill(len(str(self.count))),
            "serial": serial.hex().upper(),
            "number": number or serial.hex().upper(),
        }
        label = None if self.label is None else _PLACE.sub(lambda place: places[place[1]], self.label)
        return Assignment(index, serial, number, label)

    def entropy(self, assignment: Assignment, purpose: str) -> Entropy:
        """Return the randomness for a purpose on a card: it depends on nothing but seed, card and purpose."""
        if self.seed is None:
            return SystemEntropy()

        return SeededEntropy(self.seed, f"key generation: {assignment.serial.hex()}: {purpose}")

    def identity(self, salt: bytes | None = None) -> dict[str, Any]:
        """Return what tells the batch from others, as a value for JSON; it has no secret.

        The seed, from which all PINs follow, and the parameters' values together, which may be secrets, stand
        there by scrypt (RFC 7914), which is slow for who tries many.

        Args:
            salt: The salt for scrypt; None makes one of what is no secret.
        """
        certificate = x509.load_der_x509_certificate(self.certificate)
        identity: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "model": self.model,
            "profile": hashlib.sha256(self.profile.text.encode()).hexdigest(),
            "certificate": hashlib.sha256(self.certificate).hexdigest(),
            "key id": SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest.hex(),
            "count": self.count,
            "first serial": self.first_serial.hex().upper(),
            "numbers": None if self.numbers is None else str(self.numbers),
            "label": self.label,
            "pins": {
                name.value: f"{form.shortest}-{form.longest} of {form.alphabet}"
                for name, form in sorted(self.pins.items())
            },
            "keys": "pool" if self.seed is not None and not self.fresh_keys else "fresh",
            "public keys": self.public_keys,
            "switches": dict(sorted(self.switches.items())),
        }
        salt = salt or hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).digest()
        names = sorted(self.parameters)
        values = json.dumps([self.parameters[name].hex() for name in names])
        return {
            **identity,
            "salt": salt.hex(),
            "seed": None if self.seed is None else _slow(self.seed, salt),
            "parameters": {"names": names, "values": _slow(values, salt)} if names else None,
        }


def _slow(secret: str, salt: bytes) -> str:
    """Return what stands for something that could be found by trying, if its checksum was known."""
    return hashlib.scrypt(secret.encode(), salt=salt, **_SCRYPT).hex()
