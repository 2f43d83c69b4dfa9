"""An eID card on Cosmo 8.1 with its applications, as Estonia's and Latvia's of 2018 have them.

Identifiers, references and the files that clients read are public; what else real cards hold, access
conditions and the contents are ours. The holder doesn't exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from cardtwin import pkcs15
from cardtwin.card import CardImage, models
from cardtwin.card.chip.algorithms import EC, KEY_CLASS, TEST_CLASS, ec_body
from cardtwin.card.chip.iasecc import KeyOperation
from cardtwin.card.crypto import Curve, EcPrivateKey
from cardtwin.card.memory import MF, ObjectKey
from cardtwin.card.memory.access import NEVER
from cardtwin.iso7816 import Tlv
from cardtwin.pkcs15 import DirectoryKind, KeyUsage
from cardtwin.targets.issuing.issued import (
    Authority,
    IssuedCard,
    directory,
    elementary,
    key_object,
    pin_object,
    stored_pins,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.card.memory import File, SecurityObject
    from cardtwin.entropy import Entropy

__all__ = ["Country", "issue_eid"]

_MODEL: Final = "eid-8.1"
_AUTHENTICATION, _QSCD = MF + b"\xad\xf1", MF + b"\xad\xf2"
_AWP: Final = bytes.fromhex("E828BD080FF2504F5420415750")
_PIN1, _PUK, _PIN2 = 0x01, 0x02, 0x05
_LOCAL: Final = 0x80
_STORED: Final = 12
_DEFAULTS: Final = {"PIN1": "1234", "PIN2": "123456", "PUK": "12345678"}
_DOCUMENT: Final = "CT0000001"
_PERSONAL: Final = ("TWIN", "CARD", "X", "EST", "01 01 2000 EST", "00000000000", _DOCUMENT, "01 01 2045")
_EF_ODF, _EF_TOKEN_INFO = 0x5031, 0x5032
_ECDSA, _ECDH = 0x1041, 0x1050
_SIGN_OPERATION, _DERIVE_OPERATION = (0, 1), (0, 0, 0, 0, 0, 0, 0, 1)


class _Layout(NamedTuple):
    """What tells one country's cards from the other's."""

    atr: bytes
    labels: tuple[str, str]
    keys: tuple[int, int]
    certificates: tuple[int, int]
    least: int
    algorithms: tuple[int, int, int]


class Country(Enum):
    """Whose cards are meant."""

    ESTONIA = "estonia"
    LATVIA = "latvia"


_LAYOUTS: Final = {
    Country.ESTONIA: _Layout(
        atr=bytes.fromhex("3BDB960080B1FE451F830012233F536549440F9000F1"),
        labels=("Isikutuvastus", "Allkirjastamine"),
        keys=(0x01, 0x1F),
        certificates=(0x3401, 0x341F),
        least=5,
        algorithms=(0xFF200800, 0xFF300400, 0xFF150800),
    ),
    Country.LATVIA: _Layout(
        atr=bytes.fromhex("3BDB960080B1FE451F830012428F536549440F900020"),
        labels=("Authentication", "Signature"),
        keys=(0x02, 0x1E),
        certificates=(0x3402, 0x341E),
        least=6,
        algorithms=(0x04, 0x0B, 0x54),
    ),
}


@dataclass(frozen=True, slots=True)
class _Application:
    """One of the two applications: a key, its certificate, and the lists that name them."""

    path: bytes
    name: bytes
    label: str
    pin: int
    key: EcPrivateKey
    number: int
    certificate: bytes
    certificate_file: int
    lists: tuple[int, int]
    algorithms: tuple[pkcs15.Algorithm, ...]

    def files(self) -> Iterator[tuple[bytes, File]]:
        """Yield its files by path."""
        yield self.path, directory(self.name)

        for file_id, content in self._contents().items():
            yield self.path + file_id.to_bytes(2), elementary(content)

    def _contents(self) -> Mapping[int, bytes]:
        private, certificates = self.lists
        kinds = {DirectoryKind.PRIVATE_KEYS: private, DirectoryKind.CERTIFICATES: certificates}
        odf = [pkcs15.DirectoryPath(kind, self._path(file_id)) for kind, file_id in kinds.items()]
        info = pkcs15.TokenInfo(serial=_DOCUMENT.encode(), label=self.label, algorithms=self.algorithms)
        return {
            _EF_ODF: pkcs15.encode_odf(odf),
            _EF_TOKEN_INFO: info.encode(),
            private: pkcs15.encode_directory([self._private()]),
            certificates: pkcs15.encode_directory([self._certified()]),
            self.certificate_file: self.certificate,
        }

    def _path(self, *file_ids: int) -> pkcs15.Path:
        return pkcs15.Path(self.path + pkcs15.Path.of(*file_ids).value)

    def _private(self) -> pkcs15.PrivateKey:
        signs = self.path == _QSCD
        return pkcs15.PrivateKey(
            id=bytes((self.number,)),
            label=self.label,
            algorithm=pkcs15.KeyAlgorithm.EC,
            size=384,
            usage=KeyUsage.NON_REPUDIATION if signs else KeyUsage.SIGN | KeyUsage.DERIVE,
            reference=self.number | _LOCAL,
            path=self._path(),
            auth_id=bytes((self.pin,)),
            user_consent=1 if signs else None,
        )

    def _certified(self) -> pkcs15.Certificate:
        file = self._path(self.certificate_file)
        return pkcs15.Certificate(id=bytes((self.number,)), label=self.label, path=file)

    def object(self) -> tuple[ObjectKey, SecurityObject]:
        """Return where its key is on the card, and the key."""
        access = bytearray([NEVER] * (KeyOperation.GET + 1))
        uses = (
            (KeyOperation.SIGN,) if self.path == _QSCD else (KeyOperation.AUTHENTICATE, KeyOperation.DECIPHER)
        )

        for operation in (0, *uses):
            access[operation] = self.pin

        key = key_object(max(EC), bytes(access), ec_body(self.key))
        return ObjectKey(self.path, KEY_CLASS, self.number), key


def issue_eid(
    entropy: Entropy, *, country: Country = Country.ESTONIA, pins: Mapping[str, str] | None = None
) -> IssuedCard:
    """Return an eID card with two keys on P-384, each with a certificate.

    Args:
        entropy: Where the keys come from.
        country: Whose layout it has.
        pins: PIN1, PIN2 and PUK, where they aren't the public 1234, 123456 and 12345678.

    Raises:
        TargetError: The card has no PIN of a name, or a value hasn't the form of one.
    """
    layout = _LAYOUTS[country]
    lengths = {"PIN1": (4, _STORED), "PIN2": (layout.least, _STORED), "PUK": (8, _STORED)}
    chosen = stored_pins(pins or {}, _DEFAULTS, lengths)
    authority = Authority("cardtwin eID CA", entropy)
    applications = tuple(_applications(layout, authority, entropy))
    files: dict[bytes, File] = {MF: directory(models.get(_MODEL).application, mf=True), **_personal_files()}
    files |= {path: file for application in applications for path, file in application.files()}
    image = CardImage(
        model=_MODEL,
        serial=models.get(_MODEL).serial,
        atr=layout.atr,
        files=files,
        objects=_pins(chosen, layout.least) | dict(application.object() for application in applications),
    )
    certificates = {application.label: application.certificate for application in applications}
    return IssuedCard(image, chosen, {**certificates, "issuer": authority.certificate})


def _applications(layout: _Layout, authority: Authority, entropy: Entropy) -> Iterator[_Application]:
    signing, agreeing, consenting = layout.algorithms
    algorithms = (
        (
            pkcs15.Algorithm(1, _ECDSA, operations=_SIGN_OPERATION, card_reference=signing),
            pkcs15.Algorithm(2, _ECDH, operations=_DERIVE_OPERATION, card_reference=agreeing),
        ),
        (pkcs15.Algorithm(1, _ECDSA, operations=_SIGN_OPERATION, card_reference=consenting),),
    )

    for place, path in enumerate((_AUTHENTICATION, _QSCD)):
        key = EcPrivateKey.generate(entropy, Curve.P384)
        consents = path == _QSCD
        public = key.to_cryptography().public_key()
        yield _Application(
            path=path,
            name=b"QSCD Application" if consents else _AWP,
            label=layout.labels[place],
            pin=_PIN2 if consents else _PIN1,
            key=key,
            number=layout.keys[place],
            certificate=authority.certify(_holder(), public, _usage(consents=consents)),
            certificate_file=layout.certificates[place],
            lists=(0x7012, 0x7015) if consents else (0x7002, 0x7005),
            algorithms=algorithms[place],
        )


def _holder() -> Mapping[x509.ObjectIdentifier, str]:
    surname, name, *_, number = _PERSONAL[:6]
    return {
        NameOID.COMMON_NAME: f"{surname},{name},{number}",
        NameOID.SURNAME: surname,
        NameOID.GIVEN_NAME: name,
    }


def _usage(*, consents: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not consents,
        content_commitment=consents,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not consents,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _personal_files() -> Mapping[bytes, File]:
    folder = MF + b"\x50\x00"
    data = {folder + bytes((0x50, at)): elementary(text.encode()) for at, text in enumerate(_PERSONAL, 1)}
    return {
        MF + b"\xd0\x03": elementary(Tlv(0x04, _DOCUMENT.encode()).encode()),
        folder: directory(),
        **data,
    }


def _pins(chosen: Mapping[str, str], least: int) -> dict[ObjectKey, SecurityObject]:
    at = {"PIN1": ObjectKey(MF, TEST_CLASS, _PIN1), "PUK": ObjectKey(MF, TEST_CLASS, _PUK)}
    at["PIN2"] = ObjectKey(_QSCD, TEST_CLASS, _PIN2)
    return {
        at["PIN1"]: pin_object(chosen["PIN1"], stored=_STORED, least=4, reset=_PUK),
        at["PUK"]: pin_object(chosen["PUK"], stored=_STORED, least=8),
        at["PIN2"]: pin_object(chosen["PIN2"], stored=_STORED, least=least, reset=_PUK, consent=1),
    }
