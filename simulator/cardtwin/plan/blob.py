"""The encrypted PINs, as an interface. The format that cardtwin ships is in ``cardtwin.plan.cms``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from cardtwin.entropy import Entropy
    from cardtwin.plan.secret import Secret, SecretName

__all__ = ["DecryptionKey", "NoMatchingKeyError", "PinBlob", "PinBlobCodec", "PinBlobError"]


class PinBlobError(Exception):
    """A blob cannot be made or read. The message holds no secret, and nothing of the contents."""


class NoMatchingKeyError(PinBlobError):
    """None of the keys is the one that the blob is encrypted to.

    Attributes:
        key_id: The id of the key that would be needed.
    """

    def __init__(self, key_id: bytes) -> None:
        self.key_id = key_id
        super().__init__(f"No decryption key found matching #{key_id.hex().upper()}")


@dataclass(frozen=True, slots=True)
class PinBlob:
    """What a blob holds: secrets by name, in the profile's order, and the profile's name."""

    secrets: tuple[tuple[SecretName, Secret], ...] = field(repr=False)
    profile_name: str = ""


class DecryptionKey(Protocol):
    """A private RSA key that may lie elsewhere, in an HSM for one."""

    @property
    def key_id(self) -> bytes:
        """SHA-1 of the subjectPublicKey, 20 bytes (RFC 5280, 4.2.1.2, method 1)."""

    def unwrap(self, encrypted_key: bytes, label_hash: str) -> bytes:
        """Decrypt with RSAES-OAEP (RFC 8017, 7.1), MGF1 and an empty label, both with that hash.

        Raises:
            PinBlobError: The ciphertext isn't for this key, or was changed.
        """


class PinBlobCodec(Protocol):
    """A format of the encrypted PINs. The vendor's is not public; another can be registered."""

    @property
    def name(self) -> str:
        """What messages call the format."""

    def encrypt(self, blob: PinBlob, certificate: Certificate, entropy: Entropy) -> bytes:
        """Encrypt to the certificate's key.

        Raises:
            PinBlobError: The certificate's key cannot be used.
        """

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes begin with a blob of this format; what follows it is left alone."""

    def recipients(self, data: bytes) -> tuple[bytes, ...]:
        """Return the key ids that the blob is encrypted to.

        Raises:
            PinBlobError: The blob is broken.
        """

    def decrypt(self, data: bytes, keys: Sequence[DecryptionKey]) -> PinBlob:
        """Decrypt with the one of the keys that fits.

        Raises:
            NoMatchingKeyError: None fits.
            PinBlobError: The blob was changed; then nothing of it is given out.
        """
