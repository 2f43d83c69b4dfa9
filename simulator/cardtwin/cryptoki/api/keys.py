"""What functions with keys share: which key may do what, and the card's key behind it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin import pkcs15
from cardtwin.cryptoki.constants import Cka, Cko, MechanismFlag, name_of
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keys.public import RsaKey
from cardtwin.cryptoki.keys.session import SessionKey
from cardtwin.cryptoki.login import NotLoggedInError
from cardtwin.cryptoki.mechanisms import is_offered, mechanism_for
from cardtwin.cryptoki.operations.keyed import check_parameter
from cardtwin.middleware import Ckr
from cardtwin.middleware.privatekeys import CardKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.mechanisms import MechanismSpec
    from cardtwin.cryptoki.objects.model import CryptokiObject
    from cardtwin.cryptoki.operations.base import KeyAtWork, KeyOperation
    from cardtwin.cryptoki.sessions import OperationKind, Session
    from cardtwin.cryptoki.values import Mechanism

__all__ = [
    "KeyUse",
    "card_key",
    "chosen",
    "key_bits",
    "key_for",
    "require_login",
    "require_no_consent",
    "spec_for",
]


def spec_for(session: Session, mechanism: Mechanism, flag: MechanismFlag) -> MechanismSpec:
    """Return the mechanism that the card offers for a use, with the parameter that it takes.

    Raises:
        CryptokiError: CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID.
    """
    spec = mechanism_for(mechanism.type, flag)

    if not is_offered(mechanism.type, session.slot.view()):
        raise CryptokiError(Ckr.CKR_MECHANISM_INVALID, f"the card does not offer {mechanism.name}")

    check_parameter(mechanism, spec)
    return spec


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What a C_*Init function begins.

    Attributes:
        kind: The operation.
        flag: What the mechanism has to be for.
        key: The class of its keys.
        permission: The attribute that lets a key do it.
    """

    kind: OperationKind
    flag: MechanismFlag
    key: Cko
    permission: Cka


def chosen(
    application: Application, handle: int, use: KeyUse, mechanism: Mechanism, key: int
) -> tuple[Session, MechanismSpec, CryptokiObject]:
    """Return the session in which an operation may begin, the mechanism, and the key.

    Raises:
        CryptokiError: CKR_OPERATION_ACTIVE; as spec_for() and key_for().
    """
    session = application.session(handle)
    session.require_idle(use.kind)
    spec = spec_for(session, mechanism, use.flag)
    return session, spec, key_for(application, session, key, spec, use.key, use.permission)


def key_for(
    application: Application, session: Session, handle: int, spec: MechanismSpec, kind: Cko, use: Cka
) -> CryptokiObject:
    """Return a key that may be used so.

    Raises:
        CryptokiError: CKR_USER_NOT_LOGGED_IN before anything is said about the handle;
            CKR_KEY_HANDLE_INVALID, CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED.
    """
    if kind is Cko.CKO_PRIVATE_KEY:
        _require_somebody(application, session, handle)

    thing = application.find(session, handle, invalid=Ckr.CKR_KEY_HANDLE_INVALID)

    if Cka.CKA_KEY_TYPE not in thing.attributes:
        raise CryptokiError(Ckr.CKR_KEY_HANDLE_INVALID, f"{thing.label!r} is no key")

    if thing.object_class != kind or thing.ulong(Cka.CKA_KEY_TYPE) != spec.key_type:
        raise CryptokiError(Ckr.CKR_KEY_TYPE_INCONSISTENT, f"{spec.type.name} takes another kind of key")

    if not thing.true(use):
        raise CryptokiError(Ckr.CKR_KEY_FUNCTION_NOT_PERMITTED, f"{name_of(Cka, use)} is not set")

    return thing


def _require_somebody(application: Application, session: Session, handle: int) -> None:
    """See that somebody is logged in, whatever the handle is, but for a private key that is public."""
    if session.reaches_private:
        return

    thing = application.handles.find(session.slot.slot_id, handle)

    if thing is None or thing.private or not thing.is_private_key:
        raise NotLoggedInError(session.login)


def key_bits(thing: CryptokiObject) -> int:
    """Return a key's size.

    Raises:
        CryptokiError: CKR_KEY_SIZE_RANGE: nothing tells it.
    """
    if isinstance(thing.public, RsaKey):
        return thing.public.bits

    if thing.public is not None:
        return thing.public.curve.key_size

    if thing.key_bits is None:
        raise CryptokiError(Ckr.CKR_KEY_SIZE_RANGE, f"the token does not tell the size of {thing.label!r}")

    return thing.key_bits


def require_login(session: Session, operation: KeyOperation) -> None:
    """See that whoever needs to be is logged in, to finish an operation.

    Raises:
        CryptokiError: CKR_USER_NOT_LOGGED_IN.
    """
    if operation.key.private and not session.reaches_private:
        raise NotLoggedInError(session.login)

    if operation.wants_login:
        raise CryptokiError(
            Ckr.CKR_USER_NOT_LOGGED_IN,
            "the key wants CKU_CONTEXT_SPECIFIC for each operation (CKA_ALWAYS_AUTHENTICATE)",
        )


def require_no_consent(thing: CryptokiObject) -> None:
    """See that a key does its work in one call, in which nobody can be asked for the PIN (v2.40, 4.9).

    Raises:
        CryptokiError: CKR_USER_NOT_LOGGED_IN: CKA_ALWAYS_AUTHENTICATE is set.
    """
    if thing.true(Cka.CKA_ALWAYS_AUTHENTICATE):
        raise CryptokiError(
            Ckr.CKR_USER_NOT_LOGGED_IN,
            "the key wants CKU_CONTEXT_SPECIFIC each time, and this function leaves no moment for it",
        )


@contextmanager
def card_key(application: Application, session: Session, thing: CryptokiObject) -> Iterator[KeyAtWork]:
    """Hold the card for the block, with a key on it; a session's own key needs no card."""
    if thing.value is not None:
        yield SessionKey(thing.value)
        return

    assert thing.stored is not None
    entry = thing.stored.entry
    assert isinstance(entry, pkcs15.PrivateKey)
    card = application.private_card(session) if thing.private else session.slot.bay.card()

    with card as driver:
        yield CardKey(driver, entry, thing.place)
