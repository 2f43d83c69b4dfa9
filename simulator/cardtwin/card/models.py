"""The catalogue of card models: what a chip is, and what its empty card looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.card.access import complete
from cardtwin.card.cos import CARDOS_44, CARDOS_53
from cardtwin.card.errors import UnknownModelError
from cardtwin.card.memory import MF, CardImage, Df
from cardtwin.card.quirks import check_quirks
from cardtwin.iso7816 import Atr
from cardtwin.pcsc import Protocol

if TYPE_CHECKING:
    from cardtwin.card.system import CardSystem

__all__ = ["CARDOS_44_MODEL", "CARDOS_53_MODEL", "CardModel", "get", "names", "register"]

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
        operating_system: The card's operating system.
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
    operating_system: CardSystem
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

    @property
    def system(self) -> str:
        """The name of the operating system."""
        return self.operating_system.name

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


CARDOS_44_MODEL: Final = CardModel(
    name="cardos-4.4",
    title="CardOS V4.4",
    atr=bytes.fromhex("3BD21802C10A31FE58C80D51"),
    serial=bytes.fromhex("250C3A1F0742"),
    operating_system=CARDOS_44,
    product="CardOS V4.4 (C) Siemens AG 1994-2010",
    version=bytes.fromhex("C80D"),
    memory=0xFC00,
    eeprom_kb=64,
    ram=0x1000,
    free_heap=879,
    cpu_type=0x66,
    chip_config=0x3F,
    chip_manufacturer=0x05,
    max_data=0x0300,
    max_rsa_bits=2048,
)
"""CardOS V4.4. ATR, version word and behaviour are public; serial number, sizes and the year are ours."""

CARDOS_53_MODEL: Final = CardModel(
    name="cardos-5.3",
    title="CardOS V5.3",
    atr=bytes.fromhex("3BD2180081 31FE58C90316"),
    serial=bytes.fromhex("02087A51000D3C2E"),
    operating_system=CARDOS_53,
    product="CardOS V5.3, 2014",
    version=bytes.fromhex("C903"),
    memory=0x13400,
    eeprom_kb=83,
    ram=0x2000,
    free_heap=507,
    cpu_type=0x78,
    chip_config=0x3F,
    chip_manufacturer=0x05,
    max_data=0x0280,
    max_rsa_bits=3072,
    packages=(bytes.fromhex("E10B53060304 1302C9038F0101"),),
    capabilities=frozenset({"elliptic-curves"}),
)
"""CardOS V5.3. ATR, product text, version word, package and sizes as reported; the serial number is ours."""

_table: dict[str, CardModel] = {}


def register(model: CardModel) -> CardModel:
    """Add a model to the catalogue and return it.

    Raises:
        ValueError: The name is taken.
    """
    if model.name in _table:
        raise ValueError(f"the catalogue has a card model {model.name!r} already")

    _table[model.name] = model
    return model


def get(name: str) -> CardModel:
    """Return a model by name.

    Raises:
        UnknownModelError: The catalogue has none of that name.
    """
    try:
        return _table[name]
    except KeyError:
        raise UnknownModelError(name, _table) from None


def names() -> tuple[str, ...]:
    """Return the names in the catalogue, in the order of entry."""
    return tuple(_table)


register(CARDOS_44_MODEL)
register(CARDOS_53_MODEL)
