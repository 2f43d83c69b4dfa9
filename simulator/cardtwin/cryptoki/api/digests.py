"""C_Digest*, which needs no card."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import Cka, Cko, MechanismFlag
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.mechanisms import mechanism_for
from cardtwin.cryptoki.sessions import OperationKind
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.cryptoki.values import Answer, Buffer, Mechanism

__all__ = ["digest", "digest_final", "digest_init", "digest_key", "digest_update"]

_DIGEST = OperationKind.DIGEST


@dataclass(slots=True)
class Digest:
    """A digest under way."""

    state: hashlib._Hash
    started: bool = False


@function("C_DigestInit")
def digest_init(application: Application, session: int, mechanism: Mechanism) -> None:
    """Begin a digest."""
    found = application.session(session)
    found.require_idle(_DIGEST)
    spec = mechanism_for(mechanism.type, MechanismFlag.CKF_DIGEST)
    mechanism.no_params()
    assert spec.hash is not None
    found.begin(_DIGEST, Digest(hashlib.new(spec.hash)))


@function("C_Digest")
def digest(application: Application, session: int, data: bytes, room: Buffer[bytes]) -> Answer[bytes]:
    """Digest data at once."""
    found = application.session(session)
    operation = found.operation(_DIGEST, Digest)

    if operation.started:
        raise CryptokiError(Ckr.CKR_OPERATION_ACTIVE, "a digest in parts is going on")

    return _digested(found, operation, data, room)


@function("C_DigestUpdate")
def digest_update(application: Application, session: int, part: bytes) -> None:
    """Take a part of the data."""
    operation = application.session(session).operation(_DIGEST, Digest)
    operation.started = True
    operation.state.update(part)


@function("C_DigestKey")
def digest_key(application: Application, session: int, key: int) -> None:
    """Take the value of a secret key as a part of the data."""
    found = application.session(session)
    operation = found.operation(_DIGEST, Digest)
    thing = application.find(found, key, invalid=Ckr.CKR_KEY_HANDLE_INVALID)

    if Cka.CKA_KEY_TYPE not in thing.attributes:
        raise CryptokiError(Ckr.CKR_KEY_HANDLE_INVALID, f"{thing.label!r} is no key")

    if thing.object_class != Cko.CKO_SECRET_KEY:
        raise CryptokiError(Ckr.CKR_KEY_INDIGESTIBLE, "the values of secret keys alone are digested")

    operation.started = True
    operation.state.update(thing.attributes[Cka.CKA_VALUE])


@function("C_DigestFinal")
def digest_final(application: Application, session: int, room: Buffer[bytes]) -> Answer[bytes]:
    """Return the digest of the parts."""
    found = application.session(session)
    return _digested(found, found.operation(_DIGEST, Digest), b"", room)


def _digested(session: Session, operation: Digest, data: bytes, room: Buffer[bytes]) -> Answer[bytes]:
    if (early := room.without_room(operation.state.digest_size)) is not None:
        return early

    session.end(_DIGEST)
    operation.state.update(data)
    return room.answer(operation.state.digest())
