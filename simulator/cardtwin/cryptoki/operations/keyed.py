"""Signatures and ciphers with their keys: what is made of the data, and what goes to the card."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import Ckm, Ckz, name_of
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keys.public import EcKey, PublicNumbers, RsaKey, curve_of_size, truncated
from cardtwin.cryptoki.mechanisms import HASH_BY_MECHANISM, MGF_HASHES, Scheme
from cardtwin.cryptoki.operations import padding
from cardtwin.cryptoki.operations.base import KeyOperation
from cardtwin.cryptoki.structures import RsaPkcsOaepParams, RsaPkcsPssParams
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.cryptoki.mechanisms import MechanismSpec
    from cardtwin.cryptoki.operations.base import KeyAtWork
    from cardtwin.cryptoki.values import Mechanism
    from cardtwin.entropy import Entropy

__all__ = ["Cipher", "Decryption", "Encryption", "Signature", "Verification"]


@dataclass(slots=True, kw_only=True)
class Collected(KeyOperation):
    """An operation whose data come at once or in parts: a digest of them, or they themselves."""

    data: bytearray = field(default_factory=bytearray, repr=False)

    def update(self, part: bytes) -> None:
        """Take some data."""
        self.started = True
        self.data += part

    def message(self) -> bytes:
        """Return what is signed: the digest where the mechanism makes one."""
        if self.spec.hash is None:
            return bytes(self.data)

        return hashlib.new(self.spec.hash, self.data).digest()


def check_parameter(mechanism: Mechanism, spec: MechanismSpec) -> None:
    """See that a mechanism has the parameter it takes.

    Raises:
        CryptokiError: CKR_MECHANISM_PARAM_INVALID.
    """
    match spec.scheme:
        case Scheme.PSS:
            _pss(mechanism, spec)
        case Scheme.OAEP:
            _oaep(mechanism)
        case _:
            mechanism.no_params()


def _pss(mechanism: Mechanism, spec: MechanismSpec) -> tuple[str, str, int]:
    """Return the hash, the hash of MGF1 and the length of the salt."""
    params = mechanism.params(RsaPkcsPssParams)
    name = _hash(params.hash_alg)

    if spec.hash not in {None, name}:
        raise CryptokiError(
            Ckr.CKR_MECHANISM_PARAM_INVALID, f"{mechanism.name} has another hash than its parameter"
        )

    return name, _mgf(params.mgf), params.salt_len


def _oaep(mechanism: Mechanism) -> tuple[str, str, bytes]:
    """Return the hash, the hash of MGF1 and the label."""
    params = mechanism.params(RsaPkcsOaepParams)

    if params.source not in {0, Ckz.CKZ_DATA_SPECIFIED} or (params.source_data and not params.source):
        raise CryptokiError(Ckr.CKR_MECHANISM_PARAM_INVALID, f"there is no source {params.source} of a label")

    return _hash(params.hash_alg), _mgf(params.mgf), params.source_data


def _hash(mechanism: int) -> str:
    return _known(HASH_BY_MECHANISM, mechanism, name_of(Ckm, mechanism))


def _mgf(number: int) -> str:
    return _known(
        {int(key): name for key, name in MGF_HASHES.items()}, number, f"mask generation function {number}"
    )


def _known(table: Mapping[int, str], number: int, name: str) -> str:
    if number not in table:
        raise CryptokiError(Ckr.CKR_MECHANISM_PARAM_INVALID, f"{name} is not known here")

    return table[number]


def _pss_digest(message: bytes, name: str) -> bytes:
    if len(message) != hashlib.new(name).digest_size:
        raise CryptokiError(Ckr.CKR_DATA_LEN_RANGE, f"that is no digest by {name}")

    return message


def _curve_size(bits: int | None) -> int:
    if curve_of_size(bits) is None:
        raise CryptokiError(Ckr.CKR_CURVE_NOT_SUPPORTED, f"there is no curve of {bits} bits here")

    assert bits is not None
    return (bits + 7) // 8


@dataclass(slots=True, kw_only=True)
class Signature(Collected):
    """A signature by a key on the card."""

    bits: int

    @property
    def size(self) -> int:
        """How long it will be."""
        if self.spec.scheme is Scheme.ECDSA:
            return 2 * _curve_size(self.bits)

        return (self.bits + 7) // 8

    def finish(self, key: KeyAtWork, entropy: Entropy) -> bytes:
        """Return the signature that the card makes."""
        message = self.message()

        if self.spec.scheme is Scheme.ECDSA:
            return key.sign_digest(truncated(message, _curve_size(self.bits)))

        return key.raw_sign(self._block(message, entropy))

    def _block(self, message: bytes, entropy: Entropy) -> bytes:
        if self.spec.scheme is Scheme.PSS:
            name, mgf, length = _pss(self.mechanism, self.spec)
            digest, salt = _pss_digest(message, name), _salt(length, self.size, entropy)
            return padding.pad_pss(digest, self.bits, salt, name=name, mgf=mgf)

        return encoded(self.spec, message, self.size)


def _salt(length: int, size: int, entropy: Entropy) -> bytes:
    if length > size:
        raise CryptokiError(Ckr.CKR_MECHANISM_PARAM_INVALID, "the key is too short for this salt")

    return entropy.bytes(length)


def encoded(spec: MechanismSpec, message: bytes, size: int) -> bytes:
    """Return the block of an RSA signature without randomness: PKCS #1 1.5, or raw.

    Raises:
        CryptokiError: CKR_DATA_LEN_RANGE: the data are too long for the key.
    """
    if spec.scheme is Scheme.PKCS1:
        info = padding.DIGEST_INFO[spec.hash] if spec.hash else b""
        return padding.pad_pkcs1(info + message, size)

    if len(message) > size:
        raise CryptokiError(Ckr.CKR_DATA_LEN_RANGE, f"a key of {size * 8} bits takes {size} bytes")

    return message.rjust(size, b"\0")


@dataclass(slots=True, kw_only=True)
class Verification(Collected):
    """A signature to be verified, which needs no card."""

    public: PublicNumbers

    def finish(self, signature: bytes) -> None:
        """See that it is right.

        Raises:
            CryptokiError: CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE.
        """
        if len(signature) != self.public.signature_size:
            raise CryptokiError(
                Ckr.CKR_SIGNATURE_LEN_RANGE, f"signatures have {self.public.signature_size} bytes"
            )

        if not self._is_right(self.message(), signature):
            raise CryptokiError(Ckr.CKR_SIGNATURE_INVALID, "the signature is wrong")

    def _is_right(self, message: bytes, signature: bytes) -> bool:
        if isinstance(self.public, EcKey):
            return self.public.verifies(message, signature)

        block = self.public.apply(signature)

        if block is None:
            return False

        if self.spec.scheme is not Scheme.PSS:
            return block == encoded(self.spec, message, self.public.size)

        name, mgf, length = _pss(self.mechanism, self.spec)
        digest = _pss_digest(message, name)
        return padding.pss_matches(block, digest, self.public.bits, length, name=name, mgf=mgf)


@dataclass(slots=True, kw_only=True)
class Cipher(Collected):
    """An RSA cipher."""

    bits: int

    @property
    def size(self) -> int:
        """The modulus in bytes."""
        return (self.bits + 7) // 8

    def longest(self) -> int:
        """Return the bytes that the result has at most."""
        return self.size


_PKCS1_OVERHEAD: Final = 11


@dataclass(slots=True, kw_only=True)
class Decryption(Cipher):
    """A cryptogram to be deciphered by a key on the card.

    Attributes:
        message_found: The message, until there is room for it.
    """

    message_found: bytes | None = field(default=None, repr=False)

    def longest(self) -> int:
        """Return the bytes that the message has at most, as the padding tells."""
        match self.spec.scheme:
            case Scheme.PKCS1:
                return self.size - _PKCS1_OVERHEAD
            case Scheme.OAEP:
                name, _, _ = _oaep(self.mechanism)
                return self.size - 2 * hashlib.new(name).digest_size - 2
            case _:
                return self.size

    def check(self, data: bytes) -> None:
        """See that a cryptogram is as long as the modulus; CKR_ENCRYPTED_DATA_LEN_RANGE otherwise."""
        if len(data) != self.size:
            raise CryptokiError(Ckr.CKR_ENCRYPTED_DATA_LEN_RANGE, f"cryptograms have {self.size} bytes")

    def finish(self, key: KeyAtWork) -> bytes:
        """Return the message."""
        self.check(bytes(self.data))
        block = key.decipher(bytes(self.data))

        match self.spec.scheme:
            case Scheme.PKCS1:
                return padding.unpad_pkcs1_encryption(block)
            case Scheme.OAEP:
                name, mgf, label = _oaep(self.mechanism)
                return padding.unpad_oaep(block, label, name=name, mgf=mgf)
            case _:
                return block


@dataclass(slots=True, kw_only=True)
class Encryption(Cipher):
    """A message to be encrypted with a public key, which needs no card."""

    public: RsaKey

    def finish(self, entropy: Entropy) -> bytes:
        """Return the cryptogram.

        Raises:
            CryptokiError: CKR_DATA_LEN_RANGE, CKR_DATA_INVALID.
        """
        found = self.public.apply(self._block(bytes(self.data), entropy))

        if found is None:
            raise CryptokiError(Ckr.CKR_DATA_INVALID, "the data are no smaller number than the modulus")

        return found

    def _block(self, message: bytes, entropy: Entropy) -> bytes:
        match self.spec.scheme:
            case Scheme.PKCS1:
                return padding.pad_pkcs1_encryption(message, self.size, entropy)
            case Scheme.OAEP:
                name, mgf, label = _oaep(self.mechanism)
                seed = entropy.bytes(hashlib.new(name).digest_size)
                return padding.pad_oaep(message, self.size, label, seed, name=name, mgf=mgf)
            case _:
                return encoded(self.spec, message, self.size)
