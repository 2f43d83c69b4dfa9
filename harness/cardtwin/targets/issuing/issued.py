"""What issued cards have in common: files, PINs and keys as parts of a memory, and who certifies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.card.crypto import Curve, EcPrivateKey
from cardtwin.card.memory import Df, Ef, FileKind, SecurityObject
from cardtwin.card.memory.access import ALWAYS, NEVER, complete
from cardtwin.card.memory.objects import PIN
from cardtwin.targets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    from cardtwin.card.memory import CardImage
    from cardtwin.entropy import Entropy

__all__ = ["Authority", "IssuedCard", "directory", "elementary", "key_object", "pin_object", "stored_pins"]

_FROM: Final = datetime(2025, 1, 1, tzinfo=UTC)
_UNTIL: Final = datetime(2045, 1, 1, tzinfo=UTC)
_UNLIMITED: Final = 0xFF
_FILLING: Final = b"\xff"
_PRIVATE: Final = 0x02


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A finished card.

    Attributes:
        image: Its memory.
        pins: The PINs and PUKs by name, as a holder types them.
        certificates: The certificates on it by label, and that of who made them as ``issuer``; all in DER.
    """

    image: CardImage
    pins: Mapping[str, str] = field(repr=False)
    certificates: Mapping[str, bytes]


class Authority:
    """Who certifies the keys of a card: a key on P-384, and a name.

    Signatures and serial numbers follow from the entropy.
    """

    def __init__(self, name: str, entropy: Entropy) -> None:
        self._entropy = entropy
        self._key = EcPrivateKey.generate(entropy, Curve.P384).to_cryptography()
        self._name = _named({x509.NameOID.COMMON_NAME: name})
        constraint = x509.BasicConstraints(ca=True, path_length=0)
        self.certificate: Final = self._signed(self._name, self._key.public_key(), constraint)
        """Its own certificate, in DER."""

    def certify(
        self,
        subject: Mapping[x509.ObjectIdentifier, str],
        key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        usage: x509.KeyUsage,
    ) -> bytes:
        """Return a certificate in DER."""
        return self._signed(_named(subject), key, usage)

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        extension: x509.ExtensionType,
    ) -> bytes:
        number = int.from_bytes(self._entropy.bytes(16)) >> 1 | 1
        builder = x509.CertificateBuilder(self._name, subject, key, number, _FROM, _UNTIL)
        algorithm = SHA384()
        signed = builder.add_extension(extension, critical=True).sign(
            self._key, algorithm, ecdsa_deterministic=True
        )
        return signed.public_bytes(Encoding.DER)


def _named(parts: Mapping[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts.items()])


def elementary(content: bytes, *, read: int = ALWAYS, update: int = NEVER, room: int = 0) -> Ef:
    """Return a transparent EF.

    Args:
        content: What is in it.
        read: The condition of reading it.
        update: The condition of writing to it and of deleting it.
        room: Bytes 00 behind the content.
    """
    content += bytes(room)
    access = bytes((read, update, update, NEVER, NEVER, update, NEVER, NEVER, NEVER))
    return Ef(FileKind.TRANSPARENT, len(content), access, bytes((FileKind.TRANSPARENT,)), content)


def directory(name: bytes = b"", *, create: int = NEVER, mf: bool = False) -> Df:
    """Return a DF, or the MF, with an AID, and the condition of creating files and objects in it."""
    access = bytes((NEVER, create, create, NEVER, NEVER, NEVER, NEVER, create))
    return Df(0, complete(access, df=True, mf=mf), name)


def pin_object(  # the policy of a PIN
    value: str, *, stored: int, least: int, tries: int = 3, reset: int = NEVER, consent: int = 0
) -> SecurityObject:
    """Return a PIN that anybody may verify and change.

    Args:
        value: As its holder types it.
        stored: The length that it is filled up to with FF.
        least: The fewest characters.
        tries: How many wrong values block it.
        reset: The condition of giving it another value and all its tries again.
        consent: How often one verification serves; 0 without end.
    """
    return SecurityObject(
        option=_PRIVATE,
        flags=tries,
        algorithm=PIN,
        tries_left=tries,
        uses_left=_UNLIMITED,
        dek=_UNLIMITED,
        consent=consent,
        min_length=least,
        access=bytes((ALWAYS, ALWAYS, reset, NEVER, NEVER)),
        body=value.encode().ljust(stored, _FILLING),
    )


def key_object(algorithm: int, access: bytes, body: bytes, *, continues: bool = False) -> SecurityObject:
    """Return a component of a private key; `continues` where the next class has another one."""
    return SecurityObject(
        option=_PRIVATE | (0x20 if continues else 0),
        flags=0,
        algorithm=algorithm,
        tries_left=0,
        uses_left=_UNLIMITED,
        dek=_UNLIMITED,
        consent=0,
        min_length=0,
        access=access,
        body=body,
    )


def stored_pins(
    given: Mapping[str, str], defaults: Mapping[str, str], lengths: Mapping[str, tuple[int, int]]
) -> dict[str, str]:
    """Return the PINs of a card by name: those given, and the defaults.

    Raises:
        TargetError: A name isn't one of the card's, or a value is no digits of a length that it takes.
    """
    if unknown := given.keys() - defaults.keys():
        raise TargetError(f"the card has no PIN {', '.join(sorted(unknown))}, only {', '.join(defaults)}")

    pins = {**defaults, **given}

    for name, value in pins.items():
        least, most = lengths[name]

        if not (value.isascii() and value.isdigit() and least <= len(value) <= most):
            raise TargetError(f"{name} is made of {least} to {most} digits")

    return pins
