"""A card's memory for checks: what state it is in, what is on it. Shows no PIN and no key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import KEY_CLASS, PIN, TEST_CLASS, key_parts, private_key, signs
from cardtwin.card.crypto import RsaPrivateKey
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Df, Ef, path_text
from cardtwin.card.memory.access import ALWAYS, DfOperation, EfOperation, MfOperation, condition_text
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.card.memory.rules import condition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.card.memory import CardImage, File, ObjectKey, SecurityObject

__all__ = ["CardView", "FileView", "KeyView", "PinView"]

_FUSE: Final = (
    DfOperation.LCYCLE,
    DfOperation.UPDATE,
    DfOperation.APPEND,
    DfOperation.DELETE,
    DfOperation.CREATE,
)
_MF_OPERATIONS: Final = (*DfOperation, *MfOperation)


@dataclass(frozen=True, slots=True)
class FileView:
    """A file.

    Attributes:
        kind: ``df``, or the kind of EF such as ``transparent``.
        size: Its size in bytes, as it was created.
        content: A transparent file's bytes; of a file of records, these one after the other.
        records: The records; empty where there are none.
        access: Conditions for people by operation, such as ``{"READ": "always", "UPDATE": "object 03"}``.
        active: Whether it is active.
        name: A DF's AID.
    """

    kind: str
    size: int
    content: bytes = field(repr=False)
    records: tuple[bytes, ...] = field(repr=False)
    access: Mapping[str, str]
    active: bool
    name: bytes


@dataclass(frozen=True, slots=True)
class PinView:
    """A PIN's counter, and the conditions of its object.

    Attributes:
        tries_left: The tries that are left.
        max_tries: The number of tries; 0 counts none.
        access: Conditions by operation.
        known: Whether the image has its value: that of a card that was read hasn't.
    """

    tries_left: int
    max_tries: int
    access: Mapping[str, str]
    known: bool = True

    @property
    def blocked(self) -> bool:
        """Whether no try is left."""
        return bool(self.max_tries) and not self.tries_left


@dataclass(frozen=True, slots=True)
class KeyView:
    """A private key.

    Attributes:
        kind: ``RSA-2048``, the name of a curve, or empty where the components make no key.
        purpose: ``sign`` or ``decipher``.
        public: The public key as SubjectPublicKeyInfo in DER; empty where there is none.
        access: Conditions by operation.
    """

    kind: str
    purpose: str
    public: bytes
    access: Mapping[str, str]


class CardView:
    """What a card image says. Paths are written ``3F00/5015/4401``."""

    def __init__(self, image: CardImage) -> None:
        self._image = image

    @property
    def life_cycle(self) -> LifeCycle:
        """The phase of life."""
        return self._image.life_cycle

    @property
    def fuse(self) -> str:
        """Whether the fuse is ``intact`` or ``burnt``.

        It's intact while the MF's conditions on phase, objects, deletion and creation are all "always" and
        the card isn't operational.
        """
        master = self._image.files.get(MF)
        conditions = [master.access[at] for at in _FUSE] if master else []
        open_ = all(condition == ALWAYS for condition in conditions)
        return "intact" if open_ and self.life_cycle is not LifeCycle.OPERATIONAL else "burnt"

    @property
    def erasable(self) -> str:
        """Who may take the card back into administration: ``always``, ``never`` or ``object 0x``."""
        master = self._image.files.get(MF)
        return condition_text(master.access[DfOperation.LCYCLE]) if master else "always"

    @property
    def serial(self) -> bytes:
        """The chip's serial number."""
        return self._image.serial

    @property
    def files(self) -> dict[str, FileView]:
        """The files by path, in the order of creation."""
        return {path_text(path): _file(self._image, path, file) for path, file in self._image.files.items()}

    @property
    def pins(self) -> dict[tuple[str, int], PinView]:
        """The PINs and PUKs by DF and reference."""
        return {
            (path_text(key.df), key.id): _pin(found)
            for key, found in self._image.objects.items()
            if key.class_ == TEST_CLASS and found.algorithm == PIN
        }

    @property
    def keys(self) -> dict[tuple[str, int], KeyView]:
        """The private keys by DF and reference."""
        return {
            (path_text(key.df), key.id): _key(self._image, key, found)
            for key, found in self._image.objects.items()
            if key.class_ == KEY_CLASS
        }


def _file(image: CardImage, path: bytes, file: File) -> FileView:
    if isinstance(file, Ef):
        content = file.content or b"".join(file.records)
        access = _conditions(image, path, tuple(EfOperation))
        kind = file.kind.name.lower().replace("_", " ")
        return FileView(kind, file.size, content, file.records, access, file.active, b"")

    assert isinstance(file, Df)
    operations = _MF_OPERATIONS if path == MF else tuple(DfOperation)
    return FileView("df", file.size, b"", (), _conditions(image, path, operations), file.active, file.name)


def _conditions(
    image: CardImage, path: bytes, operations: tuple[DfOperation | EfOperation | MfOperation, ...]
) -> dict[str, str]:
    known = [at for at in operations if at < len(image.files[path].access)]
    return {at.name: condition_text(condition_of(image, path, at)) for at in known}


def _object_access(found: SecurityObject) -> dict[str, str]:
    names = ("USE", "CHANGE", "UNBLOCK")
    return {name: condition_text(byte) for name, byte in zip(names, found.access, strict=False)}


def _pin(found: SecurityObject) -> PinView:
    return PinView(found.tries_left, found.max_tries, _object_access(found), known=bool(found.body))


def _key(image: CardImage, key: ObjectKey, found: SecurityObject) -> KeyView:
    purpose, access = "sign" if signs(found.algorithm) else "decipher", _object_access(found)

    try:
        private = private_key(key_parts(image, key))
    except Refusal:
        return KeyView("", purpose, b"", access)

    if isinstance(private, RsaPrivateKey):
        return KeyView(f"RSA-{private.bits}", purpose, private.public.spki(), access)

    return KeyView(private.curve.value, purpose, private.spki(), access)
