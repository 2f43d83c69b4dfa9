"""The admin key: its holder's answers to the card's challenge (Smart Card Minidriver Specification 7.07)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from cardtwin.minidriver.errors import ContentError, MinidriverError

if TYPE_CHECKING:
    from cardtwin.entropy import Entropy
    from cardtwin.plan import Secret

__all__ = ["ADMIN_KEY_SIZE", "answer", "check_admin_key", "is_mutual_answer", "mutual_answer"]

ADMIN_KEY_SIZE: Final = 24
_HALF: Final = 16
_SHARE: Final = 7
_END: Final = b"\x80"
_IV: Final = bytes(8)


def check_admin_key(key: Secret) -> None:
    """Make sure that a secret has the length of an admin key: 24 bytes, triple DES.

    Raises:
        MinidriverError: It hasn't.
    """
    if len(key) != ADMIN_KEY_SIZE:
        raise MinidriverError(f"an admin key has {ADMIN_KEY_SIZE} bytes, not {len(key)}")


def answer(key: Secret, challenge: bytes) -> bytes:
    """Return the answer to a challenge of the card, which whoever holds the admin key gives, near or far.

    Raises:
        MinidriverError: The admin key hasn't 24 bytes, or the challenge isn't made of whole blocks.
    """
    check_admin_key(key)

    if not challenge or len(challenge) % len(_IV):
        raise ContentError(f"a challenge is made of blocks of {len(_IV)} bytes")

    encryptor = Cipher(TripleDES(key.reveal()), modes.CBC(_IV)).encryptor()
    return encryptor.update(challenge) + encryptor.finalize()


def mutual_answer(key: Secret, theirs: bytes, ours: bytes, entropy: Entropy) -> bytes:
    """Return the host's part of a mutual authentication: the card's challenge, ours, a share of a key."""
    return answer(key, theirs + ours + entropy.bytes(_SHARE) + _END)


def is_mutual_answer(key: Secret, theirs: bytes, ours: bytes, cryptogram: bytes) -> bool:
    """Tell whether the card's part of a mutual authentication is right: it has the admin key too."""
    if len(cryptogram) != 2 * _HALF + _SHARE + 1:
        return False

    decryptor = Cipher(TripleDES(key.reveal()), modes.CBC(_IV)).decryptor()
    plain = decryptor.update(cryptogram) + decryptor.finalize()
    return hmac.compare_digest(plain[: 2 * _HALF], ours + theirs) and plain[-1:] == _END
