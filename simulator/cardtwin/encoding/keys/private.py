"""A private RSA key in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.plan import PinBlobError, oaep

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["RsaDecryptionKey"]


class RsaDecryptionKey:
    """Implements :class:`cardtwin.plan.DecryptionKey` with a key of the cryptography library."""

    def __init__(self, key: RSAPrivateKey) -> None:
        self._key = key
        self._key_id = oaep.key_identifier(key.public_key())

    @property
    def key_id(self) -> bytes:
        """SHA-1 of the subjectPublicKey, 20 bytes."""
        return self._key_id

    def unwrap(self, encrypted_key: bytes, label_hash: str) -> bytes:
        """Decrypt with RSAES-OAEP and an empty label.

        Raises:
            PinBlobError: The ciphertext isn't for this key, or was changed; or the hash isn't SHA-256.
        """
        if label_hash != oaep.OAEP_HASH:
            raise PinBlobError(f"OAEP with {label_hash} is not supported")

        try:
            return self._key.decrypt(encrypted_key, padding.OAEP(padding.MGF1(SHA256()), SHA256(), None))
        except ValueError:
            raise PinBlobError("the blob's content key was changed, or is for another key") from None

    def __repr__(self) -> str:
        return f"RsaDecryptionKey(key_id={self._key_id.hex().upper()})"
