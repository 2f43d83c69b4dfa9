"""Objects: search, read, make, change, destroy (OASIS PKCS #11 v2.40, 5.7)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import Cka, Cko, name_of
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.objects import CryptokiObject
from cardtwin.cryptoki.publickeys import from_attributes
from cardtwin.cryptoki.sessions import OperationKind
from cardtwin.cryptoki.storage import remove_certificate, store_certificate
from cardtwin.cryptoki.templates import CHANGEABLE, check_value, completed, form_of, given, sensitive_of
from cardtwin.middleware import CARD_ERASER, Ckr
from cardtwin.middleware.eraser import erase
from cardtwin.middleware.journal import Journal
from cardtwin.provenance.cryptoki import SESSION_OBJECTS
from cardtwin.provenance.middleware import ERASE_REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.cryptoki.values import Attribute, Query, Reading

__all__ = [
    "copy_object",
    "create_object",
    "destroy_object",
    "find_objects",
    "find_objects_final",
    "find_objects_init",
    "get_attribute_value",
    "get_object_size",
    "set_attribute_value",
]

_INVALID = Ckr.CKR_OBJECT_HANDLE_INVALID


@dataclass(slots=True)
class Search:
    """What a search has found and not yet told."""

    handles: list[int] = field(default_factory=list)


@function("C_FindObjectsInit")
def find_objects_init(application: Application, session: int, template: tuple[Attribute, ...]) -> None:
    """Search for the objects that have all these attributes."""
    found = application.session(session)
    found.require_idle(OperationKind.FIND)
    application.refresh(found.slot)
    handles = [
        handle
        for handle, thing in application.handles.of_slot(found.slot.slot_id)
        if application.visible(found, thing) and thing.matches(template)
    ]
    found.begin(OperationKind.FIND, Search(handles))


@function("C_FindObjects")
def find_objects(application: Application, session: int, most: int) -> Sequence[int]:
    """Tell some more of them. What was destroyed or hidden meanwhile is left out."""
    found = application.session(session)
    search = found.operation(OperationKind.FIND, Search)
    told: list[int] = []

    while search.handles and len(told) < most:
        handle = search.handles.pop(0)

        if application.handles.find(found.slot.slot_id, handle) is not None:
            told.append(handle)

    return told


@function("C_FindObjectsFinal")
def find_objects_final(application: Application, session: int) -> None:
    """End the search."""
    found = application.session(session)
    found.operation(OperationKind.FIND, Search)
    found.end(OperationKind.FIND)


@function("C_GetAttributeValue")
def get_attribute_value(
    application: Application, session: int, handle: int, template: tuple[Query, ...]
) -> Sequence[Reading]:
    """Read attributes, each for itself: one that cannot be had doesn't keep the others back."""
    thing = application.find(application.session(session), handle, invalid=_INVALID)
    return [thing.read(query) for query in template]


@function("C_GetObjectSize")
def get_object_size(application: Application, session: int, handle: int) -> int:
    """Return the bytes of an object's attributes, which is about what it takes."""
    thing = application.find(application.session(session), handle, invalid=_INVALID)
    return sum(map(len, thing.attributes.values()))


@function("C_CreateObject")
def create_object(application: Application, session: int, template: tuple[Attribute, ...]) -> int:
    """Make an object."""
    return add_object(application, application.session(session), completed(template))


def add_object(application: Application, session: Session, attributes: dict[int, bytes]) -> int:
    """Make an object of complete attributes and return its handle.

    Raises:
        CryptokiError: CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN; CKR_TEMPLATE_INCONSISTENT: the token
            doesn't take such objects.
    """
    thing = object_of(attributes)

    if thing.on_token:
        session.require_writable()

    needs_login = thing.private or application.switches[SESSION_OBJECTS] == "login"

    if needs_login and not session.user_logged_in:
        raise CryptokiError(Ckr.CKR_USER_NOT_LOGGED_IN, "nobody is logged in")

    if thing.on_token and thing.object_class == Cko.CKO_CERTIFICATE:
        return store_certificate(application, session, thing)

    if thing.on_token:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "the token takes no new objects but certificates")

    return application.handles.add_session_object(session.slot.slot_id, session.handle, thing)


def object_of(attributes: dict[int, bytes]) -> CryptokiObject:
    """Return the object that complete attributes are."""
    thing = CryptokiObject(attributes=attributes, sensitive=sensitive_of(attributes))
    is_key = thing.object_class == Cko.CKO_PUBLIC_KEY
    return replace(thing, public=from_attributes(attributes)) if is_key else thing


@function("C_CopyObject")
def copy_object(application: Application, session: int, handle: int, template: tuple[Attribute, ...]) -> int:
    """Copy an object, with some attributes changed."""
    found = application.session(session)
    thing = application.find(found, handle, invalid=_INVALID)

    if not thing.true(Cka.CKA_COPYABLE):
        raise CryptokiError(Ckr.CKR_ACTION_PROHIBITED, f"{thing.label!r} cannot be copied")

    changes = given(template)

    for each in changes.values():
        if each.type not in {Cka.CKA_TOKEN, Cka.CKA_PRIVATE, Cka.CKA_MODIFIABLE, Cka.CKA_DESTROYABLE}:
            _check_change(thing, each)

        if each.type == Cka.CKA_PRIVATE and thing.private and not each.boolean:
            raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "what is private stays so")

    attributes = dict(thing.attributes) | {kind: each.value for kind, each in changes.items()}
    return add_object(application, found, attributes)


@function("C_SetAttributeValue")
def set_attribute_value(
    application: Application, session: int, handle: int, template: tuple[Attribute, ...]
) -> None:
    """Change attributes: all of them, or none."""
    found = application.session(session)
    thing = application.find(found, handle, invalid=_INVALID)

    if thing.on_token:
        found.require_writable()

    if not thing.true(Cka.CKA_MODIFIABLE):
        raise CryptokiError(Ckr.CKR_ACTION_PROHIBITED, f"{thing.label!r} cannot be changed")

    if thing.on_token:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_READ_ONLY, "the token's directories are not changed here")

    changes = given(template)

    for each in changes.values():
        _check_change(thing, each)

    attributes = dict(thing.attributes) | {kind: each.value for kind, each in changes.items()}
    application.handles.change(
        handle, replace(thing, attributes=attributes, sensitive=sensitive_of(attributes))
    )


def _check_change(thing: CryptokiObject, change: Attribute) -> None:
    form = form_of(thing.object_class, change.type)

    if change.type not in thing.attributes or form is None:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_TYPE_INVALID, f"the object has no {name_of(Cka, change.type)}")

    if change.type not in CHANGEABLE:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_READ_ONLY, f"{name_of(Cka, change.type)} doesn't change")

    check_value(change, form)
    loosens = change.type == Cka.CKA_SENSITIVE and thing.true(Cka.CKA_SENSITIVE) and not change.boolean
    opens = change.type == Cka.CKA_EXTRACTABLE and not thing.true(Cka.CKA_EXTRACTABLE) and change.boolean

    if loosens or opens:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_READ_ONLY, f"{name_of(Cka, change.type)} doesn't change back")


@function("C_DestroyObject")
def destroy_object(application: Application, session: int, handle: int) -> None:
    """Destroy an object. The Card Eraser's destruction erases the card."""
    found = application.session(session)
    thing = application.find(found, handle, invalid=_INVALID)

    if thing.on_token:
        found.require_writable()

    if not thing.true(Cka.CKA_DESTROYABLE):
        raise CryptokiError(Ckr.CKR_ACTION_PROHIBITED, f"{thing.label!r} cannot be destroyed")

    if thing.on_token and thing.label == CARD_ERASER:
        _erase(application, found)
        return

    if thing.on_token:
        remove_certificate(application, found, thing)

    application.handles.drop(handle)


def _erase(application: Application, session: Session) -> None:
    """Erase the card by its own conditions; those who are logged in count."""
    bay = session.slot.bay
    refused = Ckr[application.switches[ERASE_REFUSED]]
    verified = application.verified_on(bay)

    with bay.card() as driver:
        erase(driver, verified, Journal(), refused)

    application.forget_card(bay)
