"""Objects that are put on the token, changed there, and taken off it.

The functions raise CryptokiError for what the token cannot keep (CKR_TEMPLATE_INCONSISTENT), and
MiddlewareError as :class:`TokenStore` says; the token is as it was then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin import pkcs15
from cardtwin.cryptoki.constants import Cka, Cko
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keeping.access import TokenAccess
from cardtwin.cryptoki.keeping.entries import Entries, algorithm_of, require_keepable, require_name
from cardtwin.cryptoki.keeping.places import certificate_id, empty, place_for, write_certificate
from cardtwin.cryptoki.keys.private import read_private_key
from cardtwin.cryptoki.keys.public import from_attributes
from cardtwin.middleware import CARD_ERASER, ENCRYPTED_PINS, Ckr, ObjectClass
from cardtwin.middleware.storage import is_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.objects.model import CryptokiObject
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.middleware.storage import TokenStore

__all__ = ["CHANGEABLE_ON_TOKEN", "change_on_token", "put_on_token", "take_off_token"]

CHANGEABLE_ON_TOKEN: Final[Mapping[int, frozenset[int]]] = {
    Cko.CKO_DATA: frozenset({Cka.CKA_LABEL, Cka.CKA_APPLICATION, Cka.CKA_OBJECT_ID, Cka.CKA_VALUE}),
    Cko.CKO_CERTIFICATE: frozenset({Cka.CKA_LABEL, Cka.CKA_ID}),
    Cko.CKO_PUBLIC_KEY: frozenset({Cka.CKA_LABEL, Cka.CKA_ID, Cka.CKA_SUBJECT}),
    Cko.CKO_PRIVATE_KEY: frozenset({Cka.CKA_LABEL, Cka.CKA_ID, Cka.CKA_SUBJECT}),
}
"""What C_SetAttributeValue changes of objects on the token, by class."""


def put_on_token(
    application: Application, session: Session, thing: CryptokiObject, *, copied: bool = False
) -> int:
    """Put an object on the token and return its handle.

    Args:
        application: The program.
        session: Its session.
        thing: The object.
        copied: It is a copy: a certificate gets a file of its own, even if there is a place for it.
    """
    require_keepable(thing.attributes)
    access = TokenAccess(application, session)
    entry: pkcs15.AnyObject | None

    match thing.object_class:
        case Cko.CKO_DATA:
            entry = _data(access, thing.attributes)
        case Cko.CKO_CERTIFICATE:
            entry = _certificate(access, thing, copied=copied)
        case Cko.CKO_PUBLIC_KEY:
            entry = _public_key(access, thing.attributes)
        case Cko.CKO_PRIVATE_KEY:
            entry = _private_key(access, thing.attributes)
        case _:
            raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "the token takes no such objects")

    return access.handle_of(entry)


def _data(access: TokenAccess, attributes: Mapping[int, bytes]) -> pkcs15.DataObject:
    access.require_main_slot()
    _require_label(attributes[Cka.CKA_LABEL])
    entry = access.entries.data(attributes)

    with access.store() as store:
        return store.add(entry, attributes[Cka.CKA_VALUE])


def _require_label(label: bytes) -> None:
    """See that a data object isn't called like those that are no files of the card."""
    if label.decode() in {CARD_ERASER, ENCRYPTED_PINS}:
        raise CryptokiError(
            Ckr.CKR_ATTRIBUTE_VALUE_INVALID, f"{label.decode()!r} is the middleware's own object"
        )


def _certificate(access: TokenAccess, thing: CryptokiObject, *, copied: bool) -> pkcs15.AnyObject | None:
    identifier = certificate_id(access.session.slot, access.view, thing)
    access.require_shown(identifier)
    place = None if copied or thing.private else place_for(access.view, identifier)
    der = thing.attributes[Cka.CKA_VALUE]

    if place is not None:
        write_certificate(access, place, der)
        return place.entry

    entry = access.entries.certificate({**thing.attributes, Cka.CKA_ID: identifier})

    with access.store() as store:
        return store.add(entry, der)


def _public_key(access: TokenAccess, attributes: Mapping[int, bytes]) -> pkcs15.PublicKey:
    public = from_attributes(attributes)
    identifier = attributes[Cka.CKA_ID] or public.identifier
    access.require_shown(identifier)
    access.require_new(ObjectClass.PUBLIC_KEY, identifier)
    described = {**attributes, Cka.CKA_ID: identifier}
    entry = access.entries.public_key(described, algorithm_of(public), public.bits)

    with access.store() as store:
        return store.add(entry, public.filed())


def _private_key(access: TokenAccess, attributes: Mapping[int, bytes]) -> pkcs15.PrivateKey:
    value = read_private_key(attributes)
    algorithm = algorithm_of(value.public)
    access.require_size(algorithm, value.bits, Ckr.CKR_ATTRIBUTE_VALUE_INVALID)
    identifier = attributes[Cka.CKA_ID] or value.public.identifier
    access.require_new(ObjectClass.PRIVATE_KEY, identifier)
    access.require_not_others(identifier)
    described = {**attributes, Cka.CKA_ID: identifier}
    entry = access.entries.private_key(described, algorithm, value.bits)

    with access.store() as store:
        return store.import_key(entry, value.for_card(), value.public.filed(), access.use)


def change_on_token(
    application: Application,
    session: Session,
    handle: int,
    thing: CryptokiObject,
    changes: Mapping[int, bytes],
) -> None:
    """Change an object's label, identifier or subject, or what a data object holds; its handle stays."""
    require_name(changes.get(Cka.CKA_SUBJECT, b""))
    access = TokenAccess(application, session)
    assert thing.stored is not None
    identifier = changes.get(Cka.CKA_ID)

    if identifier is not None and identifier != thing.attributes[Cka.CKA_ID]:
        _require_free(access, thing.stored.object_class, identifier)

    with access.store() as store:
        if isinstance(thing.stored.entry, pkcs15.DataObject):
            entry = _change_data(access, store, thing, thing.stored.entry, changes)
        else:
            entry = store.change(thing.stored, _edit(changes))

    application.handles.rename(session.slot.slot_id, handle, access.seen(entry))
    application.refresh(session.slot)


def _require_free(access: TokenAccess, object_class: ObjectClass, identifier: bytes) -> None:
    if object_class is ObjectClass.PRIVATE_KEY:
        access.require_not_others(identifier)
    else:
        access.require_shown(identifier)

    if object_class is not ObjectClass.CERTIFICATE:
        access.require_new(object_class, identifier)


def _edit(changes: Mapping[int, bytes]) -> Callable[[bytes], bytes]:
    def edit(der: bytes) -> bytes:
        if Cka.CKA_LABEL in changes:
            der = pkcs15.relabelled(der, changes[Cka.CKA_LABEL].decode())

        if Cka.CKA_ID in changes:
            der = pkcs15.renamed_id(der, changes[Cka.CKA_ID])

        if Cka.CKA_SUBJECT in changes:
            der = pkcs15.renamed_subject(der, changes[Cka.CKA_SUBJECT])

        return der

    return edit


def _change_data(
    access: TokenAccess,
    store: TokenStore,
    thing: CryptokiObject,
    before: pkcs15.DataObject,
    changes: Mapping[int, bytes],
) -> pkcs15.AnyObject:
    assert thing.stored is not None
    _require_label(changes.get(Cka.CKA_LABEL, b""))
    named = Entries(before.auth_id or b"").data({**thing.attributes, **changes})
    entry = replace(named, path=before.path, common=before.common, auth_id=before.auth_id)

    if Cka.CKA_VALUE not in changes:
        return store.change(thing.stored, lambda _: pkcs15.encode_object(entry))

    shared = access.is_shared(thing.stored)
    return store.revalue(thing.stored, entry, changes[Cka.CKA_VALUE], shared=shared)


def take_off_token(application: Application, session: Session, handle: int, thing: CryptokiObject) -> None:
    """Take an object off the token. A certificate's place that the profile has made stays, empty."""
    access = TokenAccess(application, session)
    found = thing.stored
    assert found is not None

    if found.object_class is ObjectClass.CERTIFICATE and not is_programs(found.path):
        empty(access, found)
    else:
        with access.store() as store:
            store.remove(found, shared=access.is_shared(found))

    application.handles.drop(handle)
