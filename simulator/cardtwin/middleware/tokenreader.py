"""A token read from a card's PKCS#15 files. What cannot be read, for want of a login, is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from cardtwin import pkcs15
from cardtwin.middleware.checks import MARK
from cardtwin.middleware.content import Content
from cardtwin.middleware.drivers import Phase
from cardtwin.middleware.errors import CommandFailedError
from cardtwin.middleware.names import MF
from cardtwin.middleware.pinkinds import kinds_of
from cardtwin.middleware.rights import OPEN, Right
from cardtwin.middleware.serial import card_number
from cardtwin.middleware.tokens import (
    CARD_ERASER,
    ENCRYPTED_PINS,
    ObjectClass,
    PinInfo,
    Token,
    TokenObject,
    TokenState,
)
from cardtwin.pkcs15 import CommonFlags, DirectoryKind, OtherObject, Pkcs15Error
from cardtwin.plan import PinBlobError, persinfo

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from cardtwin.middleware.drivers import CardDriver, FileInfo
    from cardtwin.plan import PinBlobCodec

__all__ = ["TOKEN_INFO", "TokenReader", "absolute", "application_of", "state_of"]

T = TypeVar("T")

_PROFILE_ID: Final = "ProfileId"
_APPLICATION: Final = 0x5015
_ODF: Final = 0x5031
TOKEN_INFO: Final = 0x5032
"""The identifier of the file that says what the token is."""

_PARSERS: Final[dict[DirectoryKind, tuple[ObjectClass, Callable[[bytes], Sequence[pkcs15.AnyObject]]]]] = {
    DirectoryKind.PRIVATE_KEYS: (ObjectClass.PRIVATE_KEY, pkcs15.parse_prkdf),
    DirectoryKind.PUBLIC_KEYS: (ObjectClass.PUBLIC_KEY, pkcs15.parse_pukdf),
    DirectoryKind.TRUSTED_PUBLIC_KEYS: (ObjectClass.PUBLIC_KEY, pkcs15.parse_pukdf),
    DirectoryKind.CERTIFICATES: (ObjectClass.CERTIFICATE, pkcs15.parse_cdf),
    DirectoryKind.TRUSTED_CERTIFICATES: (ObjectClass.CERTIFICATE, pkcs15.parse_cdf),
    DirectoryKind.USEFUL_CERTIFICATES: (ObjectClass.CERTIFICATE, pkcs15.parse_cdf),
    DirectoryKind.DATA_OBJECTS: (ObjectClass.DATA, pkcs15.parse_dodf),
}
_READ_FOR_BLOB: Final = {ObjectClass.CERTIFICATE, ObjectClass.DATA}


def state_of(phase: Phase, master: FileInfo | None, children: Sequence[int]) -> TokenState:
    """Return how far a card is.

    The mark says that a change didn't come to its end; so do conditions of the MF that are closed in part, as
    they are in the last steps of burning the fuse, and a phase without a file system.
    """
    rights = (master.rights if master else None) or OPEN
    closing, closed = (rights.get(right) for right in (Right.DELETE, Right.CREATE))

    if phase is Phase.OTHER or MARK in children:
        return TokenState.INCOMPLETE

    if closing != closed or (phase is Phase.ADMINISTRATION and closed != OPEN[Right.CREATE]):
        return TokenState.INCOMPLETE

    return TokenState.INITIALISED if children else TokenState.BLANK


class TokenReader:
    """Reads one card, at one moment: no file is read twice."""

    def __init__(
        self,
        driver: CardDriver,
        codec: PinBlobCodec,
        *,
        eraser: bool = True,
        content: Content | None = None,
        logged_in: bool = False,
    ) -> None:
        """Take what it reads with.

        Args:
            driver: The card's driver.
            codec: The format of the encrypted PINs.
            eraser: Whether to show the Card Eraser.
            content: What is known of the card's content already; None begins anew.
            logged_in: Whether what it reads may need a login.
        """
        self._driver = driver
        self._codec = codec
        self._eraser = eraser
        self._logged_in = logged_in
        self.unreadable: set[tuple[int, ...]] = set()
        """Files that the card has not let be read."""

        self.content = content or Content()
        """What is known of the card's content."""

    def token(self) -> Token:
        """Return the token."""
        serial = self._driver.chip_serial()
        state, master = self.state()
        virtual = tuple(self._virtual())

        if state is TokenState.BLANK or master is None:
            return Token(state, serial, objects=virtual)

        application = self.application()
        directories = pkcs15.parse_odf(self._content((*application, _ODF)))
        info = self._token_info(application)
        objects = tuple(self._objects(directories, application))
        return Token(
            state,
            serial,
            label=info.label,
            serial=info.serial,
            manufacturer=info.manufacturer,
            profile_name=self._profile_name(objects),
            pins=self._pins(directories, application, master),
            objects=(*objects, *virtual),
        )

    def card_number(self) -> str:
        """Return the number that the card goes by, as the token has it, without reading more of that."""
        serial = self._driver.chip_serial()
        state, _ = self.state()
        known = state is not TokenState.BLANK
        return card_number(self._token_info(self.application()).serial if known else b"", serial)

    def state(self) -> tuple[TokenState, FileInfo | None]:
        """Return how far the card is, and what it tells about its MF."""
        return self._once("state", self._read_state)

    def free_memory(self) -> int:
        """Return the free bytes of the card."""
        return self._once("free memory", self._driver.free_memory)

    def _read_state(self) -> tuple[TokenState, FileInfo | None]:
        phase = self._driver.phase()
        master = self._driver.select((MF,)) if phase is not Phase.OTHER else None
        children = self._children() if master else ()
        return state_of(phase, master, children), master

    def _children(self) -> tuple[int, ...]:
        """Return the files in the MF; of a card that doesn't list them, the application alone, if it has one.

        That CardOS 5 lists files is ours: a physical card may refuse it.
        """
        try:
            return self._driver.children()
        except CommandFailedError:
            application = self.application()
            return application[1:] if self._driver.select(application) else ()

    def blob(self) -> bytes | None:
        """Return the encrypted PINs, up to the end of their file; None if there are none."""
        for found in self.token().objects:
            if (found.object_class, found.label) == (ObjectClass.DATA, ENCRYPTED_PINS) and found.path:
                return self._blob_in(self.content_of(found))

        return None

    def content_of(self, found: TokenObject) -> bytes:
        """Return the bytes of an object's file, or of its piece of one; empty where they cannot be read.

        Of a private key it is the public half, where a program has put one beside it.
        """
        path = getattr(found.entry, "path", None)
        content = self._content(found.file)
        return path.piece(content) if isinstance(path, pkcs15.Path) else content

    def _virtual(self) -> Iterator[TokenObject]:
        if self._eraser:
            yield TokenObject(ObjectClass.DATA, CARD_ERASER)

    def application(self) -> tuple[int, ...]:
        """Return the path of the PKCS#15 application's DF."""
        return self._once("application", lambda: application_of(self._driver))

    def _once(self, key: Hashable, read: Callable[[], T]) -> T:
        return self.content.get(key, read, logged_in=self._logged_in)

    def _content(self, path: tuple[int, ...]) -> bytes:
        """Return a file's content; empty, and not kept, where the card doesn't let it be read."""
        if path in self.unreadable:
            return b""

        try:
            return self._once(path, lambda: self._read(path))
        except CommandFailedError:
            self.unreadable.add(path)
            return b""

    def _read(self, path: tuple[int, ...]) -> bytes:
        info = self._driver.select(path) if path else None
        return self._driver.read(info.size or 0) if info and not info.directory else b""

    def _token_info(self, application: tuple[int, ...]) -> pkcs15.TokenInfo:
        try:
            return pkcs15.TokenInfo.parse(self._content((*application, TOKEN_INFO)))
        except Pkcs15Error:
            return pkcs15.TokenInfo(serial=b"")

    def _objects(
        self, directories: Sequence[pkcs15.DirectoryPath], application: tuple[int, ...]
    ) -> Iterator[TokenObject]:
        for directory in directories:
            if directory.kind not in _PARSERS:
                continue

            object_class, parse = _PARSERS[directory.kind]

            for entry in parse(self._content(absolute(directory.path, application))):
                if not isinstance(entry, OtherObject):
                    yield self._object(object_class, entry, application)

    def _object(
        self, object_class: ObjectClass, entry: pkcs15.AnyObject, application: tuple[int, ...]
    ) -> TokenObject:
        assert not isinstance(entry, OtherObject)
        path = getattr(entry, "path", None)
        place: tuple[int, ...] = ()

        # A key may lie in the application's own DF without saying so; a file can't.
        if isinstance(path, pkcs15.Path) and (path.value or isinstance(entry, pkcs15.PrivateKey)):
            place = absolute(path, application)

        found = TokenObject(object_class, entry.label, entry, place, CommonFlags.PRIVATE in entry.common)

        if place and object_class in _READ_FOR_BLOB and self._blob_in(self.content_of(found)) is not None:
            return TokenObject(ObjectClass.DATA, ENCRYPTED_PINS, entry, place, found.private)

        return found

    def _blob_in(self, content: bytes) -> bytes | None:
        if persinfo.recognises(content):
            try:
                content = persinfo.parse(content).sec
            except PinBlobError:
                return None

        return content if self._codec.recognises(content) else None

    def _profile_name(self, objects: Sequence[TokenObject]) -> str:
        for found in objects:
            if (found.object_class, found.label) == (ObjectClass.DATA, _PROFILE_ID):
                return self.content_of(found).rstrip(b"\0\xff").decode(errors="replace")

        return ""

    def _pins(
        self,
        directories: Sequence[pkcs15.DirectoryPath],
        application: tuple[int, ...],
        master: FileInfo | None,
    ) -> tuple[PinInfo, ...]:
        erase = ((master.rights if master else None) or OPEN).get(Right.DELETE)
        found = [
            entry
            for directory in directories
            if directory.kind is DirectoryKind.AUTH_OBJECTS
            for entry in pkcs15.parse_aodf(self._content(absolute(directory.path, application)))
            if isinstance(entry, pkcs15.Pin)
        ]
        return kinds_of(found, erase.reference if erase else None)


def application_of(driver: CardDriver) -> tuple[int, ...]:
    """Return the path of the PKCS#15 application's DF."""
    selected = driver.select_application(pkcs15.AID)
    file_id = selected.file_id if selected else None
    return (MF, file_id or _APPLICATION)


def absolute(path: pkcs15.Path, application: tuple[int, ...]) -> tuple[int, ...]:
    """Return a path of PKCS#15 from the MF on; empty where it is none."""
    try:
        file_ids = path.file_ids
    except Pkcs15Error:
        return ()

    return file_ids if file_ids[:1] == (MF,) else (*application, *file_ids)
