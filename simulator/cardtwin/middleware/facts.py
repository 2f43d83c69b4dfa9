"""What contents need from the card: the chip's serial number, and public halves of keys made on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from cryptography.x509 import SubjectKeyIdentifier

from cardtwin.plan import KeyAlgorithm, PublicKeyForm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cardtwin.middleware.drivers import PublicKey
    from cardtwin.plan import KeyPlan

__all__ = ["EstimatedFacts", "KnownFacts", "public_half"]

_EXPONENT: Final = 65537
_CURVES: Final = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}


def public_half(key: PublicKey, form: PublicKeyForm) -> bytes:
    """Return a public key in a form that files hold."""
    return _written(load_der_public_key(key.spki), form)


class KnownFacts:
    """Facts that the card has told; implements :class:`cardtwin.plan.CardFacts`."""

    def __init__(self, chip_serial: bytes, keys: Mapping[str, PublicKey]) -> None:
        self._chip_serial = chip_serial
        self._keys = keys

    def chip_serial(self) -> bytes:
        """Return the chip's serial number."""
        return self._chip_serial

    def public_key(self, key: str, form: PublicKeyForm) -> bytes:
        """Return the public half of a key that has been made."""
        return public_half(self._keys[key], form)


class EstimatedFacts:
    """Facts of the right length, before the keys are made: their sizes are known, their values aren't."""

    def __init__(self, chip_serial: bytes, keys: Iterable[KeyPlan]) -> None:
        self._chip_serial = chip_serial
        self._keys = {key.name: key for key in keys}

    def chip_serial(self) -> bytes:
        """Return the chip's serial number."""
        return self._chip_serial

    def public_key(self, key: str, form: PublicKeyForm) -> bytes:
        """Return something as long as the public half of a key will be."""
        plan = self._keys[key]

        if plan.algorithm is KeyAlgorithm.EC:
            return _written(ec.derive_private_key(1, _CURVES[plan.size]).public_key(), form)

        return _written(rsa.RSAPublicNumbers(_EXPONENT, (1 << plan.size) - 1).public_key(), form)


def _written(key: object, form: PublicKeyForm) -> bytes:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise TypeError(f"{type(key).__name__} is no kind of key that cards make here")

    if form is PublicKeyForm.KEY_ID:
        return SubjectKeyIdentifier.from_public_key(key).digest

    rsa_file = form is PublicKeyForm.FILE and isinstance(key, rsa.RSAPublicKey)
    return key.public_bytes(
        Encoding.DER, PublicFormat.PKCS1 if rsa_file else PublicFormat.SubjectPublicKeyInfo
    )
