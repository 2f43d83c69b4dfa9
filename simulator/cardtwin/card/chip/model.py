"""What a chip is, as data, and what its empty card looks like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from cardtwin.card.chip.quirks import check_quirks
from cardtwin.card.memory import MF, CardImage, Df, Ef, FileKind, StartKey
from cardtwin.card.memory.access import ALWAYS, complete
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.iso7816 import Atr
from cardtwin.pcsc import Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.card.memory import ObjectKey, SecurityObject
    from cardtwin.provenance import Basis

__all__ = ["FACTORY_START_KEY", "CardModel", "Evidence"]

FACTORY_START_KEY: Final = bytes.fromhex("63617264 7477696E 20666163 746F7279")
"""The StartKey of version 00 that cards of ours leave the factory with; the vendor's isn't public."""

_MF_SIZE: Final = 0x0400
_FACTS: Final = (
    "atr",
    "serial",
    "product",
    "version",
    "memory",
    "eeprom_kb",
    "ram_kb",
    "free_heap",
    "cpu_type",
    "chip_config",
    "chip_manufacturer",
    "max_data",
    "max_rsa_bits",
    "packages",
    "capabilities",
)
_CAPABILITIES: Final = frozenset({"elliptic-curves"})


class Evidence(NamedTuple):
    """How well founded a fact about a model is, and where it comes from."""

    basis: Basis
    source: str


@dataclass(frozen=True, slots=True)
class CardModel:
    """What a card is before anything is on it.

    Attributes:
        name: The name in the catalogue.
        title: The name for people.
        atr: The answer to reset.
        serial: The chip's serial number, where a card isn't given its own.
        system: The name of its card system, such as ``CardOS V4.4``.
        memory: The size of the memory for files and objects, in bytes.
        max_data: The greatest length of a data field, in bytes.
        max_rsa_bits: The greatest RSA key that the card generates.
        product: The text that GET DATA 80 tells, where the system has it, as all up to `chip_manufacturer`.
        version: The version word of the operating system.
        eeprom_kb: The size of the EEPROM, in KB.
        ram_kb: The size of the RAM, in KB.
        free_heap: The free heap, in bytes.
        cpu_type: The byte that names the CPU.
        chip_config: The byte that names the chip's configuration.
        chip_manufacturer: The byte that names the chip's manufacturer; told by V5 only.
        application: The name by which the MF is selected as an application; may be empty.
        files: The files that are in the MF at delivery, for everybody to read: contents by identifier.
        objects: The PINs and keys that are on the card at delivery.
        packages: The packages that are loaded at delivery, as GET DATA 88 tells them.
        protocol: The transmission protocol that it speaks.
        capabilities: What it can do beyond its system: ``elliptic-curves``.
        quirks: Names in the table of quirks.
        evidence: How well founded each of the `facts` is, by name.

    Raises:
        AtrFormatError: The ATR is none.
        UnknownQuirkError: A quirk isn't in the table.
        ValueError: A capability is unknown.
    """

    name: str
    title: str
    atr: bytes
    serial: bytes
    system: str
    memory: int
    max_data: int
    max_rsa_bits: int
    product: str = ""
    version: bytes = b""
    eeprom_kb: int = 0
    ram_kb: int = 0
    free_heap: int = 0
    cpu_type: int = 0
    chip_config: int = 0
    chip_manufacturer: int = 0
    application: bytes = b""
    files: Mapping[bytes, bytes] = field(default_factory=dict)
    objects: Mapping[ObjectKey, SecurityObject] = field(default_factory=dict, repr=False)
    packages: tuple[bytes, ...] = ()
    protocol: Protocol = Protocol.T1
    capabilities: frozenset[str] = frozenset()
    quirks: frozenset[str] = frozenset()
    evidence: Mapping[str, Evidence] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        Atr.parse(self.atr)
        check_quirks(self.quirks)

        if unknown := self.capabilities - _CAPABILITIES:
            raise ValueError(f"unknown capabilities: {', '.join(sorted(unknown))}")

    @staticmethod
    def facts() -> tuple[str, ...]:
        """Return the names of the attributes that say what is true of such chips."""
        return _FACTS

    def blank(self, *, serial: bytes | None = None) -> CardImage:
        """Return the memory of a card as whoever encodes it gets it.

        It is in administration, has an MF whose conditions are all "always", and the public default
        StartKey with ten tries.

        Args:
            serial: The chip's serial number; without one, the model's.

        Raises:
            ValueError: The serial number hasn't the length of the model's.
        """
        master = Df(_MF_SIZE, complete(bytes(10), mf=True), self.application)
        files = {MF + file_id: _delivered(content) for file_id, content in self.files.items()}
        return CardImage(
            model=self.name,
            serial=self._serial(serial),
            atr=self.atr,
            files={MF: master, **files},
            objects=dict(self.objects),
            packages=self.packages,
        )

    @property
    def has_factory_state(self) -> bool:
        """Whether anything is known of such cards before delivery: of CardOS, which tells its version."""
        return bool(self.version)

    def factory(self, *, serial: bytes | None = None) -> CardImage:
        """Return the memory of a card as it leaves the factory.

        It is in manufacturing, without any file and package, and has a StartKey of version 00 with ten
        tries: `FACTORY_START_KEY`. Arguments and errors as with blank().

        Raises:
            ValueError: Nothing is known of that state.
        """
        if not self.has_factory_state:
            raise ValueError(f"how a {self.title} leaves the factory isn't known")

        return CardImage(
            model=self.name,
            serial=self._serial(serial),
            atr=self.atr,
            life_cycle=LifeCycle.MANUFACTURING,
            start_key=StartKey(FACTORY_START_KEY, version=0x00),
        )

    def _serial(self, serial: bytes | None) -> bytes:
        if serial is not None and len(serial) != len(self.serial):
            raise ValueError(
                f"a serial number of {self.title} has {len(self.serial)} bytes, not {len(serial)}"
            )

        return serial or self.serial


def _delivered(content: bytes) -> Ef:
    access = complete(bytes((ALWAYS,)))
    return Ef(FileKind.TRANSPARENT, len(content), access, bytes((FileKind.TRANSPARENT,)), content)
