"""What can go wrong in the card's cryptography. No message holds a key, a block or a padding.

CryptoError (a ValueError)
├── KeyFormatError             the parts of a key don't belong together, or a point is on no curve
├── UnsupportedKeyError        a size, exponent or curve that isn't offered
├── PaddingError               a decrypted block isn't padded as it should be, or data are too long to pad
└── SecureMessagingError       a protected command doesn't hold what its MAC says
"""

from __future__ import annotations

__all__ = ["CryptoError", "KeyFormatError", "PaddingError", "SecureMessagingError", "UnsupportedKeyError"]


class CryptoError(ValueError):
    """The root of this package's errors."""


class KeyFormatError(CryptoError):
    """The parts of a key don't belong together, or lie out of range."""


class UnsupportedKeyError(CryptoError):
    """A key size, a public exponent or a curve that isn't offered."""


class PaddingError(CryptoError):
    """A block isn't padded as PKCS#1 wants it, or the data are too long for the key."""


class SecureMessagingError(CryptoError):
    """The payload of a protected command is malformed or its MAC is wrong."""
