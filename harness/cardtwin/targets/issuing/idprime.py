"""An IDPrime 940 with three containers: a key that does all, one for signatures alone, one on a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import KeyUsage
from cryptography.x509.oid import NameOID

from cardtwin.card.crypto import Curve, EcPrivateKey, RsaPrivateKey
from cardtwin.targets.issuing.containers import Container, idprime_image
from cardtwin.targets.issuing.issued import Authority, IssuedCard, stored_pins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.entropy import Entropy

__all__ = ["issue_idprime"]

_LABEL: Final = "cardtwin IDPrime"
_DEFAULTS: Final = {"PIN": "1234", "Digital Signature PIN": "123456"}
_LENGTHS: Final = dict.fromkeys(_DEFAULTS, (4, 16))
_BITS: Final = 2048


def issue_idprime(entropy: Entropy, *, pins: Mapping[str, str] | None = None) -> IssuedCard:
    """Return an IDPrime 940 with three keys and their certificates.

    Args:
        entropy: Where the keys come from.
        pins: The PINs, where they aren't the public 1234 and 123456.

    Raises:
        TargetError: The card has no PIN of a name, or a value hasn't the form of one.
    """
    chosen = stored_pins(pins or {}, _DEFAULTS, _LENGTHS)
    authority = Authority(f"{_LABEL} CA", entropy)
    keys: dict[str, RsaPrivateKey | EcPrivateKey] = {
        "Encryption": RsaPrivateKey.generate(entropy, _BITS),
        "Signature": RsaPrivateKey.generate(entropy, _BITS),
        "Curve": EcPrivateKey.generate(entropy, Curve.P256),
    }
    containers = [_container(name, key, authority) for name, key in keys.items()]
    image = idprime_image(
        containers,
        label=_LABEL,
        pin=chosen["PIN"].encode(),
        signature_pin=chosen["Digital Signature PIN"].encode(),
    )
    certificates = {each.name: each.certificate for each in containers}
    return IssuedCard(image, chosen, {**certificates, "issuer": authority.certificate})


def _container(name: str, key: RsaPrivateKey | EcPrivateKey, authority: Authority) -> Container:
    signature = name == "Signature"
    curve = isinstance(key, EcPrivateKey)
    usage = _usage(encipherment=not (signature or curve), agreement=curve)
    native = key.to_cryptography()
    certificate = authority.certify({NameOID.COMMON_NAME: f"Card Twin, {name}"}, native.public_key(), usage)
    der = native.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return Container(name, der, certificate, exchange=not signature, signature_pin=signature)


def _usage(*, encipherment: bool, agreement: bool) -> KeyUsage:
    return KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=encipherment,
        data_encipherment=encipherment,
        key_agreement=agreement,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
