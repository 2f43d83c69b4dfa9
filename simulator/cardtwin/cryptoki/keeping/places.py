"""Certificates in the places that the token's profile has made for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from cardtwin import pkcs15
from cardtwin.cryptoki.constants import Cka, Cko
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.objects.shown import key_of, read_certificate
from cardtwin.middleware import Ckr
from cardtwin.middleware.rights import Right

if TYPE_CHECKING:
    from cardtwin.cryptoki.bay import TokenView
    from cardtwin.cryptoki.keeping.access import TokenAccess
    from cardtwin.cryptoki.objects.model import CryptokiObject
    from cardtwin.cryptoki.slots import Slot
    from cardtwin.middleware import TokenObject

__all__ = ["certificate_id", "empty", "place_for", "write_certificate"]


def certificate_id(slot: Slot, view: TokenView, thing: CryptokiObject) -> bytes:
    """Return a certificate's CKA_ID; where the template has none, that of its key; else its key's SHA-1."""
    if given := thing.attributes.get(Cka.CKA_ID):
        return given

    certificate = read_certificate(thing.attributes[Cka.CKA_VALUE])
    assert certificate is not None
    key = key_of(certificate)
    same = (each for each in slot.objects(view) if key is not None and each.public == key)
    found = next((each.attributes[Cka.CKA_ID] for each in same), None)
    return found or x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def place_for(view: TokenView, identifier: bytes) -> TokenObject | None:
    """Return the place that the token has for a certificate of an identifier; None if it has none.

    Raises:
        CryptokiError: CKR_DEVICE_MEMORY: there is a certificate in it.
    """
    place = next((found for found in view.token.objects if _is_place(found, identifier)), None)

    if any(each.stored == place and each.object_class == Cko.CKO_CERTIFICATE for each in view.objects):
        assert place is not None
        raise CryptokiError(
            Ckr.CKR_DEVICE_MEMORY, f"there is a certificate in {place.label!r}; destroy it first"
        )

    return place


def _is_place(found: TokenObject, identifier: bytes) -> bool:
    """Whether an object is, or can be, a certificate of that identifier in a file of its own."""
    entry = found.entry

    if not isinstance(entry, pkcs15.Certificate) or entry.id != identifier:
        return False

    return bool(found.path) and isinstance(entry.path, pkcs15.Path) and entry.path.index is None


def write_certificate(access: TokenAccess, place: TokenObject, der: bytes) -> None:
    """Write a certificate into a place; the place's label and identifier are the certificate's afterwards.

    Raises:
        CryptokiError: CKR_DEVICE_MEMORY: the place is too small.
        MiddlewareError: CKR_USER_NOT_LOGGED_IN: the card lets somebody else write there.
    """
    _write(access, place, der)


def empty(access: TokenAccess, place: TokenObject) -> None:
    """Take a certificate out of its place, which is filled with 00; errors as write_certificate()."""
    _write(access, place, b"")


def _write(access: TokenAccess, place: TokenObject, content: bytes) -> None:
    with access.card() as driver:
        info = driver.select(place.path)

        if info is None or info.size is None:
            raise CryptokiError(Ckr.CKR_DEVICE_ERROR, f"the card has no file for {place.label!r}")

        if len(content) > info.size:
            raise CryptokiError(
                Ckr.CKR_DEVICE_MEMORY, f"{place.label!r} has room for {info.size} bytes, not {len(content)}"
            )

        access.require(info.rights, Right.UPDATE, f"writing {place.label!r}")
        driver.write(content.ljust(info.size, b"\0"))
