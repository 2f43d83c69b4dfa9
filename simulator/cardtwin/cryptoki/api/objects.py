"""Objects: search and read (OASIS PKCS #11 v2.40, 5.7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.sessions import OperationKind
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.values import Attribute, Query, Reading

__all__ = [
    "find_objects",
    "find_objects_final",
    "find_objects_init",
    "get_attribute_value",
    "get_object_size",
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
