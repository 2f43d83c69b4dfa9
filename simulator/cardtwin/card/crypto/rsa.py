"""RSA keys as frozen values, with the raw operations that cards offer (RFC 8017, 5)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.card.crypto import keypool
from cardtwin.card.crypto.errors import KeyFormatError, PaddingError
from cardtwin.card.crypto.padding import pad_signature, unpad_encryption, unpad_signature
from cardtwin.card.crypto.primes import POOL_EXPONENT, modular_power

if TYPE_CHECKING:
    from cardtwin.entropy import Entropy

__all__ = ["RsaPrivateKey", "RsaPublicKey"]

_OPENSSL_AT_LEAST = 1024  # bits; smaller keys are computed with here
_LARGEST_EXPONENT_SOUGHT = 1 << 17


@dataclass(frozen=True, slots=True)
class RsaPublicKey:
    """Modulus and public exponent."""

    n: int
    e: int

    @property
    def bits(self) -> int:
        """The length of the modulus in bits."""
        return self.n.bit_length()

    @property
    def size(self) -> int:
        """The length of the modulus, and of every block, in bytes."""
        return (self.bits + 7) // 8

    def raw(self, block: bytes) -> bytes:
        """Return block**e mod n, as long as the modulus (RSAEP, RSAVP1).

        Raises:
            PaddingError: The block isn't as long as the modulus, or not smaller as a number.
        """
        return modular_power(_number(block, self), self.e, self.n).to_bytes(self.size)

    def to_cryptography(self) -> rsa.RSAPublicKey:
        """Return the key as an object of `cryptography`."""
        return rsa.RSAPublicNumbers(self.e, self.n).public_key()

    def der(self) -> bytes:
        """Return the RSAPublicKey of PKCS#1 in DER (RFC 8017, A.1.1)."""
        return self.to_cryptography().public_bytes(Encoding.DER, PublicFormat.PKCS1)

    def spki(self) -> bytes:
        """Return the SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7)."""
        return self.to_cryptography().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True, repr=False)
class RsaPrivateKey:
    """A private key with all its parts, which the constructors below have checked against each other."""

    n: int
    e: int
    d: int
    p: int
    q: int
    dp: int
    dq: int
    qinv: int

    @classmethod
    def generate(cls, entropy: Entropy, bits: int, e: int = 65537, *, fresh: bool = False) -> Self:
        """Return a new key.

        Args:
            entropy: Where randomness comes from. From a deterministic one follows which key of the public
                pool comes next; one source gets no key twice.
            bits: The length of the modulus, 512 to 8192, a multiple of 16.
            e: The public exponent.
            fresh: Take no key of the pool: search for primes from the entropy's bytes.

        Raises:
            UnsupportedKeyError: The size or the exponent isn't offered.
        """
        return cls.from_primes(*keypool.primes(entropy, bits, e, fresh=fresh), e)

    @classmethod
    def from_primes(cls, p: int, q: int, e: int) -> Self:
        """Return the key of two primes and an exponent.

        Raises:
            KeyFormatError: The numbers don't make a key.
        """
        if (
            p == q
            or min(p, q) < 3
            or not p & q & 1
            or math.gcd(e, (p - 1) * (q - 1)) != 1
            or math.gcd(p, q) != 1
        ):
            raise KeyFormatError("two primes and an exponent don't make an RSA key")

        d = pow(e, -1, math.lcm(p - 1, q - 1))
        return cls(p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))

    @classmethod
    def from_crt(cls, p: int, q: int, dp: int, dq: int, qinv: int) -> Self:
        """Return the key of the five parts of a CRT key; the exponents follow from them.

        Raises:
            KeyFormatError: The parts don't belong together.
        """
        try:
            e = pow(dp, -1, p - 1)
            key = cls.from_primes(p, q, e)
        except (ValueError, ZeroDivisionError):
            raise KeyFormatError("the five parts are no RSA key") from None

        if (key.dp, key.dq, key.qinv) != (dp, dq, qinv) or not _works(key):
            raise KeyFormatError("the five parts don't belong to one RSA key")

        return key

    @classmethod
    def from_n_d(cls, n: int, d: int) -> Self:
        """Return the key of a modulus and a private exponent, as two-part key objects hold them.

        The public exponent is looked for, up to 131071; p is the larger prime.

        Raises:
            KeyFormatError: The numbers are no key with a public exponent in that range.
        """
        e = _public_exponent(n, d)

        try:
            p, q = rsa.rsa_recover_prime_factors(n, e, d)
            key = cls.from_primes(p, q, e)
        except ValueError:
            raise KeyFormatError("modulus and private exponent are no RSA key") from None

        if not _works(key):
            raise KeyFormatError("modulus and private exponent are no RSA key")

        return key

    @property
    def public(self) -> RsaPublicKey:
        """The public key."""
        return RsaPublicKey(self.n, self.e)

    @property
    def bits(self) -> int:
        """The length of the modulus in bits."""
        return self.n.bit_length()

    @property
    def size(self) -> int:
        """The length of the modulus, and of every block, in bytes."""
        return (self.bits + 7) // 8

    def raw(self, block: bytes) -> bytes:
        """Return block**d mod n, as long as the modulus (RSADP, RSASP1).

        Raises:
            PaddingError: The block isn't as long as the modulus, or not smaller as a number.
        """
        number = _number(block, self.public)

        if block[:2] == b"\x00\x01" and self.bits >= _OPENSSL_AT_LEAST:
            try:
                data = unpad_signature(block)
            except PaddingError:
                pass
            else:
                # cryptography has no raw operation, but pads what it is told not to hash: ten times as fast.
                return self.to_cryptography().sign(data, padding.PKCS1v15(), NoDigestInfo())

        return _by_crt(self, number).to_bytes(self.size)

    def sign_pkcs1(self, data: bytes) -> bytes:
        """Return the signature of data, usually a DigestInfo, padded to a block of type 1.

        Raises:
            PaddingError: The data are too long for the key.
        """
        return self.raw(pad_signature(data, self.size))

    def decipher_pkcs1(self, cryptogram: bytes) -> bytes:
        """Return the data that were encrypted in a block of type 2.

        Raises:
            PaddingError: The cryptogram's length or the padding found is wrong.
        """
        return unpad_encryption(self.raw(cryptogram))

    def decipher_oaep(self, cryptogram: bytes) -> bytes:
        """Return the data that were encrypted with OAEP, SHA-1 and no label (RFC 8017, 7.1).

        Raises:
            PaddingError: The cryptogram's length or what is found in it is wrong.
        """
        sha1 = hashes.SHA1()  # noqa: S303  # OAEP's default, and safe in it

        try:
            return self.to_cryptography().decrypt(cryptogram, padding.OAEP(padding.MGF1(sha1), sha1, None))
        except ValueError:
            raise PaddingError("the cryptogram is none of OAEP with SHA-1") from None

    def to_cryptography(self) -> rsa.RSAPrivateKey:
        """Return the key as an object of `cryptography`; the same object for equal keys."""
        return _native(self)

    def __repr__(self) -> str:
        return f"RsaPrivateKey({self.bits} bits, ***)"


def _by_crt(key: RsaPrivateKey, number: int) -> int:
    second = modular_power(number % key.q, key.dq, key.q)
    first = modular_power(number % key.p, key.dp, key.p)
    return second + (first - second) * key.qinv % key.p * key.q


def _works(key: RsaPrivateKey) -> bool:
    """Tell whether p and q pass Fermat's test, and the exponents are those of a key.

    Then private and public operation undo each other: e * dp is 1 modulo p - 1, as d was worked out from e,
    and so 2 to that power is 2 modulo p; the same holds for q, and therefore for n.
    """
    return key.e > 1 and all(modular_power(2, prime - 1, prime) == 1 for prime in (key.p, key.q))


@lru_cache(maxsize=64)
def _native(key: RsaPrivateKey) -> rsa.RSAPrivateKey:
    numbers = rsa.RSAPrivateNumbers(
        p=key.p,
        q=key.q,
        d=key.d,
        dmp1=key.dp,
        dmq1=key.dq,
        iqmp=key.qinv,
        public_numbers=rsa.RSAPublicNumbers(key.e, key.n),
    )
    # The parts were checked where the key was made; OpenSSL's test of the primes costs 100 signatures.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _number(block: bytes, key: RsaPublicKey) -> int:
    if len(block) != key.size:
        raise PaddingError(f"the key takes a block of {key.size} bytes, not {len(block)}")

    if (number := int.from_bytes(block)) >= key.n:
        raise PaddingError("the block is a number not smaller than the modulus")

    return number


def _public_exponent(n: int, d: int) -> int:
    """Return the e with 2**(e*d) = 2 mod n, trying the odd ones: one multiplication each."""
    if n < 15 or not n & 1 or not 1 < d < n:
        raise KeyFormatError("modulus and private exponent are no RSA key")

    once = modular_power(2, d, n)

    if modular_power(once, POOL_EXPONENT, n) == 2:
        return POOL_EXPONENT  # what nearly all keys have

    power, square = once, once * once % n

    for e in range(3, _LARGEST_EXPONENT_SOUGHT, 2):
        power = power * square % n

        if power == 2:
            return e

    raise KeyFormatError("no public exponent up to 131071 fits the modulus and the private exponent")
