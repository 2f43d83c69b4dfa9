"""The plan itself: files, PINs, keys, and what becomes of the fuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto
from typing import TYPE_CHECKING

from cardtwin.plan.access import ALWAYS, NEVER, Access, Operation
from cardtwin.plan.secret import Secret, SecretName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.plan.content import Content

__all__ = ["DirectoryPlan", "FilePlan", "KeyAlgorithm", "KeyPlan", "KeyUse", "PinPlan", "Plan"]


@dataclass(frozen=True, slots=True)
class FilePlan:
    """A transparent EF.

    Attributes:
        name: What the profile calls it.
        file_id: Its identifier, 2 bytes.
        size: Its size in bytes; None takes the length of the content (``maxsize=auto``).
        access: Conditions of the operations that the profile names.
        content: What is written to it; None leaves it as created.
    """

    name: str
    file_id: int
    size: int | None
    access: Mapping[Operation, Access] = field(default_factory=dict)
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class DirectoryPlan:
    """A DF, or the MF: then `name` is ``MasterFile`` and `file_id` 3F00.

    Attributes:
        name: What the profile calls it.
        file_id: Its identifier, 2 bytes.
        size: Room for its body in bytes; None asks for what its files need.
        aid: Its DF name, or empty.
        access: Conditions of the operations that the profile names.
        directories: DFs in it, in the profile's order.
        files: EFs in it, in the profile's order.
    """

    name: str
    file_id: int
    size: int | None = None
    aid: bytes = b""
    access: Mapping[Operation, Access] = field(default_factory=dict)
    directories: tuple[DirectoryPlan, ...] = ()
    files: tuple[FilePlan, ...] = ()

    def walk(self, above: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], FilePlan]]:
        """Yield every EF below with its path of file identifiers, the MF's first."""
        here = (*above, self.file_id)

        for file in self.files:
            yield (*here, file.file_id), file

        for directory in self.directories:
            yield from directory.walk(here)


@dataclass(frozen=True, slots=True)
class PinPlan:
    """A PIN, PUK or operator PIN object in the MF.

    Attributes:
        name: What the profile calls it.
        role: Which of the eight secrets it is; access conditions name it so.
        value: The value, without padding.
        reference: Its number on the card, 1 to 15.
        label: What users see.
        min_length: The fewest bytes of a new value.
        max_length: The most bytes of a new value.
        stored_length: The length to which the value is padded; None sends it as it is.
        pad: The padding byte.
        tries: Wrong ones in a row before it is blocked.
        unblocked_by: The credential that resets it; None where nothing does.
        so: Whether it logs in as security officer (CKU_SO).
        slot: ``main`` or ``signature``: the slot of the middleware that shows it.
    """

    name: str
    role: SecretName
    value: Secret
    reference: int
    label: str
    min_length: int = 4
    max_length: int = 8
    stored_length: int | None = 8
    pad: int = 0x00
    tries: int = 3
    unblocked_by: SecretName | None = None
    so: bool = False
    slot: str = "main"


class KeyAlgorithm(StrEnum):
    """Kinds of key pairs."""

    RSA = "rsa"
    EC = "ec"


class KeyUse(Flag):
    """What a private key is for."""

    SIGN = auto()
    DECIPHER = auto()
    NON_REPUDIATION = auto()
    DERIVE = auto()


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """A key pair that is made on the card when the plan is carried out, or a room for one.

    Attributes:
        name: What the profile calls it.
        reference: Its number on the card.
        directory: The path of the DF that holds it, as file identifiers, the MF's first.
        algorithm: RSA or EC.
        size: The modulus in bits (RSA), or the field in bits (EC).
        use: What it is for.
        access: The condition of its use.
        generate: Whether it is made now; otherwise the object stays without a value.
    """

    name: str
    reference: int
    directory: tuple[int, ...]
    algorithm: KeyAlgorithm = KeyAlgorithm.RSA
    size: int = 2048
    use: KeyUse = KeyUse.SIGN
    access: Access = ALWAYS
    generate: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What a profile amounts to.

    Attributes:
        source: The profile's name, for messages.
        card_model: The card family, as the profile's CardModel statement names it.
        root: The file system.
        pins: PIN objects; one is made before those that name it.
        keys: Key pairs.
        profile_name: What PERSINFO_PUT_PROFILENAME was given; may be empty.
        eraseable: Whether MakeCardEraseable() was called.
        burn_fuse: Whether BurnFuse() was called.
        label_written: Whether a file's content holds the token label that the environment gave.
    """

    source: str
    card_model: str
    root: DirectoryPlan
    pins: tuple[PinPlan, ...] = ()
    keys: tuple[KeyPlan, ...] = ()
    profile_name: str = ""
    eraseable: bool = False
    burn_fuse: bool = False
    label_written: bool = False

    @property
    def erase_access(self) -> Access:
        """Who may erase the card once the fuse is burnt: anybody, the operator, or nobody."""
        if self.eraseable:
            return ALWAYS

        has_operator = any(pin.role is SecretName.OP for pin in self.pins)
        return Access.by(SecretName.OP) if has_operator else NEVER

    @property
    def irreversible(self) -> bool:
        """Whether carrying it out leaves a card that not everybody can erase again."""
        return self.burn_fuse and self.erase_access != ALWAYS
