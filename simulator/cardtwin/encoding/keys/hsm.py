"""A private RSA key in a hardware security module, used through its PKCS#11 library."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from cardtwin.cryptoki.constants import Cka, Ckg, Ckk, Ckm, Cko, Ckz
from cardtwin.cryptoki.errors import CryptokiError, LibraryMissingError
from cardtwin.cryptoki.foreign import ForeignModule
from cardtwin.cryptoki.operations.padding import unpad_oaep
from cardtwin.cryptoki.structures import RsaPkcsOaepParams
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.encoding.applications.session import SlotSession
from cardtwin.encoding.errors import FunctionFailedError
from cardtwin.middleware import Ckr
from cardtwin.plan import PinBlobError, oaep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.encoding.keys.descriptors import KeyEntry

__all__ = ["HsmError", "HsmKey"]

_STARTED: Final = {Ckr.CKR_OK, Ckr.CKR_CRYPTOKI_ALREADY_INITIALIZED}
_UNKNOWN_PADDING: Final = {
    Ckr.CKR_ARGUMENTS_BAD,
    Ckr.CKR_MECHANISM_INVALID,
    Ckr.CKR_MECHANISM_PARAM_INVALID,
}
"""What modules answer that know RSAES-OAEP with SHA-1 alone, or not at all."""

_LONGEST: Final = 1 << 12
_OAEP: Final = Mechanism(
    Ckm.CKM_RSA_PKCS_OAEP,
    RsaPkcsOaepParams(
        hash_alg=int(Ckm.CKM_SHA256),
        mgf=int(Ckg.CKG_MGF1_SHA256),
        source=int(Ckz.CKZ_DATA_SPECIFIED),
        source_data=b"",
    ),
)
_RAW: Final = Mechanism(Ckm.CKM_RSA_X_509)


class HsmError(Exception):
    """The module can't be used, or has no such key. The message holds no secret."""


class HsmKey:
    """Implements :class:`cardtwin.plan.DecryptionKey`: the private operation is the module's.

    A session is open and logged in for the length of one operation. The module stays initialised: a library
    has one state in a process, and others may use it.
    """

    def __init__(self, entry: KeyEntry) -> None:
        """Find the key.

        Args:
            entry: The library's path, the slot's number, the PIN, and the alias: the label of the private key
                or of a certificate with its CKA_ID.

        Raises:
            HsmError: The library or the slot is not there, the PIN is wrong, or there is no such RSA key.
        """
        self._entry = entry
        self._turn = threading.Lock()

        try:
            self._slot = int(entry.slot)
            self._module = ForeignModule(Path(entry.location))
            self._start()

            with self._session() as session:
                self._key_id = oaep.key_identifier(_public(session, self._find(session)).public_key())
        except ValueError as error:
            raise HsmError(str(error)) from None
        except LibraryMissingError:
            raise HsmError(f"{entry.location} is no PKCS#11 library that can be loaded") from None
        except FunctionFailedError as error:
            raise HsmError(str(error)) from None

    @property
    def key_id(self) -> bytes:
        """SHA-1 of the subjectPublicKey, 20 bytes."""
        return self._key_id

    def unwrap(self, encrypted_key: bytes, label_hash: str) -> bytes:
        """Decrypt with RSAES-OAEP and an empty label.

        Raises:
            PinBlobError: The ciphertext isn't for this key, or was changed; the hash isn't SHA-256; or the
                module fails.
        """
        if label_hash != oaep.OAEP_HASH:
            raise PinBlobError(f"OAEP with {label_hash} is not supported")

        try:
            with self._session() as session:
                return _decrypted(session, self._find(session), encrypted_key)
        except CryptokiError:
            raise PinBlobError("the blob's content key was changed, or is for another key") from None
        except (HsmError, FunctionFailedError) as error:
            raise PinBlobError(f"the key {self._entry.name!r} cannot be used: {error}") from None

    def _start(self) -> None:
        rv = self._module.initialize().rv

        if rv not in _STARTED:
            raise FunctionFailedError("C_Initialize", rv)

    @contextmanager
    def _session(self) -> Iterator[SlotSession]:
        with self._turn:
            session = SlotSession(self._module, self._slot)

            try:
                if len(self._entry.pin):
                    self._log_in(session)

                yield session
            finally:
                with suppress(FunctionFailedError):
                    session.call("C_CloseSession")

    def _log_in(self, session: SlotSession) -> None:
        try:
            session.log_in(self._entry.pin)
        except FunctionFailedError as error:
            if error.rv is not Ckr.CKR_USER_ALREADY_LOGGED_IN:
                raise

    def _find(self, session: SlotSession) -> int:
        label = Attribute.of(Cka.CKA_LABEL, self._entry.alias)
        found = session.find(_of_class(Cko.CKO_PRIVATE_KEY), label)

        for certificate in session.find(_of_class(Cko.CKO_CERTIFICATE), label) if not found else ():
            identifier = Attribute(Cka.CKA_ID, session.read(certificate, Cka.CKA_ID))
            found += session.find(_of_class(Cko.CKO_PRIVATE_KEY), identifier)

        if len(found) != 1:
            raise HsmError(f"there are {len(found) or 'no'} private keys called {self._entry.alias!r}")

        return found[0]

    def __repr__(self) -> str:
        return f"HsmKey(key_id={self._key_id.hex().upper()})"


def _of_class(kind: Cko) -> Attribute:
    return Attribute.of(Cka.CKA_CLASS, int(kind))


def _public(session: SlotSession, key: int) -> RSAPublicNumbers:
    if int.from_bytes(session.read(key, Cka.CKA_KEY_TYPE), "little") != Ckk.CKK_RSA:
        raise HsmError("it is no RSA key")

    modulus, exponent = (session.read(key, kind) for kind in (Cka.CKA_MODULUS, Cka.CKA_PUBLIC_EXPONENT))
    return RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus))


def _decrypted(session: SlotSession, key: int, cryptogram: bytes) -> bytes:
    """Decrypt by the module's own OAEP; where it doesn't know this one, take the padding away here."""
    try:
        return _decrypt(session, _OAEP, key, cryptogram)
    except FunctionFailedError as error:
        if error.function != "C_DecryptInit" or error.rv not in _UNKNOWN_PADDING:
            raise _changed(error) from None

    block = _decrypt(session, _RAW, key, cryptogram)
    size = (_public(session, key).n.bit_length() + 7) // 8
    return unpad_oaep(block.rjust(size, b"\0"), b"", name=oaep.OAEP_HASH, mgf=oaep.OAEP_HASH)


def _changed(error: FunctionFailedError) -> Exception:
    """Return what a failure of C_Decrypt means: another error of the module is told as it is."""
    wrong = {Ckr.CKR_ENCRYPTED_DATA_INVALID, Ckr.CKR_ENCRYPTED_DATA_LEN_RANGE}
    return CryptokiError(Ckr.CKR_ENCRYPTED_DATA_INVALID) if error.rv in wrong else error


def _decrypt(session: SlotSession, mechanism: Mechanism, key: int, cryptogram: bytes) -> bytes:
    session.call("C_DecryptInit", mechanism, key)
    (plain,) = session.call("C_Decrypt", cryptogram, Buffer(_LONGEST))
    return bytes(plain.content)
