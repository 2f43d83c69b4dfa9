"""Private keys as attributes, and what they are good for without a card."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.cryptoki.constants import Cka, Ckk
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keys.public import CURVES, EcKey, RsaKey
from cardtwin.middleware import Ckr
from cardtwin.middleware.drivers import EcValue, RsaValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.cryptoki.keys.public import PublicNumbers
    from cardtwin.middleware.drivers import KeyValue

__all__ = ["PrivateEcKey", "PrivateRsaKey", "PrivateValue", "read_private_key"]


@dataclass(frozen=True, slots=True)
class PrivateRsaKey:
    """An RSA key whose numbers fit together."""

    numbers: rsa.RSAPrivateNumbers = field(repr=False)

    @property
    def public(self) -> PublicNumbers:
        """Its public half."""
        return RsaKey(self.numbers.public_numbers.n, self.numbers.public_numbers.e)

    @property
    def bits(self) -> int:
        """The modulus in bits."""
        return self.numbers.public_numbers.n.bit_length()

    def for_card(self) -> KeyValue:
        """Return what a card stores of it.

        Raises:
            CryptokiError: CKR_ATTRIBUTE_VALUE_INVALID: the primes don't have half of the modulus' bits each.
        """
        numbers = self.numbers

        if 2 * max(numbers.p, numbers.q).bit_length() != self.bits:
            raise CryptokiError(
                Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "cards take primes of half the modulus' length"
            )

        return RsaValue(
            numbers.public_numbers.n,
            numbers.d,
            numbers.p,
            numbers.q,
            numbers.dmp1,
            numbers.dmq1,
            numbers.iqmp,
        )

    def attributes(self) -> dict[int, bytes]:
        """Return the attributes that are the key."""
        numbers = self.numbers
        private = {
            Cka.CKA_PRIVATE_EXPONENT: numbers.d,
            Cka.CKA_PRIME_1: numbers.p,
            Cka.CKA_PRIME_2: numbers.q,
            Cka.CKA_EXPONENT_1: numbers.dmp1,
            Cka.CKA_EXPONENT_2: numbers.dmq1,
            Cka.CKA_COEFFICIENT: numbers.iqmp,
        }
        return self.public.attributes() | {kind: _bytes(number) for kind, number in private.items()}


@dataclass(frozen=True, slots=True)
class PrivateEcKey:
    """A key on a curve."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    params: bytes

    @property
    def public(self) -> PublicNumbers:
        """Its public half."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return EcKey(self.params, point)

    @property
    def bits(self) -> int:
        """The field in bits."""
        return self.key.curve.key_size

    def for_card(self) -> KeyValue:
        """Return what a card stores of it."""
        return EcValue(self.key.private_numbers().private_value)

    def attributes(self) -> dict[int, bytes]:
        """Return the attributes that are the key."""
        return {
            Cka.CKA_EC_PARAMS: self.params,
            Cka.CKA_VALUE: _bytes(self.for_card().d),
            Cka.CKA_PUBLIC_KEY_INFO: self.public.info(),
        }


PrivateValue = PrivateRsaKey | PrivateEcKey


def read_private_key(attributes: Mapping[int, bytes]) -> PrivateValue:
    """Return the key that attributes are. What follows from others of its numbers can be missing.

    Raises:
        CryptokiError: CKR_TEMPLATE_INCOMPLETE: not enough of it is there. CKR_ATTRIBUTE_VALUE_INVALID: the
            numbers are no key. CKR_CURVE_NOT_SUPPORTED.
    """
    key_type = int.from_bytes(attributes[Cka.CKA_KEY_TYPE], "little")
    return _rsa(attributes) if key_type == Ckk.CKK_RSA else _ec(attributes)


def _rsa(attributes: Mapping[int, bytes]) -> PrivateRsaKey:
    n, d = (_needed(attributes, kind) for kind in (Cka.CKA_MODULUS, Cka.CKA_PRIVATE_EXPONENT))
    e, p, q = (
        _known(attributes, kind) for kind in (Cka.CKA_PUBLIC_EXPONENT, Cka.CKA_PRIME_1, Cka.CKA_PRIME_2)
    )

    if e is None and (p is None or q is None):
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, "CKA_PUBLIC_EXPONENT or the primes have to be there")

    try:
        if p is None or q is None:
            p, q = rsa.rsa_recover_prime_factors(n, e or 0, d)

        e = pow(d, -1, math.lcm(p - 1, q - 1)) if e is None else e
        numbers = rsa.RSAPrivateNumbers(
            p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, n)
        )
        numbers.private_key()
    except (ValueError, ZeroDivisionError, OverflowError, UnsupportedAlgorithm):
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "the numbers are no RSA key") from None

    found = PrivateRsaKey(numbers)
    _require_same(found.attributes(), attributes, _CRT)
    return found


_CRT: Final = (Cka.CKA_PRIME_1, Cka.CKA_PRIME_2, Cka.CKA_EXPONENT_1, Cka.CKA_EXPONENT_2, Cka.CKA_COEFFICIENT)


def _require_same(
    found: Mapping[int, bytes], attributes: Mapping[int, bytes], kinds: tuple[Cka, ...]
) -> None:
    for kind in kinds:
        told = attributes.get(kind, b"")

        if told and int.from_bytes(told) != int.from_bytes(found[kind]):
            raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, f"{kind.name} does not belong to the key")


def _ec(attributes: Mapping[int, bytes]) -> PrivateEcKey:
    number = _needed(attributes, Cka.CKA_VALUE)
    params = attributes.get(Cka.CKA_EC_PARAMS, b"")

    if not params:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, "CKA_EC_PARAMS is missing")

    if params not in CURVES:
        raise CryptokiError(Ckr.CKR_CURVE_NOT_SUPPORTED, "the curve is none of P-256, P-384, P-521")

    try:
        return PrivateEcKey(ec.derive_private_key(number, CURVES[params]), params)
    except ValueError:
        raise CryptokiError(
            Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_VALUE is no private number of the curve"
        ) from None


def _needed(attributes: Mapping[int, bytes], kind: Cka) -> int:
    value = attributes.get(kind, b"")

    if not value:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, f"{kind.name} is missing")

    return int.from_bytes(value)


def _known(attributes: Mapping[int, bytes], kind: Cka) -> int | None:
    """Return a number that can be missing, which an empty one is."""
    value = attributes.get(kind, b"")
    return int.from_bytes(value) if value else None


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
