"""An AuthentIC card with its application: a PIN and its PUK, the lists, a first key and its certificate.

The identifiers of files and lists are those of OpenSC's profile for such cards; sizes, conditions and the
contents are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.x509 import KeyUsage as CertifiedUsage
from cryptography.x509.oid import NameOID

from cardtwin import pkcs15
from cardtwin.card import CardImage, models
from cardtwin.card.chip.algorithms import KEY_CLASS, TEST_CLASS
from cardtwin.card.chip.authentic import KeyOperation
from cardtwin.card.crypto import RsaPrivateKey
from cardtwin.card.memory import MF, ObjectKey
from cardtwin.card.memory.access import NEVER
from cardtwin.pkcs15 import CommonFlags, DirectoryKind, KeyAccess, KeyUsage, PinFlags, TokenFlags
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
    from collections.abc import Mapping

    from cardtwin.card.memory import File, SecurityObject
    from cardtwin.entropy import Entropy

__all__ = ["issue_authentic"]

_MODEL: Final = "authentic-3"
_LABEL: Final = "cardtwin AuthentIC"
_APPLICATION: Final = MF + b"\x50\x15"
_PIN, _PUK, _KEY = 1, 2, 1
_LOCAL: Final = 0x80
_STORED: Final = 63
_DEFAULTS: Final = {"PIN": "1234", "PUK": "12345678"}
_ID: Final = b"\x01"
_BITS: Final = 2048
_SIGNS: Final = 0x8A
_EF_DIR: Final = 0x2F00
_EF_ODF, _EF_TOKEN_INFO, _CERTIFICATE = 0x5031, 0x5032, 0xB000
_LISTS: Final = {
    DirectoryKind.AUTH_OBJECTS: 0x7001,
    DirectoryKind.PRIVATE_KEYS: 0x7002,
    DirectoryKind.PUBLIC_KEYS: 0x7004,
    DirectoryKind.CERTIFICATES: 0x7005,
    DirectoryKind.DATA_OBJECTS: 0x7006,
}
_ROOM: Final = 0x400


def issue_authentic(entropy: Entropy, *, pins: Mapping[str, str] | None = None) -> IssuedCard:
    """Return an AuthentIC card with an RSA key that signs and deciphers, and its certificate.

    Args:
        entropy: Where the keys come from.
        pins: PIN and PUK, where they aren't the public 1234 and 12345678.

    Raises:
        TargetError: The card has no PIN of a name, or a value hasn't the form of one.
    """
    chosen = stored_pins(pins or {}, _DEFAULTS, {"PIN": (4, _STORED), "PUK": (8, _STORED)})
    model = models.get(_MODEL)
    authority = Authority(f"{_LABEL} CA", entropy)
    key = RsaPrivateKey.generate(entropy, _BITS)
    holder = {NameOID.COMMON_NAME: "Card Twin"}
    certificate = authority.certify(holder, key.public.to_cryptography(), _usage())
    objects = {
        ObjectKey(MF, TEST_CLASS, _PIN): pin_object(
            chosen["PIN"], stored=_STORED, least=4, tries=5, reset=_PUK
        ),
        ObjectKey(MF, TEST_CLASS, _PUK): pin_object(chosen["PUK"], stored=_STORED, least=8, tries=5),
        **_key_parts(key),
    }
    image = CardImage(
        model=_MODEL,
        serial=model.serial,
        atr=model.atr,
        files=_files(model.application, model.serial, key, certificate),
        objects=objects,
    )
    return IssuedCard(image, chosen, {"Card Twin": certificate, "issuer": authority.certificate})


def _files(aid: bytes, serial: bytes, key: RsaPrivateKey, certificate: bytes) -> dict[bytes, File]:
    application = pkcs15.Application(aid, _LABEL, _APPLICATION)
    odf = [pkcs15.DirectoryPath(kind, _path(file_id)) for kind, file_id in _LISTS.items()]
    flags = TokenFlags.PRN_GENERATION | TokenFlags.LOGIN_REQUIRED
    info = pkcs15.TokenInfo(serial=serial, manufacturer="cardtwin", label=_LABEL, flags=flags)
    listed = _listed(key)
    files: dict[bytes, File] = {
        MF: directory(aid, mf=True),
        MF + _EF_DIR.to_bytes(2): elementary(pkcs15.encode_ef_dir([application])),
        _APPLICATION: directory(create=_PIN),
        _path(_EF_ODF).value: elementary(pkcs15.encode_odf(odf)),
        _path(_EF_TOKEN_INFO).value: elementary(info.encode()),
        _path(_CERTIFICATE).value: elementary(certificate, update=_PIN),
    }

    for kind, file_id in _LISTS.items():
        update = NEVER if kind is DirectoryKind.AUTH_OBJECTS else _PIN
        content = pkcs15.encode_directory(listed.get(kind, ()))
        files[_path(file_id).value] = elementary(content, update=update, room=_ROOM)

    return files


def _path(*file_ids: int) -> pkcs15.Path:
    return pkcs15.Path(_APPLICATION + pkcs15.Path.of(*file_ids).value)


def _listed(key: RsaPrivateKey) -> Mapping[DirectoryKind, tuple[pkcs15.AnyObject, ...]]:
    flags = PinFlags.INITIALIZED | PinFlags.NEEDS_PADDING
    puk_id = bytes((_PUK,))
    pins = (
        _pin(_PIN, "PIN", flags, least=4, auth_id=puk_id),
        _pin(_PUK, "PUK", flags | PinFlags.UNBLOCKING_PIN, least=8),
    )
    sensitive = KeyAccess.SENSITIVE | KeyAccess.ALWAYS_SENSITIVE | KeyAccess.NEVER_EXTRACTABLE
    reference = _KEY | _LOCAL
    private = pkcs15.PrivateKey(
        id=_ID,
        label=_LABEL,
        size=key.bits,
        usage=KeyUsage.SIGN | KeyUsage.DECRYPT,
        access=sensitive | KeyAccess.LOCAL,
        reference=reference,
        path=_path(),
        common=CommonFlags.PRIVATE | CommonFlags.MODIFIABLE,
        auth_id=bytes((_PIN,)),
    )
    certificate = pkcs15.Certificate(
        id=_ID, label=_LABEL, path=_path(_CERTIFICATE), common=CommonFlags.MODIFIABLE
    )
    return {
        DirectoryKind.AUTH_OBJECTS: pins,
        DirectoryKind.PRIVATE_KEYS: (private,),
        DirectoryKind.CERTIFICATES: (certificate,),
    }


def _pin(number: int, label: str, flags: PinFlags, *, least: int, auth_id: bytes | None = None) -> pkcs15.Pin:
    return pkcs15.Pin(
        id=bytes((number,)),
        label=label,
        reference=number,
        flags=flags,
        min_length=least,
        stored_length=_STORED,
        max_length=_STORED,
        pad=0xFF,
        path=pkcs15.Path(MF),
        auth_id=auth_id,
    )


def _key_parts(key: RsaPrivateKey) -> dict[ObjectKey, SecurityObject]:
    access = bytearray([NEVER] * (KeyOperation.DELETE + 1))

    for operation in set(KeyOperation) - {KeyOperation.GENERATE, KeyOperation.UPDATE}:
        access[operation] = _PIN

    numbers = (key.p, key.q, key.dp, key.dq, key.qinv)
    last = len(numbers) - 1
    return {
        ObjectKey(_APPLICATION, KEY_CLASS + place, _KEY): key_object(
            _SIGNS, bytes(access), number.to_bytes(key.size // 2), continues=place < last
        )
        for place, number in enumerate(numbers)
    }


def _usage() -> CertifiedUsage:
    return CertifiedUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
