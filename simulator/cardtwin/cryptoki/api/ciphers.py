"""C_Encrypt* and C_Decrypt*. The card deciphers; encryption needs no card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.cryptoki.api.keys import KeyUse, card_key, chosen, key_bits, require_login
from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import Cka, Cko, MechanismFlag
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keys.public import RsaKey
from cardtwin.cryptoki.operations.keyed import Decryption, Encryption
from cardtwin.cryptoki.sessions import OperationKind
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.cryptoki.values import Answer, Buffer, Mechanism

__all__ = [
    "decrypt",
    "decrypt_final",
    "decrypt_init",
    "decrypt_update",
    "encrypt",
    "encrypt_final",
    "encrypt_init",
    "encrypt_update",
]

_DECRYPT, _ENCRYPT = OperationKind.DECRYPT, OperationKind.ENCRYPT
_DECRYPTING = KeyUse(_DECRYPT, MechanismFlag.CKF_DECRYPT, Cko.CKO_PRIVATE_KEY, Cka.CKA_DECRYPT)
_ENCRYPTING = KeyUse(_ENCRYPT, MechanismFlag.CKF_ENCRYPT, Cko.CKO_PUBLIC_KEY, Cka.CKA_ENCRYPT)


@function("C_DecryptInit")
def decrypt_init(application: Application, session: int, mechanism: Mechanism, key: int) -> None:
    """Begin to decrypt."""
    found, spec, thing = chosen(application, session, _DECRYPTING, mechanism, key)
    found.begin(_DECRYPT, Decryption(mechanism=mechanism, spec=spec, key=thing, bits=key_bits(thing)))


@function("C_Decrypt")
def decrypt(application: Application, session: int, data: bytes, room: Buffer[bytes]) -> Answer[bytes]:
    """Decrypt a cryptogram at once."""
    found = application.session(session)
    operation = found.operation(_DECRYPT, Decryption)
    operation.require_whole()
    return _decrypted(application, found, operation, data, room)


@function("C_DecryptUpdate")
def decrypt_update(application: Application, session: int, part: bytes, room: Buffer[bytes]) -> Answer[bytes]:
    """Take a part of the cryptogram; there is nothing to be told before its end."""
    operation = application.session(session).operation(_DECRYPT, Decryption)

    if not room.is_query:
        operation.update(part)

    return room.answer(b"")


@function("C_DecryptFinal")
def decrypt_final(application: Application, session: int, room: Buffer[bytes]) -> Answer[bytes]:
    """Decrypt the parts."""
    found = application.session(session)
    return _decrypted(application, found, found.operation(_DECRYPT, Decryption), b"", room)


def _decrypted(
    application: Application, session: Session, operation: Decryption, data: bytes, room: Buffer[bytes]
) -> Answer[bytes]:
    """Finish a decryption.

    How long the message is shows only then. A query is told the most that it can be; where the message turns
    out not to fit, it is kept, so that the card need not be asked twice, and the operation goes on.
    """
    if room.is_query:
        return room.answer(bytes(operation.longest()))

    answer = room.answer(_message(application, session, operation, data))

    if answer.rv is Ckr.CKR_OK:
        session.end(_DECRYPT)

    return answer


def _message(application: Application, session: Session, operation: Decryption, data: bytes) -> bytes:
    try:
        require_login(session, operation)

        if operation.message_found is None:
            operation.update(data)

            with card_key(application, session, operation.key) as key:
                operation.message_found = operation.finish(key)
    except Exception:
        session.end(_DECRYPT)
        raise

    operation.started = False
    return operation.message_found


@function("C_EncryptInit")
def encrypt_init(application: Application, session: int, mechanism: Mechanism, key: int) -> None:
    """Begin to encrypt."""
    found, spec, thing = chosen(application, session, _ENCRYPTING, mechanism, key)

    if not isinstance(thing.public, RsaKey):
        raise CryptokiError(Ckr.CKR_KEY_HANDLE_INVALID, "the key has no value")

    operation = Encryption(
        mechanism=mechanism, spec=spec, key=thing, bits=thing.public.bits, public=thing.public
    )
    found.begin(_ENCRYPT, operation)


@function("C_Encrypt")
def encrypt(application: Application, session: int, data: bytes, room: Buffer[bytes]) -> Answer[bytes]:
    """Encrypt a message at once."""
    found = application.session(session)
    operation = found.operation(_ENCRYPT, Encryption)
    operation.require_whole()
    return _encrypted(application, found, operation, data, room)


@function("C_EncryptUpdate")
def encrypt_update(application: Application, session: int, part: bytes, room: Buffer[bytes]) -> Answer[bytes]:
    """Take a part of the message; there is nothing to be told before its end."""
    operation = application.session(session).operation(_ENCRYPT, Encryption)

    if not room.is_query:
        operation.update(part)

    return room.answer(b"")


@function("C_EncryptFinal")
def encrypt_final(application: Application, session: int, room: Buffer[bytes]) -> Answer[bytes]:
    """Encrypt the parts."""
    found = application.session(session)
    return _encrypted(application, found, found.operation(_ENCRYPT, Encryption), b"", room)


def _encrypted(
    application: Application, session: Session, operation: Encryption, data: bytes, room: Buffer[bytes]
) -> Answer[bytes]:
    if (early := room.without_room(operation.size)) is not None:
        return early

    session.end(_ENCRYPT)
    operation.update(data)
    return room.answer(operation.finish(application.entropy))
