"""Objects: make, copy, change, destroy (OASIS PKCS #11 v2.40, 5.7)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import Cka, Cko, name_of
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keeping.changes import (
    CHANGEABLE_ON_TOKEN,
    change_on_token,
    put_on_token,
    take_off_token,
)
from cardtwin.cryptoki.keys.private import read_private_key
from cardtwin.cryptoki.keys.public import from_attributes
from cardtwin.cryptoki.login import NotLoggedInError
from cardtwin.cryptoki.objects.fields import CHANGEABLE, ONE_WAY, UNCHANGED_IN_CERTIFICATES
from cardtwin.cryptoki.objects.model import CryptokiObject
from cardtwin.cryptoki.objects.templates import check_value, completed, form_of, given, sensitive_of
from cardtwin.middleware import Ckr
from cardtwin.middleware.eraser import erase
from cardtwin.middleware.journal import Journal
from cardtwin.provenance.cryptoki import SESSION_OBJECTS
from cardtwin.provenance.middleware import ERASE_REFUSED

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.cryptoki.values import Attribute

__all__ = [
    "add_object",
    "copy_object",
    "create_object",
    "destroy_object",
    "require_rights",
    "set_attribute_value",
]

_INVALID = Ckr.CKR_OBJECT_HANDLE_INVALID
_COPIED = {Cka.CKA_TOKEN, Cka.CKA_PRIVATE, Cka.CKA_MODIFIABLE, Cka.CKA_DESTROYABLE}
"""What a copy can have otherwise, beside what can be changed."""


@function("C_CreateObject")
def create_object(application: Application, session: int, template: tuple[Attribute, ...]) -> int:
    """Make an object."""
    return add_object(application, application.session(session), completed(template))


def add_object(
    application: Application, session: Session, attributes: dict[int, bytes], *, copied: bool = False
) -> int:
    """Make an object of complete attributes and return its handle.

    Raises:
        CryptokiError: CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN; CKR_TEMPLATE_INCONSISTENT: the token
            doesn't take such objects.
    """
    thing = object_of(attributes)
    require_rights(application, session, thing)

    if thing.on_token:
        return put_on_token(application, session, thing, copied=copied)

    return application.handles.add_session_object(session.slot.slot_id, session.handle, thing)


def object_of(attributes: dict[int, bytes]) -> CryptokiObject:
    """Return the object that complete attributes are."""
    thing = CryptokiObject(attributes=attributes, sensitive=sensitive_of(attributes))

    if thing.object_class == Cko.CKO_PUBLIC_KEY:
        return replace(thing, public=from_attributes(attributes))

    if thing.object_class == Cko.CKO_PRIVATE_KEY:
        value = read_private_key(attributes)
        return replace(thing, public=value.public, value=value)

    return thing


def require_rights(application: Application, session: Session, thing: CryptokiObject) -> None:
    """See that an object can be made in a session.

    Raises:
        CryptokiError: CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN.
    """
    if thing.on_token:
        session.require_writable()

    needs_login = thing.private or application.switches[SESSION_OBJECTS] == "login"

    if needs_login and not session.user_logged_in:
        raise NotLoggedInError(session.login)


@function("C_CopyObject")
def copy_object(application: Application, session: int, handle: int, template: tuple[Attribute, ...]) -> int:
    """Copy an object, with some attributes changed."""
    found = application.session(session)
    thing = application.find(found, handle, invalid=_INVALID)

    if not thing.true(Cka.CKA_COPYABLE):
        raise CryptokiError(Ckr.CKR_ACTION_PROHIBITED, f"{thing.label!r} cannot be copied")

    changes = given(template)

    for each in changes.values():
        if each.type not in _COPIED:
            _check_change(thing, each, CHANGEABLE)

        if each.type == Cka.CKA_PRIVATE and thing.private and not each.boolean:
            raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "what is private stays so")

    attributes = dict(thing.attributes) | {kind: each.value for kind, each in changes.items()}
    return add_object(application, found, attributes, copied=True)


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

    changes = given(template)
    allowed = CHANGEABLE | {Cka.CKA_VALUE} if thing.object_class == Cko.CKO_DATA else CHANGEABLE

    for each in changes.values():
        _check_change(thing, each, allowed)

    values = {kind: each.value for kind, each in changes.items()}

    if thing.on_token:
        _change_on_token(application, found, handle, thing, values)
        return

    attributes = dict(thing.attributes) | values
    application.handles.change(
        handle, replace(thing, attributes=attributes, sensitive=sensitive_of(attributes))
    )


def _change_on_token(
    application: Application, session: Session, handle: int, thing: CryptokiObject, values: dict[int, bytes]
) -> None:
    """Change what of a token's object is other than before; what the token has no place for stays."""
    changes = {kind: value for kind, value in values.items() if thing.attributes[kind] != value}

    for kind in changes.keys() - CHANGEABLE_ON_TOKEN[thing.object_class]:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_READ_ONLY, f"{name_of(Cka, kind)} doesn't change on the token")

    if changes:
        change_on_token(application, session, handle, thing, changes)


def _check_change(thing: CryptokiObject, change: Attribute, allowed: Collection[int]) -> None:
    form = form_of(thing.object_class, change.type)

    if change.type not in thing.attributes or form is None:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_TYPE_INVALID, f"the object has no {name_of(Cka, change.type)}")

    is_certificate = thing.object_class == Cko.CKO_CERTIFICATE

    if change.type not in allowed or (is_certificate and change.type in UNCHANGED_IN_CERTIFICATES):
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_READ_ONLY, f"{name_of(Cka, change.type)} doesn't change")

    check_value(change, form)
    final = ONE_WAY.get(change.type)

    if final is not None and thing.true(Cka(change.type)) is final and change.boolean is not final:
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

    if not thing.on_token:
        application.handles.drop(handle)
    elif thing.stored is not None and thing.stored.entry is None:
        _erase(application, found)
    else:
        take_off_token(application, found, handle, thing)


def _erase(application: Application, session: Session) -> None:
    """Erase the card by its own conditions; those who are logged in count."""
    bay = session.slot.bay
    refused = Ckr[application.switches[ERASE_REFUSED]]
    verified = application.verified_on(bay)

    with application.card_as(session) as driver:
        erase(driver, verified, Journal(), refused)

    application.forget_card(bay)
