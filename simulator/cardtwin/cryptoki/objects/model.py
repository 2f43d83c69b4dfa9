"""Objects as PKCS#11 shows them: attributes with their rules, and the handles of one application."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cardtwin.cryptoki.constants import Cka, Cko
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from cardtwin.cryptoki.keys.private import PrivateValue
    from cardtwin.cryptoki.keys.public import PublicNumbers
    from cardtwin.cryptoki.values import Attribute, Query, Reading
    from cardtwin.middleware import TokenObject

__all__ = ["CryptokiObject", "Handles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptokiObject:
    """One object.

    Attributes:
        attributes: What can be read, by type.
        sensitive: Attributes that are there and don't leave: CKR_ATTRIBUTE_SENSITIVE.
        identity: What makes it the same object when the token is read again; of a session object its session.
        stored: What the middleware knows of it; None for a session object.
        public: The key, or the public half of it, where that is known.
        place: The DF of a private key.
        key_bits: The size of a key where the directory says it.
        value: A private key that a session holds itself.
    """

    attributes: Mapping[int, bytes] = field(repr=False)
    sensitive: frozenset[int] = frozenset()
    identity: Hashable = None
    stored: TokenObject | None = None
    public: PublicNumbers | None = None
    place: tuple[int, ...] = ()
    key_bits: int | None = None
    value: PrivateValue | None = field(default=None, repr=False)

    @property
    def object_class(self) -> int:
        """CKO_*."""
        return self.ulong(Cka.CKA_CLASS)

    @property
    def private(self) -> bool:
        """Whether it is hidden without a login."""
        return self.true(Cka.CKA_PRIVATE)

    @property
    def on_token(self) -> bool:
        """Whether it is on the token, and not a session's."""
        return self.true(Cka.CKA_TOKEN)

    @property
    def label(self) -> str:
        """What users see."""
        return self.attributes.get(Cka.CKA_LABEL, b"").decode(errors="replace")

    def true(self, kind: Cka) -> bool:
        """Whether an attribute is there and CK_TRUE."""
        return self.attributes.get(kind, b"\0") != b"\0"

    def ulong(self, kind: Cka) -> int:
        """Return an attribute that is a CK_ULONG; 0 where it isn't there."""
        return int.from_bytes(self.attributes.get(kind, b""), "little")

    def read(self, query: Query) -> Reading:
        """Answer one attribute of C_GetAttributeValue."""
        if query.type in self.sensitive:
            return query.unavailable(Ckr.CKR_ATTRIBUTE_SENSITIVE)

        if query.type not in self.attributes:
            return query.unavailable(Ckr.CKR_ATTRIBUTE_TYPE_INVALID)

        return query.answer(self.attributes[query.type])

    def matches(self, template: Iterable[Attribute]) -> bool:
        """Whether it has all attributes of a search; what is sensitive matches nothing."""
        return all(
            each.type not in self.sensitive and self.attributes.get(each.type) == each.value
            for each in template
        )

    @property
    def is_private_key(self) -> bool:
        """Whether it is a private key."""
        return self.object_class == Cko.CKO_PRIVATE_KEY


@dataclass(slots=True)
class _Held:
    slot_id: int
    thing: CryptokiObject


class Handles:
    """The object handles of one application; none is ever given twice.

    Handles of private objects die with the login (clause 5.6, C_Logout). They are remembered as such, so
    that whoever uses one without a login is told CKR_USER_NOT_LOGGED_IN.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._held: dict[int, _Held] = {}
        self._by_identity: dict[tuple[int, Hashable], int] = {}
        self._session_objects = itertools.count(1)
        self._retired: dict[int, int] = {}

    def add(self, slot_id: int, thing: CryptokiObject) -> int:
        """Return the handle of an object of a slot; the same one as long as it lives."""
        key = (slot_id, thing.identity)
        handle = self._by_identity.get(key)

        if handle is None:
            handle = self._by_identity[key] = next(self._numbers)

        self._held[handle] = _Held(slot_id, thing)
        return handle

    def add_session_object(self, slot_id: int, session: int, thing: CryptokiObject) -> int:
        """Return the handle of a new object that lives as long as a session."""
        identity = ("session", session, next(self._session_objects))
        return self.add(slot_id, replace(thing, identity=identity))

    def change(self, handle: int, thing: CryptokiObject) -> None:
        """Have a handle mean an object with other attributes."""
        self._held[handle].thing = thing

    def rename(self, slot_id: int, handle: int, thing: CryptokiObject) -> None:
        """Have a handle mean the same object of a token, which has another name or identifier from now on."""
        held = self._held[handle]
        self._by_identity.pop((slot_id, held.thing.identity), None)
        self._by_identity[slot_id, thing.identity] = handle
        held.thing = thing

    def find(self, slot_id: int, handle: int) -> CryptokiObject | None:
        """Return the object of a handle in a slot; None if there is none."""
        held = self._held.get(handle)
        return held.thing if held and held.slot_id == slot_id else None

    def was_private(self, slot_id: int, handle: int) -> bool:
        """Whether the handle was one of a private object, until a login ended."""
        return self._retired.get(handle) == slot_id

    def of_slot(self, slot_id: int) -> Iterator[tuple[int, CryptokiObject]]:
        """Yield the handles and objects of a slot, oldest first."""
        for handle, held in tuple(self._held.items()):
            if held.slot_id == slot_id:
                yield handle, held.thing

    def drop(self, handle: int) -> None:
        """Forget a handle."""
        held = self._held.pop(handle, None)

        if held is not None:
            self._by_identity.pop((held.slot_id, held.thing.identity), None)

    def retire_private(self, slot_id: int) -> None:
        """Let the handles of a slot's private objects die, since a login has ended."""
        for handle, thing in self.of_slot(slot_id):
            if thing.private:
                self.drop(handle)
                self._retired[handle] = slot_id

    def keep_only(self, slot_id: int, things: Sequence[CryptokiObject]) -> None:
        """Take over what a token shows now: what is gone loses its handle, what changed is replaced."""
        shown = {thing.identity: thing for thing in things}

        for handle, thing in self.of_slot(slot_id):
            if not thing.on_token:
                continue

            if thing.identity in shown:
                self._held[handle].thing = shown[thing.identity]
            else:
                self.drop(handle)

    def drop_slot(self, slot_id: int) -> None:
        """Forget all handles of a slot: its card is gone, or its last session closed."""
        for handle, _ in self.of_slot(slot_id):
            self.drop(handle)

        self._retired = {handle: slot for handle, slot in self._retired.items() if slot != slot_id}
