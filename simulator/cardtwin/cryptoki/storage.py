"""Certificates on the token: into the places that its profile has made for them, and out again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardtwin import pkcs15
from cardtwin.cryptoki.constants import Cka, Cko
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.tokenobjects import key_of, read_certificate
from cardtwin.middleware import Ckr
from cardtwin.middleware.errors import CommandFailedError
from cardtwin.middleware.rights import Right

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.bay import TokenView
    from cardtwin.cryptoki.objects import CryptokiObject
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.cryptoki.slots import Slot
    from cardtwin.middleware import TokenObject
    from cardtwin.middleware.drivers import FileInfo

__all__ = ["remove_certificate", "store_certificate"]


def store_certificate(application: Application, session: Session, thing: CryptokiObject) -> int:
    """Write a certificate into the place of its identifier, or of its key, and return its handle.

    The place's label and identifier are the certificate's afterwards (rule ``cryptoki.certificate-places``).

    Raises:
        CryptokiError: CKR_TEMPLATE_INCONSISTENT: the token has no such place. CKR_DEVICE_MEMORY: the place is
            taken, or too small.
        MiddlewareError: CKR_USER_NOT_LOGGED_IN: the card lets somebody else write there.
    """
    slot, der = session.slot, thing.attributes[Cka.CKA_VALUE]
    view = slot.view(latest=True)
    place = _place(slot, view, _identifier(slot, view, thing))
    taken = any(each.stored == place and each.object_class == Cko.CKO_CERTIFICATE for each in view.objects)

    if taken:
        raise CryptokiError(
            Ckr.CKR_DEVICE_MEMORY, f"there is a certificate in {place.label!r}; destroy it first"
        )

    _write(application, session, place, der)
    application.refresh(slot)
    found = application.handles.of_slot(slot.slot_id)
    return next(
        handle for handle, each in found if each.stored is not None and each.stored.path == place.path
    )


def remove_certificate(application: Application, session: Session, thing: CryptokiObject) -> None:
    """Take a certificate out of its place, which is filled with 00; errors as store_certificate()."""
    assert thing.stored is not None
    _write(application, session, thing.stored, b"")


def _identifier(slot: Slot, view: TokenView, thing: CryptokiObject) -> bytes:
    """Return a certificate's CKA_ID; where the template has none, that of the key it is for."""
    if given := thing.attributes.get(Cka.CKA_ID):
        return given

    certificate = read_certificate(thing.attributes[Cka.CKA_VALUE])
    key = key_of(certificate) if certificate else None
    same = (each for each in slot.objects(view) if key is not None and each.public == key)
    found = next((each.attributes[Cka.CKA_ID] for each in same), None)

    if found is None:
        raise CryptokiError(
            Ckr.CKR_TEMPLATE_INCONSISTENT,
            "no key of this certificate is there, and no CKA_ID",
        )

    return found


def _place(slot: Slot, view: TokenView, identifier: bytes) -> TokenObject:
    if slot.shows(view, identifier):
        for found in view.token.objects:
            if _is_place(found, identifier):
                return found

    raise CryptokiError(
        Ckr.CKR_TEMPLATE_INCONSISTENT, "the token has no place for a certificate of this CKA_ID"
    )


def _is_place(found: TokenObject, identifier: bytes) -> bool:
    """Whether an object is, or can be, a certificate of that identifier in a file of its own."""
    entry = found.entry

    if not isinstance(entry, pkcs15.Certificate) or entry.id != identifier:
        return False

    return bool(found.path) and isinstance(entry.path, pkcs15.Path) and entry.path.index is None


def _write(application: Application, session: Session, place: TokenObject, content: bytes) -> None:
    with application.card_as(session) as driver:
        info = driver.select(place.path)

        if info is None or info.size is None:
            raise CryptokiError(Ckr.CKR_DEVICE_ERROR, f"the card has no file for {place.label!r}")

        if len(content) > info.size:
            raise CryptokiError(
                Ckr.CKR_DEVICE_MEMORY, f"{place.label!r} has room for {info.size} bytes, not {len(content)}"
            )

        with _noticing_loss(application, session, info):
            driver.write(content.ljust(info.size, b"\0"))

    session.slot.bay.outdate()


@contextmanager
def _noticing_loss(application: Application, session: Session, info: FileInfo) -> Iterator[None]:
    """See that a login has ended where the card refuses what its very PIN allows."""
    try:
        yield
    except CommandFailedError as error:
        if error.rv is Ckr.CKR_USER_NOT_LOGGED_IN and _allowed_by_login(session, info):
            application.forget_login(session)

        raise


def _allowed_by_login(session: Session, info: FileInfo) -> bool:
    """Whether a file lets itself be written by the very PIN that whoever is logged in has verified."""
    user, slot = session.login.user, session.slot
    needed = info.rights.get(Right.UPDATE) if info.rights else None
    return (
        user is not None
        and needed is not None
        and needed.reference == slot.pin_of(user, slot.view()).reference
    )
