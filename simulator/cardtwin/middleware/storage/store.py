"""Objects put on a token and taken off it: values first and lists last, and the other way round."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from cardtwin import pkcs15
from cardtwin.middleware.facts import public_half
from cardtwin.middleware.rights import Right
from cardtwin.middleware.storage.lists import Lists, parse_entry
from cardtwin.middleware.storage.rooms import administration, find_room, free_file, free_reference, require
from cardtwin.middleware.storage.undo import taking_back
from cardtwin.middleware.storage.values import Values
from cardtwin.middleware.tokenreader import absolute
from cardtwin.middleware.tokens import ObjectClass, half_file
from cardtwin.pkcs15 import CommonFlags
from cardtwin.plan import PublicKeyForm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from cardtwin.middleware.drivers import CardDriver, KeyValue
    from cardtwin.middleware.rights import Condition
    from cardtwin.middleware.storage.lists import EntryList
    from cardtwin.middleware.tokens import TokenObject

__all__ = ["TokenStore"]

_SEEN_BY_ALL: Final = CommonFlags(0)

Undo = list["Callable[[], object]"]
KeyEntry = TypeVar("KeyEntry", pkcs15.PrivateKey, pkcs15.PublicKey)
Filed = TypeVar("Filed", pkcs15.PublicKey, pkcs15.Certificate, pkcs15.DataObject)

_CLASS_OF: Final = {
    pkcs15.PublicKey: ObjectClass.PUBLIC_KEY,
    pkcs15.Certificate: ObjectClass.CERTIFICATE,
    pkcs15.DataObject: ObjectClass.DATA,
}
_LONG_AS_AN_ID: Final = bytes(24)


@dataclass(frozen=True, slots=True)
class MadePair:
    """A key pair that the card has made.

    Attributes:
        private: The private key as it is listed.
        public: The public key as it is listed; None where it isn't.
        half: The public key as its file holds it: RSAPublicKey, or SubjectPublicKeyInfo of an EC key.
    """

    private: pkcs15.PrivateKey
    public: pkcs15.PublicKey | None
    half: bytes


class TokenStore:
    """What changes the objects of one token, while the card is held.

    Every method raises MiddlewareError, and leaves the token as it was: CKR_USER_NOT_LOGGED_IN where the
    card's conditions are for another credential, CKR_TOKEN_WRITE_PROTECTED where they are for nobody or the
    token has no such list, CKR_DEVICE_MEMORY where there is no room.
    """

    def __init__(
        self,
        driver: CardDriver,
        application: tuple[int, ...],
        verified: AbstractSet[int],
        guard: Condition,
    ) -> None:
        """Take what it works with.

        Args:
            driver: The card's driver.
            application: The path of the PKCS#15 application's DF.
            verified: The references of the credentials that are verified.
            guard: Who may change and delete new objects.
        """
        self._driver = driver
        self._application = application
        self._verified = verified
        self._lists = Lists(driver, application, verified)
        self._values = Values(driver, guard)

    # New objects

    def generate(
        self, private: pkcs15.PrivateKey, public: pkcs15.PublicKey | None, use: Condition
    ) -> MadePair:
        """Make a key pair on the card, and list the private half, and the public one where it is wanted.

        Args:
            private: What is listed of the private key; its number and place are filled in, and so is an empty
                identifier: the SHA-1 of the public key, longer where a seeded card has made it before.
            public: What is listed of the public key, likewise; None lists nothing.
            use: Who may use the private key.
        """
        privates = self._lists.taking(ObjectClass.PRIVATE_KEY)
        publics = self._lists.taking(ObjectClass.PUBLIC_KEY)
        room = self._room()
        private = self._placed(private, room)
        path = half_file(room, private.reference or 0)
        privates.require_room(len(pkcs15.encode_object(_identified(private, _LONG_AS_AN_ID))))

        if public is not None:
            public = replace(public, reference=private.reference, path=self._listed(path))
            publics.require_room(len(pkcs15.encode_object(_identified(public, _LONG_AS_AN_ID))))

        with self._changing() as undo:
            undo.append(lambda: self._values.discard_key(room, private.reference or 0))
            made = self._values.generate_key(private, use, room)
            identifier = _unused(public_half(made, PublicKeyForm.KEY_ID), privates.ids | publics.ids)
            half = public_half(made, PublicKeyForm.FILE)
            private = _identified(private, identifier)
            self._make_file(path, half, public.common if public else _SEEN_BY_ALL, undo)
            self._enter(privates, private, undo)

            if public is not None:
                public = _identified(public, identifier)
                self._enter(publics, public, undo)

        return MadePair(private, public, half)

    def import_key(
        self, private: pkcs15.PrivateKey, value: KeyValue, half: bytes, use: Condition
    ) -> pkcs15.PrivateKey:
        """Store a private key, and list it.

        Args:
            private: What is listed; number and place are filled in.
            value: Its value.
            half: Its public half, as files hold it.
            use: Who may use it.

        Returns:
            The entry as it is listed.
        """
        entries = self._lists.taking(ObjectClass.PRIVATE_KEY)
        room = self._room()
        private = self._placed(private, room)
        entries.require_room(len(pkcs15.encode_object(private)))

        with self._changing() as undo:
            undo.append(lambda: self._values.discard_key(room, private.reference or 0))
            self._values.import_key(private, value, use, room)
            self._make_file(half_file(room, private.reference or 0), half, _SEEN_BY_ALL, undo)
            self._enter(entries, private, undo)

        return private

    def add(self, entry: Filed, content: bytes) -> Filed:
        """Store a public key, a certificate or a data object in a new file, and list it.

        Args:
            entry: What is listed; the path is filled in. What is empty has no file: its value is in the list.
            content: Its value.

        Returns:
            The entry as it is listed.
        """
        object_class = _CLASS_OF[type(entry)]
        entries = self._lists.taking(object_class)
        entry, path = self._filed(entry, self._room()) if content else (replace(entry, path=b""), ())
        entries.require_room(len(pkcs15.encode_object(entry)))
        place = self._before_places(entries) if object_class is ObjectClass.CERTIFICATE else None

        with self._changing() as undo:
            self._make_file(path, content, entry.common, undo)
            self._enter(entries, entry, undo, place)

        return entry

    # Objects that are there

    def change(self, found: TokenObject, edit: Callable[[bytes], bytes]) -> pkcs15.AnyObject:
        """Change what is listed of an object.

        Args:
            found: The object.
            edit: Returns the new entry's DER for the old one's.

        Returns:
            The entry as it is listed now.
        """
        entries, place = self._lists.with_object(found)
        der = edit(entries.entries[place])

        with taking_back() as undo:
            self._replace(entries, place, (der,), undo)

        return parse_entry(found.object_class, der)

    def revalue(self, found: TokenObject, entry: Filed, content: bytes, *, shared: bool) -> Filed:
        """Give an object another value, in a new file; the old one goes, unless others are in it too.

        Args:
            found: The object.
            entry: What is listed of it from now on; the path is filled in.
            content: The new value.
            shared: As for remove().

        Returns:
            The entry as it is listed.
        """
        entries, place = self._lists.with_object(found)
        entry, path = self._filed(entry, self._room()) if content else (replace(entry, path=b""), ())
        self._require_deletable(found, shared=shared)

        with self._changing() as undo:
            self._make_file(path, content, entry.common, undo)
            self._replace(entries, place, (pkcs15.encode_object(entry),), undo)

            if found.path and not shared:
                self._values.delete_file(found.path)

        return entry

    def remove(self, found: TokenObject, *, shared: bool) -> None:
        """Take an object off its list, and delete its key object or file.

        Args:
            found: The object.
            shared: Whether other objects are in the same file, which stays then. A private key's file is
                that of its public half.
        """
        entries, place = self._lists.with_object(found)
        self._require_deletable(found, shared=shared)

        with self._changing() as undo:
            self._replace(entries, place, (), undo)

            if isinstance(found.entry, pkcs15.PrivateKey) and found.entry.reference is not None:
                self._values.delete_key(found.path or self._application, found.entry.reference & 0x7F)

            if found.file and not shared:
                self._values.delete_file(found.file)

    # Steps

    def _require_deletable(self, found: TokenObject, *, shared: bool) -> None:
        """See that an object's value can be deleted, as far as the card tells."""
        key = isinstance(found.entry, pkcs15.PrivateKey)
        info = self._driver.select(found.path) if found.path and (key or not shared) else None
        right = Right.OBJECTS_UPDATE if key else Right.DELETE

        if info is not None and info.rights is not None:
            require(info.rights.get(right), self._verified, f"deleting {found.label!r}")

    @contextmanager
    def _changing(self) -> Iterator[Undo]:
        with administration(self._driver, self._verified), taking_back() as undo:
            yield undo

    def _room(self) -> tuple[int, ...]:
        return find_room(self._driver, self._application, self._verified)

    def _placed(self, private: pkcs15.PrivateKey, room: tuple[int, ...]) -> pkcs15.PrivateKey:
        return replace(private, reference=free_reference(self._driver, room), path=self._listed(room))

    def _filed(self, entry: Filed, room: tuple[int, ...]) -> tuple[Filed, tuple[int, ...]]:
        private = CommonFlags.PRIVATE in entry.common
        path = (*room, free_file(self._driver, room, _CLASS_OF[type(entry)], private=private))
        return replace(entry, path=self._listed(path)), path

    def _listed(self, path: tuple[int, ...]) -> pkcs15.Path:
        """Return a path as the token's lists say it."""
        begin = len(self._application) if self._driver.paths_from_application else 0
        return pkcs15.Path.of(*path[begin:])

    def _make_file(self, path: tuple[int, ...], content: bytes, flags: CommonFlags, undo: Undo) -> None:
        if path:
            undo.append(lambda: self._values.delete_file(path))
            self._values.make_file(path, content, private=CommonFlags.PRIVATE in flags)

    def _enter(
        self, entries: EntryList, entry: pkcs15.AnyObject, undo: Undo, place: int | None = None
    ) -> None:
        if not entries.made:
            self._make_list(entries, undo)

        at = len(entries.entries) if place is None else place
        self._replace(entries, at, (pkcs15.encode_object(entry), *entries.entries[at : at + 1]), undo)

    def _make_list(self, entries: EntryList, undo: Undo) -> None:
        directory = self._lists.directory()
        assert directory is not None
        assert entries.kind is not None
        self._make_file(entries.path, entries.content, _SEEN_BY_ALL, undo)
        leading = pkcs15.encode_odf([pkcs15.DirectoryPath(entries.kind, self._listed(entries.path))])
        self._replace(directory, len(directory.entries), (leading,), undo)

    def _before_places(self, entries: EntryList) -> int | None:
        """Return where the first certificate is listed whose place is empty; None where none is.

        OpenSC's PKCS#11 looks no further than the first one that it cannot read.
        """
        for at, der in enumerate(entries.entries):
            path = getattr(parse_entry(ObjectClass.CERTIFICATE, der), "path", None)
            file = absolute(path, self._application) if isinstance(path, pkcs15.Path) else ()

            if file and self._values.is_empty(file):
                return at

        return None

    def _replace(self, entries: EntryList, place: int, by: tuple[bytes, ...], undo: Undo) -> None:
        undo.append(lambda: self._lists.restore(entries))
        before = entries.entries
        self._lists.rewrite(entries, (*before[:place], *by, *before[place + 1 :]))


def _unused(identifier: bytes, taken: AbstractSet[bytes]) -> bytes:
    while identifier in taken:
        identifier += b"\x01"

    return identifier


def _identified(entry: KeyEntry, identifier: bytes) -> KeyEntry:
    return entry if entry.id else replace(entry, id=identifier)
