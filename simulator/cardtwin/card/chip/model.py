"""What a chip is, as data, and what its empty card looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cardtwin.card.chip.quirks import check_quirks
from cardtwin.card.memory import MF, CardImage, Df
from cardtwin.card.memory.access import complete
from cardtwin.iso7816 import Atr
from cardtwin.pcsc import Protocol

__all__ = ["CardModel"]

_MF_SIZE: Final = 0x0400
_CAPABILITIES: Final = frozenset({"elliptic-curves"})


@dataclass(frozen=True, slots=True)
class CardModel:
    """What a card is before anything is on it.

    Attributes:
        name: The name in the catalogue.
        title: The name for people.
        atr: The answer to reset.
        serial: The chip's serial number, where a card isn't given its own.
        system: The name of its card system, such as ``CardOS V4.4``.
        product: The text that GET DATA 80 tells.
        version: The version word of the operating system.
        memory: The size of the memory for files and objects, in bytes.
        eeprom_kb: The size of the EEPROM, in KB.
        ram: The size of the RAM, in bytes.
        free_heap: The free heap, in bytes.
        cpu_type: The byte that names the CPU.
        chip_config: The byte that names the chip's configuration.
        chip_manufacturer: The byte that names the chip's manufacturer; told by V5 only.
        max_data: The greatest length of a data field, in bytes.
        max_rsa_bits: The greatest RSA key that the card generates.
        packages: The packages that are loaded at delivery, as GET DATA 88 tells them.
        protocol: The transmission protocol that it speaks.
        capabilities: What it can do beyond its system: ``elliptic-curves``.
        quirks: Names in the table of quirks.

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
    product: str
    version: bytes
    memory: int
    eeprom_kb: int
    ram: int
    free_heap: int
    cpu_type: int
    chip_config: int
    chip_manufacturer: int
    max_data: int
    max_rsa_bits: int
    packages: tuple[bytes, ...] = ()
    protocol: Protocol = Protocol.T1
    capabilities: frozenset[str] = frozenset()
    quirks: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        Atr.parse(self.atr)
        check_quirks(self.quirks)

        if unknown := self.capabilities - _CAPABILITIES:
            raise ValueError(f"unknown capabilities: {', '.join(sorted(unknown))}")

    def blank(self, *, serial: bytes | None = None) -> CardImage:
        """Return the memory of a card as delivered.

        It is in administration, has an MF whose conditions are all "always", and the public default
        StartKey with ten tries.

        Args:
            serial: The chip's serial number; without one, the model's.

        Raises:
            ValueError: The serial number hasn't the length of the model's.
        """
        if serial is not None and len(serial) != len(self.serial):
            raise ValueError(
                f"a serial number of {self.title} has {len(self.serial)} bytes, not {len(serial)}"
            )

        master = Df(_MF_SIZE, complete(bytes(10), mf=True))
        return CardImage(
            model=self.name,
            serial=serial or self.serial,
            atr=self.atr,
            files={MF: master},
            packages=self.packages,
        )
