"""What a driver offers: the operations of one card family, over a channel, in that family's commands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cardtwin.iso7816 import ResponseApdu
    from cardtwin.middleware.channel import Channel
    from cardtwin.middleware.pinpad import PinBlock
    from cardtwin.middleware.rights import Condition, Rights
    from cardtwin.plan import KeyAlgorithm, Secret

__all__ = [
    "CardDriver",
    "EcValue",
    "FileInfo",
    "KeySpec",
    "KeyValue",
    "Phase",
    "PinSpec",
    "PublicKey",
    "RsaValue",
]


class Phase(Enum):
    """The phases of a card's life that matter here."""

    ADMINISTRATION = "administration"
    OPERATIONAL = "operational"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What a card tells about a selected file.

    Attributes:
        size: Bytes of an EF's content, or of a DF's body; None where it isn't told.
        directory: Whether it is a DF or the MF.
        rights: Conditions as far as they are told; None where the card tells none at all.
        file_id: Its identifier; None where it isn't told.
    """

    size: int | None
    directory: bool
    rights: Rights | None
    file_id: int | None = None


@dataclass(frozen=True, slots=True)
class PinSpec:
    """A PIN object to be made.

    Attributes:
        reference: Its number.
        value: The value as it is stored, padding included.
        tries: Wrong ones in a row before it is blocked.
        min_length: The fewest bytes of a new value.
        unblock: Who may reset it.
    """

    reference: int
    value: Secret
    tries: int
    min_length: int
    unblock: Condition


@dataclass(frozen=True, slots=True)
class KeySpec:
    """A private key to be made in the current DF.

    Attributes:
        reference: Its number.
        algorithm: RSA or EC.
        size: The modulus or the field, in bits.
        decipher: Whether it deciphers; otherwise it signs.
        use: Who may use it.
    """

    reference: int
    algorithm: KeyAlgorithm
    size: int
    decipher: bool
    use: Condition


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a key on the card.

    Attributes:
        spki: SubjectPublicKeyInfo (RFC 5280, 4.1) in DER.
    """

    spki: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RsaValue:
    """An RSA key as a card takes it: all numbers, those of the Chinese remainder theorem included."""

    n: int
    d: int = field(repr=False)
    p: int = field(repr=False)
    q: int = field(repr=False)
    dp: int = field(repr=False)
    dq: int = field(repr=False)
    qinv: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class EcValue:
    """The private number of a key on an elliptic curve; the key's size says which curve."""

    d: int = field(repr=False)


KeyValue = RsaValue | EcValue


class CardDriver(ABC):
    """One card family's commands. Paths are file identifiers from the MF on: ``(0x3F00, 0x5015)``.

    Every method may raise CommandFailedError and CardLostError; those that change the card say so.
    """

    family: ClassVar[str]
    """The card family, as the card profile language's table of card models names it."""

    title: ClassVar[str]
    """What messages call the family."""

    atrs: ClassVar[frozenset[bytes]]
    """Answers to reset of cards that nobody has changed."""

    versions: ClassVar[frozenset[bytes]]
    """Version words (GET DATA 0182); empty where the family's cards don't tell any."""

    has_eraser: ClassVar[bool]
    """Whether the middleware shows the Card Eraser for such cards."""

    key_sizes: ClassVar[Mapping[KeyAlgorithm, Collection[int]]]
    """Key sizes that can be made on the card."""

    max_file_size: ClassVar[int]
    """The most bytes of an EF."""

    reserved_files: ClassVar[frozenset[int]]
    """Identifiers of files that the driver itself makes for the time of an operation."""

    key_references: ClassVar[range]
    """Numbers that keys can have."""

    new_key_references: ClassVar[range]
    """Numbers that are given to keys which programs make, so that other programs understand them."""

    pin_references: ClassVar[range]
    """Numbers that PINs can have."""

    raw_rsa: ClassVar[bool] = True
    """Whether the card does RSA's private operation on any block; if not, it knows PKCS#1 v1.5 alone."""

    paths_from_application: ClassVar[bool] = False
    """Whether the token's lists say paths from the application's DF on, where other programs go by name."""

    one_purpose: ClassVar[bool]
    """Whether a key that deciphers refuses to sign."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    # What the card tells

    @abstractmethod
    def chip_serial(self) -> bytes:
        """Return the chip's serial number."""

    @abstractmethod
    def phase(self) -> Phase:
        """Return the phase of the card's life."""

    @abstractmethod
    def free_memory(self) -> int:
        """Return the free bytes of the non-volatile memory."""

    @abstractmethod
    def select(self, path: tuple[int, ...]) -> FileInfo | None:
        """Make a file the current one; None if it isn't there, and then nothing else is selected."""

    @abstractmethod
    def enter(self, path: tuple[int, ...]) -> bool:
        """Make a file the current one without asking about it; False if it isn't there, as with select()."""

    @abstractmethod
    def select_application(self, aid: bytes) -> FileInfo | None:
        """Select a DF by its name; None if there is none, or if the card doesn't select by name."""

    @abstractmethod
    def children(self) -> tuple[int, ...]:
        """Return the identifiers of the files in the current DF."""

    @abstractmethod
    def read(self, size: int) -> bytes:
        """Return the first `size` bytes of the current EF."""

    # Credentials

    @abstractmethod
    def verify(self, reference: int, value: bytes) -> ResponseApdu:
        """Verify a PIN; a wrong one costs a try."""

    @abstractmethod
    def change(self, reference: int, old: bytes, new: bytes) -> ResponseApdu:
        """Change a PIN, both values padded; a wrong old one costs a try."""

    @abstractmethod
    def unblock(self, reference: int, puk: bytes, new: bytes, *, puk_reference: int) -> ResponseApdu:
        """Set a new PIN by its PUK, both padded; a wrong PUK costs one of its tries."""

    @abstractmethod
    def verify_entered(self, reference: int, block: PinBlock) -> ResponseApdu:
        """Verify a PIN that is entered at the reader, whose own status words may be the answer."""

    @abstractmethod
    def change_entered(self, reference: int, block: PinBlock) -> ResponseApdu:
        """Change a PIN by what is entered at the reader: the old one, the new one, and that again."""

    @abstractmethod
    def unblock_entered(
        self, reference: int, puk: bytes | PinBlock, block: PinBlock, *, puk_reference: int
    ) -> ResponseApdu:
        """Set a new PIN that is entered at the reader, twice.

        Args:
            reference: The PIN.
            puk: Its PUK, padded; or how it stands in the command, and then it is entered at the reader too.
            block: How the new PIN stands in the command.
            puk_reference: The PUK's number.
        """

    @abstractmethod
    def tries_left(self, reference: int) -> int | None:
        """Return the tries that a PIN has left; None where the card family doesn't tell."""

    @abstractmethod
    def logout(self) -> None:
        """Forget all verified credentials. The MF is the current file then."""

    # Keys at work: the DF that holds them is the current one

    @abstractmethod
    def choose_key(self, reference: int, *, decipher: bool = False) -> None:
        """Choose the key for the next operation: to decipher or agree, or to sign."""

    @abstractmethod
    def sign(self, data: bytes) -> bytes:
        """Sign with the key chosen: RSA a block as long as the modulus, EC a digest; that gives r || s."""

    @abstractmethod
    def decipher(self, cryptogram: bytes) -> bytes:
        """Return the plain block of an RSA cryptogram, as long as the modulus, padding included."""

    @abstractmethod
    def agree(self, point: bytes) -> bytes:
        """Return the X coordinate shared with a peer, whose point is X || Y."""

    @abstractmethod
    def challenge(self, count: int) -> bytes:
        """Return so many random bytes of the card."""

    # What changes the card

    @abstractmethod
    def phase_control(self) -> None:
        """Go from administration to operational, or back."""

    @abstractmethod
    def create_directory(self, file_id: int, size: int, aid: bytes, rights: Rights) -> None:
        """Create a DF in the current one, and make it the current one."""

    @abstractmethod
    def create_file(self, file_id: int, size: int, rights: Rights) -> None:
        """Create a transparent EF in the current DF, filled with 00, and make it the current one."""

    @abstractmethod
    def write(self, content: bytes, at: int = 0) -> None:
        """Write to the current EF from an offset on."""

    @abstractmethod
    def set_rights(self, path: tuple[int, ...], rights: Rights, *, directory: bool) -> None:
        """Give the current file other conditions; `path` says which it is."""

    @abstractmethod
    def delete(self, file_id: int) -> None:
        """Delete a file in the current DF, with all that is in it."""

    @abstractmethod
    def put_pin(self, pin: PinSpec) -> None:
        """Store a PIN in the current DF."""

    @abstractmethod
    def delete_pin(self, reference: int) -> bool:
        """Delete a PIN in the current DF; False if there was none."""

    @abstractmethod
    def put_key(self, key: KeySpec) -> None:
        """Store a key without a value in the current DF."""

    @abstractmethod
    def generate_key(self, key: KeySpec, *, guarded: bool = False) -> PublicKey:
        """Make a key pair in the current DF and return its public half.

        Args:
            key: The key.
            guarded: It has its conditions from the first moment, for which its credential must have been
                verified; otherwise it gets them in the end.
        """

    @abstractmethod
    def has_key(self, reference: int) -> bool:
        """Whether a key of that number is found from the current DF."""

    @abstractmethod
    def import_key(self, key: KeySpec, value: KeyValue) -> None:
        """Store a private key with its value in the current DF."""

    @abstractmethod
    def delete_key(self, reference: int) -> bool:
        """Delete a private key in the current DF; False if there was none."""

    @abstractmethod
    def tidy(self) -> None:
        """Delete what an operation that broke off may have left in the current DF: reserved files."""
