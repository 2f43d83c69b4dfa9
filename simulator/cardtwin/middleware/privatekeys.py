"""Private keys of a token at work: the DF, the key, the operation, in the card's own commands."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardtwin.iso7816 import StatusWord
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import CommandFailedError, MiddlewareError
from cardtwin.pkcs15 import KeyUsage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.pkcs15 import PrivateKey

__all__ = ["CardKey"]

_DECIPHERS = KeyUsage.DECRYPT | KeyUsage.UNWRAP | KeyUsage.DERIVE

_RV_BY_STATUS = {
    StatusWord.REFERENCE_DATA_NOT_USABLE: Ckr.CKR_KEY_FUNCTION_NOT_PERMITTED,
    StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED: Ckr.CKR_KEY_FUNCTION_NOT_PERMITTED,
    StatusWord.REFERENCED_DATA_NOT_FOUND: Ckr.CKR_DEVICE_ERROR,
}


class CardKey:
    """A private key on the card behind a driver.

    Every operation raises CommandFailedError where the card refuses: CKR_USER_NOT_LOGGED_IN where the key's
    PIN is not verified, CKR_KEY_FUNCTION_NOT_PERMITTED where the key is for something else or has no value,
    CKR_DATA_INVALID or CKR_ENCRYPTED_DATA_INVALID where the card doesn't take the input.
    """

    def __init__(self, driver: CardDriver, entry: PrivateKey, place: tuple[int, ...]) -> None:
        """Take the key.

        Args:
            driver: The card's driver.
            entry: What the token's directory says about the key.
            place: The DF that holds the key, from the MF on.
        """
        self._driver = driver
        self._entry = entry
        self._place = place

    def raw_sign(self, block: bytes) -> bytes:
        """Return the RSA private operation on a padded block as long as the modulus.

        A key that deciphers is made to decipher the block where the card wouldn't sign with it: the operation
        is the same one.
        """
        decipher = self._driver.one_purpose and bool(self._entry.usage & _DECIPHERS)

        with self._chosen(Ckr.CKR_DATA_INVALID, decipher=decipher):
            return self._driver.decipher(block) if decipher else self._driver.sign(block)

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the ECDSA signature r || s of a digest."""
        with self._chosen(Ckr.CKR_DATA_INVALID):
            return self._driver.sign(digest)

    def decipher(self, cryptogram: bytes) -> bytes:
        """Return the plain block of an RSA cryptogram, padding included."""
        with self._chosen(Ckr.CKR_ENCRYPTED_DATA_INVALID, decipher=True):
            return self._driver.decipher(cryptogram)

    def agree(self, point: bytes) -> bytes:
        """Return the X coordinate shared with a peer, whose point is X || Y."""
        with self._chosen(Ckr.CKR_MECHANISM_PARAM_INVALID, decipher=True):
            return self._driver.agree(point)

    @contextmanager
    def _chosen(self, bad_input: Ckr, *, decipher: bool = False) -> Iterator[None]:
        if self._entry.reference is None or not self._driver.enter(self._place):
            raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, f"the card has no key {self._entry.label!r}")

        try:
            self._driver.choose_key(self._entry.reference & 0x7F, decipher=decipher)
            yield
        except CommandFailedError as error:
            rv = bad_input if error.sw == StatusWord.WRONG_DATA else _RV_BY_STATUS.get(error.sw, error.rv)
            raise CommandFailedError(error.what, error.sw, rv) from error
