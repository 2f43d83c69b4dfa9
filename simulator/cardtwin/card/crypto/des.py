"""DES and triple DES, as cards of that age use them: CBC without padding, and two MACs.

A key is bytes: 8 (A), 16 (A || B, meaning A || B || A) or 24 (A || B || C). Parity bits are not looked at.
Initial vectors are zero unless given.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from cardtwin.card.crypto.errors import KeyFormatError

__all__ = [
    "BLOCK",
    "cbc_mac",
    "decrypt_cbc",
    "encrypt_cbc",
    "pad_mark",
    "pad_zero",
    "retail_mac",
    "unpad_mark",
]

BLOCK = 8
_ZERO = bytes(BLOCK)


def encrypt_cbc(key: bytes, data: bytes, iv: bytes = _ZERO) -> bytes:
    """Encrypt whole blocks.

    Raises:
        KeyFormatError: The key has no length that DES knows.
        ValueError: The data are no whole blocks.
    """
    encryptor = _cipher(key, iv).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt_cbc(key: bytes, data: bytes, iv: bytes = _ZERO) -> bytes:
    """Decrypt whole blocks. Errors as in encrypt_cbc()."""
    decryptor = _cipher(key, iv).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def cbc_mac(key: bytes, data: bytes) -> bytes:
    """Return the last block of the CBC encryption (ISO/IEC 9797-1, algorithm 1); `data` are whole blocks."""
    return encrypt_cbc(key, data)[-BLOCK:]


def retail_mac(key: bytes, data: bytes) -> bytes:
    """Return the MAC by single DES with A, its last block decrypted with B and encrypted with the last part.

    ISO/IEC 9797-1, algorithm 3. With a key of 8 bytes it is cbc_mac(). `data` are whole blocks, one at least.
    """
    whole = _triple(key)
    first, second, third = whole[:8], whole[8:16], whole[16:]
    return encrypt_cbc(third, decrypt_cbc(second, cbc_mac(first, data)))


def pad_zero(data: bytes) -> bytes:
    """Fill up with 00 to whole blocks (ISO/IEC 9797-1, padding method 1); nothing becomes one block."""
    return data + bytes(-len(data) % BLOCK) if data else _ZERO


def pad_mark(data: bytes) -> bytes:
    """Append 80 and fill up with 00 to whole blocks (ISO/IEC 9797-1, padding method 2)."""
    return data + b"\x80" + bytes(-(len(data) + 1) % BLOCK)


def unpad_mark(data: bytes) -> bytes | None:
    """Take the padding of pad_mark() off, or return None where there's none within the last block."""
    stripped = data.rstrip(b"\x00")
    return stripped[:-1] if stripped[-1:] == b"\x80" and len(data) - len(stripped) < BLOCK else None


def _triple(key: bytes) -> bytes:
    if len(key) not in {8, 16, 24}:
        raise KeyFormatError(f"a DES key has 8, 16 or 24 bytes, not {len(key)}")

    return (key * 3)[:24] if len(key) == 8 else (key + key[:8])[:24]


def _cipher(key: bytes, iv: bytes) -> Cipher[modes.CBC]:
    return Cipher(TripleDES(_triple(key)), modes.CBC(iv))
