"""What a card shows as a token: labels, PINs, objects, read from its PKCS#15 files."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final

from cardtwin.middleware.serial import card_number

if TYPE_CHECKING:
    from cardtwin import pkcs15

__all__ = [
    "CARD_ERASER",
    "ENCRYPTED_PINS",
    "ObjectClass",
    "PinInfo",
    "PinKind",
    "Token",
    "TokenObject",
    "TokenState",
    "half_file",
]

CARD_ERASER: Final = "Card Eraser"
ENCRYPTED_PINS: Final = "Encrypted PINs"

_HALVES: Final = 0x3500


class TokenState(Enum):
    """How far a card is."""

    BLANK = "blank"
    INITIALISED = "initialised"
    INCOMPLETE = "incomplete"


class ObjectClass(StrEnum):
    """Object classes, by PKCS#11's names."""

    DATA = "CKO_DATA"
    CERTIFICATE = "CKO_CERTIFICATE"
    PUBLIC_KEY = "CKO_PUBLIC_KEY"
    PRIVATE_KEY = "CKO_PRIVATE_KEY"


class PinKind(StrEnum):
    """What a PIN is for."""

    USER = "user"
    SIGNATURE = "signature"
    PUK = "puk"
    OPERATOR = "operator"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PinInfo:
    """A PIN or PUK that the token lists.

    Attributes:
        kind: What it is for, as far as its flags tell.
        entry: What the token says about it.
        so: Whether it is the credential of CKU_SO.
    """

    kind: PinKind
    entry: pkcs15.Pin
    so: bool = False

    @property
    def label(self) -> str:
        """What users see."""
        return self.entry.label

    @property
    def reference(self) -> int:
        """Its number on the card, without the bit that asks for a search."""
        return self.entry.reference & 0x7F


@dataclass(frozen=True, slots=True)
class TokenObject:
    """An object that the token shows.

    Attributes:
        object_class: PKCS#11's class of it.
        label: What users see.
        entry: What the token's directory says; None for a virtual object.
        path: The file that holds it; empty where there is none.
        private: Whether it is hidden before a login.
    """

    object_class: ObjectClass
    label: str
    entry: pkcs15.AnyObject | None = field(default=None, repr=False)
    path: tuple[int, ...] = ()
    private: bool = False

    @property
    def file(self) -> tuple[int, ...]:
        """The file that holds what of it can be read: of a private key the public half; empty for none."""
        if self.object_class is not ObjectClass.PRIVATE_KEY:
            return self.path

        reference = getattr(self.entry, "reference", None)
        return half_file(self.path, reference) if self.path and reference is not None else ()


def half_file(room: tuple[int, ...], reference: int) -> tuple[int, ...]:
    """Return where the public half of a key is that a program puts into a DF."""
    return (*room, _HALVES | reference & 0x7F)


@dataclass(frozen=True, slots=True)
class Token:
    """What a card shows.

    Attributes:
        state: Empty, initialised, or left in the middle of a change.
        chip_serial: The chip's serial number.
        label: The token's label; empty where it has none.
        serial: The serial number in TokenInfo; empty where it has none.
        manufacturer: Who made it, as TokenInfo says.
        profile_name: The name of the card profile, as the data object ProfileId says; may be empty.
        pins: PINs and PUKs, in the token's order.
        objects: Objects, virtual ones included.
    """

    state: TokenState
    chip_serial: bytes
    label: str = ""
    serial: bytes = b""
    manufacturer: str = ""
    profile_name: str = ""
    pins: tuple[PinInfo, ...] = ()
    objects: tuple[TokenObject, ...] = ()

    @property
    def initialised(self) -> bool:
        """Whether a profile is on it, as a whole."""
        return self.state is TokenState.INITIALISED

    @property
    def card_number(self) -> str:
        """The serial number as text: the chip's in hexadecimal, unless the token overrides it."""
        return card_number(self.serial, self.chip_serial)

    @property
    def so_credential(self) -> PinInfo | None:
        """What logs in as CKU_SO: the PIN or PUK that has the flag soPin."""
        return next((pin for pin in self.pins if pin.so), None)

    def pin(self, name: str) -> PinInfo | None:
        """Return the PIN of that kind or label, compared without regard to case; None if there is none."""
        wanted = name.casefold()
        return next((pin for pin in self.pins if wanted in {pin.kind.value, pin.label.casefold()}), None)

    def puk_of(self, pin: PinInfo) -> PinInfo | None:
        """Return the credential that resets a PIN."""
        return next((puk for puk in self.pins if puk.entry.id == pin.entry.auth_id), None)

    def find(self, object_class: ObjectClass, label: str) -> TokenObject | None:
        """Return the first object of that class and label, or None."""
        found = (each for each in self.objects if (each.object_class, each.label) == (object_class, label))
        return next(found, None)
