"""C_Sign* and C_Verify*. The card signs; verification needs the public key alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.cryptoki.api.keys import KeyUse, card_key, chosen, key_bits, require_login
from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import Cka, Cko, MechanismFlag
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.operations.keyed import Signature, Verification
from cardtwin.cryptoki.sessions import OperationKind
from cardtwin.events import LoginEnd
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.cryptoki.values import Answer, Buffer, Mechanism

__all__ = [
    "sign",
    "sign_final",
    "sign_init",
    "sign_update",
    "verify",
    "verify_final",
    "verify_init",
    "verify_update",
]

_SIGN, _VERIFY = OperationKind.SIGN, OperationKind.VERIFY
_SIGNING = KeyUse(_SIGN, MechanismFlag.CKF_SIGN, Cko.CKO_PRIVATE_KEY, Cka.CKA_SIGN)
_VERIFYING = KeyUse(_VERIFY, MechanismFlag.CKF_VERIFY, Cko.CKO_PUBLIC_KEY, Cka.CKA_VERIFY)


@function("C_SignInit")
def sign_init(application: Application, session: int, mechanism: Mechanism, key: int) -> None:
    """Begin a signature."""
    found, spec, thing = chosen(application, session, _SIGNING, mechanism, key)
    found.begin(_SIGN, Signature(mechanism=mechanism, spec=spec, key=thing, bits=key_bits(thing)))


@function("C_Sign")
def sign(application: Application, session: int, data: bytes, signature: Buffer[bytes]) -> Answer[bytes]:
    """Sign data at once."""
    found = application.session(session)
    operation = found.operation(_SIGN, Signature)
    operation.require_whole()
    return _signed(application, found, operation, data, signature)


@function("C_SignUpdate")
def sign_update(application: Application, session: int, part: bytes) -> None:
    """Take a part of the data."""
    application.session(session).operation(_SIGN, Signature).update(part)


@function("C_SignFinal")
def sign_final(application: Application, session: int, signature: Buffer[bytes]) -> Answer[bytes]:
    """Sign the parts."""
    found = application.session(session)
    return _signed(application, found, found.operation(_SIGN, Signature), b"", signature)


def _signed(
    application: Application, session: Session, operation: Signature, data: bytes, room: Buffer[bytes]
) -> Answer[bytes]:
    """Finish a signature. Without room nothing happens; else the operation ends, and perhaps the login."""
    if (early := room.without_room(operation.size)) is not None:
        return early

    try:
        require_login(session, operation)
        operation.update(data)

        with card_key(application, session, operation.key) as key:
            signature = operation.finish(key, application.entropy)
    finally:
        session.end(_SIGN)

    if operation.key.private and application.settings.p11_logout_after_sign:
        application.end_login(session.slot, session.login, LoginEnd.LOGOUT_AFTER_SIGN)

    return room.answer(signature)


@function("C_VerifyInit")
def verify_init(application: Application, session: int, mechanism: Mechanism, key: int) -> None:
    """Begin a verification."""
    found, spec, thing = chosen(application, session, _VERIFYING, mechanism, key)

    if thing.public is None:
        raise CryptokiError(Ckr.CKR_KEY_HANDLE_INVALID, "the key has no value")

    found.begin(_VERIFY, Verification(mechanism=mechanism, spec=spec, key=thing, public=thing.public))


@function("C_Verify")
def verify(application: Application, session: int, data: bytes, signature: bytes) -> None:
    """Verify a signature of data at once."""
    found = application.session(session)
    operation = found.operation(_VERIFY, Verification)
    operation.require_whole()
    found.end(_VERIFY)
    operation.update(data)
    operation.finish(signature)


@function("C_VerifyUpdate")
def verify_update(application: Application, session: int, part: bytes) -> None:
    """Take a part of the data."""
    application.session(session).operation(_VERIFY, Verification).update(part)


@function("C_VerifyFinal")
def verify_final(application: Application, session: int, signature: bytes) -> None:
    """Verify a signature of the parts."""
    found = application.session(session)
    operation = found.operation(_VERIFY, Verification)
    found.end(_VERIFY)
    operation.finish(signature)
