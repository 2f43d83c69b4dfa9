"""Where PKCS#15 leads on a card: its application, the directory files, and what these refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin import pkcs15
from cardtwin.card.memory import MF
from cardtwin.iso7816 import StatusWord
from cardtwin.pkcs15 import DirectoryKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.targets.takeover.files import FileWalk

__all__ = ["TokenObjects", "absolute", "token_objects"]

_EF_DIR: Final = MF + bytes.fromhex("2F00")
_EF_ATR: Final = MF + bytes.fromhex("2F01")
_APPLICATION: Final = bytes.fromhex("5015")
_ODF: Final = bytes.fromhex("5031")
_BESIDE: Final = tuple(bytes.fromhex(name) for name in ("5032", "5033", "4946"))
"""TokenInfo, the list of unused space, and what pkcs15-init notes of its profile."""

_PARSERS: Final[Mapping[DirectoryKind, Callable[[bytes], Sequence[pkcs15.AnyObject]]]] = {
    DirectoryKind.PRIVATE_KEYS: pkcs15.parse_prkdf,
    DirectoryKind.PUBLIC_KEYS: pkcs15.parse_pukdf,
    DirectoryKind.TRUSTED_PUBLIC_KEYS: pkcs15.parse_pukdf,
    DirectoryKind.CERTIFICATES: pkcs15.parse_cdf,
    DirectoryKind.TRUSTED_CERTIFICATES: pkcs15.parse_cdf,
    DirectoryKind.USEFUL_CERTIFICATES: pkcs15.parse_cdf,
    DirectoryKind.DATA_OBJECTS: pkcs15.parse_dodf,
    DirectoryKind.AUTH_OBJECTS: pkcs15.parse_aodf,
}


class TokenObjects:
    """What the directory files of a card's PKCS#15 applications list.

    Attributes:
        pins: The PINs, each with the path of the DF that it lies in.
        keys: The private keys, likewise.
    """

    def __init__(self) -> None:
        self.pins: list[tuple[bytes, pkcs15.Pin]] = []
        self.keys: list[tuple[bytes, pkcs15.PrivateKey]] = []

    def add(self, application: bytes, entry: pkcs15.AnyObject) -> bytes | None:
        """Take note of an object; return the path of the file that it refers to."""
        path = absolute(getattr(entry, "path", None), application)

        if isinstance(entry, pkcs15.Pin):
            self.pins.append((path or MF, entry))
        elif isinstance(entry, pkcs15.PrivateKey):
            self.keys.append((path or application, entry))

        return path


def token_objects(driver: CardDriver, walk: FileWalk) -> TokenObjects:
    """Visit all files of the card's PKCS#15 applications, and return the PINs and keys that they list."""
    objects = TokenObjects()
    walk.visit(_EF_ATR)

    for application in dict.fromkeys(_applications(driver, walk)):
        if walk.visit(application) is None:
            continue

        for name in _BESIDE:
            walk.visit(application + name)

        odf = walk.visit(application + _ODF)

        for directory in pkcs15.parse_odf(odf.data) if odf else ():
            _follow(walk, objects, application, directory)

    return objects


def _follow(
    walk: FileWalk, objects: TokenObjects, application: bytes, directory: pkcs15.DirectoryPath
) -> None:
    path = absolute(directory.path, application)
    found = walk.visit(path) if path else None
    parse = _PARSERS.get(directory.kind)

    for entry in parse(found.data) if found and parse else ():
        referred = objects.add(application, entry)

        if referred:
            walk.visit(referred)


def _applications(driver: CardDriver, walk: FileWalk) -> Iterator[bytes]:
    """Yield paths of PKCS#15 applications: those of EF.DIR, the one of the name, the usual one."""
    listed = walk.visit(_EF_DIR)

    for application in pkcs15.parse_ef_dir(listed.data) if listed else ():
        if application.path and not len(application.path) % 2:
            yield _from_mf(application.path)

    selected = driver.select_application(pkcs15.AID)

    if selected is not None:
        told = driver.channel.ask("00CA0187", le=256)  # the current DF's path, without the MF

        if told.sw == StatusWord.SUCCESS and told.data and not len(told.data) % 2:
            yield _from_mf(told.data)
        elif selected.file_id:
            yield MF + selected.file_id.to_bytes(2)

    yield MF + _APPLICATION


def _from_mf(path: bytes) -> bytes:
    return path if path[:2] == MF else MF + path


def absolute(path: object, application: bytes) -> bytes | None:
    """Return a path of PKCS#15 from the MF on; None where it is none."""
    if not isinstance(path, pkcs15.Path) or not path.value or len(path.value) % 2:
        return None

    return path.value if path.value[:2] == MF else application + path.value
