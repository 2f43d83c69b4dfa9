"""Key pairs made: by the card, or in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.cryptoki.constants import Cka
from cardtwin.cryptoki.keeping.access import TokenAccess
from cardtwin.cryptoki.keeping.changes import put_on_token
from cardtwin.cryptoki.keeping.entries import require_keepable
from cardtwin.cryptoki.keys.public import read_public_key
from cardtwin.cryptoki.keys.session import generated
from cardtwin.cryptoki.objects.model import CryptokiObject
from cardtwin.cryptoki.objects.templates import sensitive_of
from cardtwin.middleware import Ckr, ObjectClass

if TYPE_CHECKING:
    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.keeping.pairs import PairRequest
    from cardtwin.cryptoki.sessions import Session

__all__ = ["generate_in_session", "generate_on_token"]


def generate_on_token(application: Application, session: Session, pair: PairRequest) -> tuple[int, int]:
    """Have the card make a key pair and return the handles of the public and the private key.

    The public key is listed on the token, or the session's, as its template says.

    Raises:
        CryptokiError: CKR_KEY_SIZE_RANGE, CKR_CURVE_NOT_SUPPORTED; CKR_TEMPLATE_INCONSISTENT: the token
            cannot keep the keys as the templates say.
        MiddlewareError: As :class:`TokenStore` says; the token is as it was then.
    """
    access = TokenAccess(application, session)
    _require_place(access, pair)
    access.require_size(pair.algorithm, pair.size, Ckr.CKR_KEY_SIZE_RANGE)
    private = access.entries.private_key(pair.private, pair.algorithm, pair.size)
    public = access.entries.public_key(pair.public, pair.algorithm, pair.size) if pair.lists_public else None

    with access.store() as store:
        made = store.generate(private, public, access.use)

    handle = access.handle_of(made.private)

    if made.public is not None:
        return access.handle_of(made.public), handle

    key = read_public_key(made.half, pair.size)
    assert key is not None
    thing = pair.public_object(key, made.private.id)
    return application.handles.add_session_object(session.slot.slot_id, session.handle, thing), handle


def _require_place(access: TokenAccess, pair: PairRequest) -> None:
    """See that the token can keep what of a pair is to be on it."""
    require_keepable(pair.private)

    if pair.lists_public:
        require_keepable(pair.public)

    if identifier := pair.private[Cka.CKA_ID]:
        access.require_new(ObjectClass.PRIVATE_KEY, identifier)
        access.require_not_others(identifier)

        if pair.lists_public:
            access.require_new(ObjectClass.PUBLIC_KEY, identifier)


def generate_in_session(application: Application, session: Session, pair: PairRequest) -> tuple[int, int]:
    """Make a key pair of a session and return the handles of the public and the private key.

    The public key is the session's, or on the token, as its template says.

    Raises:
        CryptokiError: CKR_KEY_SIZE_RANGE: the card's own keys have no such size, and nor have these. For a
            public key on the token as put_on_token().
    """
    access = TokenAccess(application, session)
    access.require_size(pair.algorithm, pair.size, Ckr.CKR_KEY_SIZE_RANGE)
    value = generated(pair.size, pair.params, application.entropy)
    attributes = pair.private | value.attributes()
    private = CryptokiObject(
        attributes=attributes, sensitive=sensitive_of(attributes), public=value.public, value=value
    )
    public = pair.public_object(value.public, b"")

    def add(thing: CryptokiObject) -> int:
        return application.handles.add_session_object(session.slot.slot_id, session.handle, thing)

    half = put_on_token(application, session, public) if pair.lists_public else add(public)
    return half, add(private)
