"""The values of objects: files and key objects, made and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers import KeySpec
from cardtwin.middleware.errors import CommandFailedError, MiddlewareError
from cardtwin.middleware.rights import ANYBODY, Right
from cardtwin.pkcs15 import KeyUsage
from cardtwin.plan import KeyAlgorithm

if TYPE_CHECKING:
    from cardtwin import pkcs15
    from cardtwin.middleware.drivers import CardDriver, KeyValue, PublicKey
    from cardtwin.middleware.rights import Condition, Rights

__all__ = ["Values"]

_LONGEST: Final = 1 << 15
"""Bytes of a file: offsets in READ BINARY and UPDATE BINARY have 15 bits (ISO/IEC 7816-4, 11.3.2)."""

_NO_DER: Final = {b"", b"\x00", b"\xff"}
_DECIPHERS: Final = KeyUsage.DECRYPT | KeyUsage.UNWRAP | KeyUsage.DERIVE


class Values:
    """Makes and deletes them; the card is in the phase for it."""

    def __init__(self, driver: CardDriver, guard: Condition) -> None:
        self._driver = driver
        self._guard = guard

    def make_file(self, path: tuple[int, ...], content: bytes, *, private: bool) -> None:
        """Make a file as long as its content; private, only the guard reads it.

        Raises:
            MiddlewareError: CKR_DEVICE_MEMORY: no file of a card can be so long; nothing has changed.
        """
        if len(content) > _LONGEST:
            message = f"a file on a card has {_LONGEST} bytes at most, and these are {len(content)}"
            raise MiddlewareError(Ckr.CKR_DEVICE_MEMORY, message)

        guard = self._guard
        rights: Rights = {
            Right.READ: guard if private else ANYBODY,
            Right.UPDATE: guard,
            Right.DELETE: guard,
            Right.CHANGE_CONDITIONS: guard,
        }
        self._driver.select(path[:-1])
        self._driver.create_file(path[-1], len(content), rights)
        self._driver.write(content)

    def is_empty(self, path: tuple[int, ...]) -> bool:
        """Whether a file is there that begins with no DER; not where the card doesn't let it be read."""
        if self._driver.select(path) is None:
            return False

        try:
            return self._driver.read(1) in _NO_DER
        except CommandFailedError:
            return False

    def delete_file(self, path: tuple[int, ...]) -> None:
        """Delete a file, if it is there."""
        if self._driver.select(path) is not None:
            self._driver.select(path[:-1])
            self._driver.delete(path[-1])

    def generate_key(self, entry: pkcs15.PrivateKey, use: Condition, room: tuple[int, ...]) -> PublicKey:
        """Make the key pair that an entry describes, in a DF, and return its public half."""
        self._driver.select(room)
        self._driver.tidy()
        return self._driver.generate_key(_spec(entry, use), guarded=True)

    def import_key(
        self, entry: pkcs15.PrivateKey, value: KeyValue, use: Condition, room: tuple[int, ...]
    ) -> None:
        """Store the key that an entry describes, in a DF."""
        self._driver.select(room)
        self._driver.import_key(_spec(entry, use), value)

    def delete_key(self, room: tuple[int, ...], reference: int) -> None:
        """Delete a private key, if it is there."""
        if self._driver.select(room) is not None:
            self._driver.delete_key(reference)

    def discard_key(self, room: tuple[int, ...], reference: int) -> None:
        """Delete what making a key has left that broke off."""
        self.delete_key(room, reference)
        self._driver.tidy()


def _spec(entry: pkcs15.PrivateKey, use: Condition) -> KeySpec:
    assert entry.size is not None
    assert entry.reference is not None
    algorithm = KeyAlgorithm(entry.algorithm.value)
    return KeySpec(entry.reference, algorithm, entry.size, bool(entry.usage & _DECIPHERS), use)
