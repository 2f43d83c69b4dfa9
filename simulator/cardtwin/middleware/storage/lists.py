"""The directory files (EF.PrKD and its kin) of a token, as lists that change entry by entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin import pkcs15
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import MiddlewareError
from cardtwin.middleware.names import name_of
from cardtwin.middleware.rights import ANYBODY, Right
from cardtwin.middleware.storage.rooms import find_room, free_list, require
from cardtwin.middleware.tokenreader import absolute
from cardtwin.middleware.tokens import ObjectClass
from cardtwin.pkcs15 import DirectoryKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.rights import Condition
    from cardtwin.middleware.tokens import TokenObject

__all__ = ["EntryList", "Lists", "parse_entry"]

_ODF: Final = 0x5031
_END: Final = b"\0"
_SIZE: Final = 1024  # of a list that is made: what pkcs15-init gives that of private keys
_KINDS: Final[Mapping[ObjectClass, tuple[DirectoryKind, ...]]] = {
    ObjectClass.PRIVATE_KEY: (DirectoryKind.PRIVATE_KEYS,),
    ObjectClass.PUBLIC_KEY: (DirectoryKind.PUBLIC_KEYS, DirectoryKind.TRUSTED_PUBLIC_KEYS),
    ObjectClass.CERTIFICATE: (
        DirectoryKind.CERTIFICATES,
        DirectoryKind.TRUSTED_CERTIFICATES,
        DirectoryKind.USEFUL_CERTIFICATES,
    ),
    ObjectClass.DATA: (DirectoryKind.DATA_OBJECTS,),
}
"""The lists in which objects of a class stand; new ones go into the first."""

_PARSERS: Final[Mapping[ObjectClass, Callable[[bytes], tuple[pkcs15.AnyObject, ...]]]] = {
    ObjectClass.PRIVATE_KEY: pkcs15.parse_prkdf,
    ObjectClass.PUBLIC_KEY: pkcs15.parse_pukdf,
    ObjectClass.CERTIFICATE: pkcs15.parse_cdf,
    ObjectClass.DATA: pkcs15.parse_dodf,
}


@dataclass(frozen=True, slots=True)
class EntryList:
    """A directory file as it was read.

    Attributes:
        kind: What it lists; None for the list of these lists (EF.ODF).
        path: Where it is.
        content: All of it, what fills it up included.
        update: Who may write it; None where the card doesn't tell.
        made: Whether the file is there; if not, it is made before something is entered.
    """

    kind: DirectoryKind | None
    path: tuple[int, ...]
    content: bytes
    update: Condition | None
    made: bool = True

    @property
    def entries(self) -> tuple[bytes, ...]:
        """The entries' DER, those of unknown kinds too."""
        return tuple(pkcs15.elements(self.content))

    @property
    def ids(self) -> frozenset[bytes]:
        """The identifiers of the keys that it lists."""
        parsers = (pkcs15.parse_prkdf, pkcs15.parse_pukdf)
        parse = parsers[self.kind is not DirectoryKind.PRIVATE_KEYS]
        return frozenset(each.id for each in parse(self.content) if not isinstance(each, pkcs15.OtherObject))

    def require_room(self, more: int) -> None:
        """See that so many bytes can be added.

        Raises:
            MiddlewareError: CKR_DEVICE_MEMORY.
        """
        free = len(self.content) - sum(map(len, self.entries))

        if more > free:
            raise MiddlewareError(
                Ckr.CKR_DEVICE_MEMORY,
                f"the list {name_of(self.path)} has {free} bytes left; the new entry needs {more}",
            )


def parse_entry(object_class: ObjectClass, der: bytes) -> pkcs15.AnyObject:
    """Return what an entry says."""
    return _PARSERS[object_class](der)[0]


class Lists:
    """The lists of one token, while the card is held."""

    def __init__(self, driver: CardDriver, application: tuple[int, ...], verified: AbstractSet[int]) -> None:
        self._driver = driver
        self._application = application
        self._verified = verified

    def taking(self, object_class: ObjectClass) -> EntryList:
        """Return the list for new objects of a class; one to be made where the token has none yet.

        Raises:
            MiddlewareError: CKR_TOKEN_WRITE_PROTECTED: the token has none, and takes none. As require().
        """
        kind = _KINDS[object_class][0]
        found = next((each for each in self._all() if each.kind is kind), None)

        if found is None:
            return self._to_be_made(kind, object_class)

        require(found.update, self._verified, "writing the token's lists")
        return found

    def _to_be_made(self, kind: DirectoryKind, object_class: ObjectClass) -> EntryList:
        directory = self.directory()

        if directory is None or not (directory.update or ANYBODY).met(self._verified):
            raise MiddlewareError(
                Ckr.CKR_TOKEN_WRITE_PROTECTED, f"the token has no list for objects of {object_class}"
            )

        room = find_room(self._driver, self._application, self._verified)
        path = (*room, free_list(self._driver, room, object_class))
        directory.require_room(len(pkcs15.encode_odf([pkcs15.DirectoryPath(kind, pkcs15.Path.of(*path))])))
        return EntryList(kind, path, bytes(_SIZE), None, made=False)

    def directory(self) -> EntryList | None:
        """Return the list of the lists (EF.ODF); None where there is none."""
        return self._read(None, (*self._application, _ODF))

    def with_object(self, found: TokenObject) -> tuple[EntryList, int]:
        """Return the list in which an object stands, and its place there.

        Raises:
            MiddlewareError: CKR_DEVICE_ERROR: it stands in none any more. As require().
        """
        for entries in self._all():
            if entries.kind not in _KINDS[found.object_class]:
                continue

            listed = _PARSERS[found.object_class](entries.content)

            if found.entry in listed:
                require(entries.update, self._verified, "writing the token's lists")
                return entries, listed.index(found.entry)

        raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, f"{found.label!r} is not listed any more")

    def restore(self, before: EntryList) -> None:
        """Write what a list held before."""
        now = self._read(before.kind, before.path)

        if now is not None:
            self._put(now, before.content, _start_of_change(now, before.entries))

    def rewrite(self, old: EntryList, entries: Sequence[bytes]) -> None:
        """Write other entries into a list; only the bytes that differ are sent.

        What fits into one command is there as a whole or not at all. A longer change ends the list before the
        first entry that changes, writes the rest from its end on, and the beginning of that entry last: a
        card that is lost in between has a shorter list, and none that cannot be read.

        Raises:
            MiddlewareError: CKR_DEVICE_MEMORY: they don't go in; nothing has changed. What the card refuses.
        """
        added = sum(map(len, entries)) - sum(map(len, old.entries))
        old.require_room(added)
        content = b"".join(entries) + bytes(max(-added, 0))
        content += _END if len(content) < len(old.content) else b""
        self._put(old, content + old.content[len(content) :], _start_of_change(old, entries))

    def _put(self, old: EntryList, content: bytes, entry: int) -> None:
        """Write what of a list's content differs; `entry` is where the first entry begins that does."""
        places = [at for at, byte in enumerate(content) if byte != old.content[at]]

        if not places:
            return

        self._driver.select(old.path)
        begin, end, step = places[0], places[-1] + 1, self._driver.channel.max_data

        if end - begin <= step:
            self._driver.write(content[begin:end], begin)
            return

        self._driver.write(_END, entry)

        for at in reversed(range(entry, end, step)):
            self._driver.write(content[at : min(at + step, end)], at)

    def _all(self) -> Iterator[EntryList]:
        directory = (*self._application, _ODF)
        info = self._driver.select(directory)
        content = self._driver.read(info.size or 0) if info else b""

        for each in pkcs15.parse_odf(content):
            found = self._read(each.kind, absolute(each.path, self._application))

            if found is not None:
                yield found

    def _read(self, kind: DirectoryKind | None, path: tuple[int, ...]) -> EntryList | None:
        info = self._driver.select(path)

        if info is None or info.size is None:
            return None

        update = None if info.rights is None else info.rights.get(Right.UPDATE)
        return EntryList(kind, path, self._driver.read(info.size), update)


def _start_of_change(old: EntryList, entries: Sequence[bytes]) -> int:
    """Return where the first entry begins that isn't the same as before."""
    at = 0

    for before, after in zip(old.entries, entries, strict=False):
        if before != after:
            break

        at += len(before)

    return at
