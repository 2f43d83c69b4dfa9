"""GET DATA: what the card tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import Refusal
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Handler, Outcome
    from cardtwin.iso7816 import CommandApdu
    from cardtwin.provenance import Basis

__all__ = [
    "DataObject",
    "always",
    "atr_status",
    "chip_data_4",
    "current_path",
    "free_heap",
    "free_memory_2",
    "free_memory_4",
    "get_data",
    "key_versions",
    "life_cycle",
    "max_data_field",
    "memory_sizes_4",
    "memory_sizes_5",
    "packages",
    "passed_tests",
    "product_text",
    "production_data",
    "serial",
    "version",
]

_ATR_FROM_ROM: Final = b"\x00"
_ATR_FROM_EEPROM: Final = b"\x80"
_CHIP_DATA_LENGTH: Final = 32
_PRODUCTION_DATA_LENGTH: Final = 76
_PACKAGE_LOAD_KEY: Final = b"\x00\x0a"


@dataclass(frozen=True, slots=True)
class DataObject:
    """What GET DATA tells under one tag, and how well that is known."""

    name: str
    read: Callable[[Chip], bytes]
    basis: Basis
    source: str


def always(data: bytes) -> Handler:
    """Return a GET DATA that tells the same whatever the card is like."""

    def handler(_chip: Chip, apdu: CommandApdu) -> Outcome:
        if apdu.data:
            raise Refusal(StatusWord.WRONG_LENGTH)

        return data, StatusWord.SUCCESS, ()

    return handler


def get_data(objects: Mapping[int, DataObject]) -> Handler:
    """Return the GET DATA of a card system that has these objects, by P2; any other P2 is answered 6A88."""

    def handler(chip: Chip, apdu: CommandApdu) -> Outcome:
        if apdu.data:
            raise Refusal(StatusWord.WRONG_LENGTH)

        entry = objects.get(apdu.p2)

        if entry is None:
            raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

        return entry.read(chip), StatusWord.SUCCESS, ()

    return handler


def product_text(chip: Chip) -> bytes:
    """Return the product's name, ended by 00."""
    return chip.model.product.encode("ascii") + b"\0"


def chip_data_4(chip: Chip) -> bytes:
    """Return 32 bytes with the chip's type at 8 and the serial number at 10."""
    head = bytes(8) + bytes((chip.model.cpu_type, 0xFF))
    return (head + chip.image.serial).ljust(_CHIP_DATA_LENGTH, b"\0")


def serial(chip: Chip) -> bytes:
    """Return the serial number alone."""
    return chip.image.serial


def version(chip: Chip) -> bytes:
    """Return the version word of the operating system."""
    return chip.model.version


def life_cycle(chip: Chip) -> bytes:
    """Return the phase of life."""
    return bytes((chip.image.life_cycle,))


def passed_tests(chip: Chip) -> bytes:
    """Return the ids of the test objects that were passed."""
    return bytes(sorted({key.id for key, uses in chip.session.passed.items() if uses}))


def free_heap(chip: Chip) -> bytes:
    """Return the free heap; the emulation takes none of it."""
    return chip.model.free_heap.to_bytes(2)


def atr_status(chip: Chip) -> bytes:
    """Return whether the ATR is the one in ROM or another in EEPROM."""
    return _ATR_FROM_ROM if chip.image.atr == chip.model.atr else _ATR_FROM_EEPROM


def current_path(chip: Chip) -> bytes:
    """Return the current DF's path without the MF's identifier."""
    return chip.session.df[2:]


def packages(chip: Chip) -> bytes:
    """Return the loaded packages."""
    return b"".join(chip.image.packages)


def memory_sizes_4(chip: Chip) -> bytes:
    """Return the sizes of RAM and EEPROM in KB, CPU type, chip configuration."""
    model = chip.model
    sizes = model.ram_kb.to_bytes(2) + model.eeprom_kb.to_bytes(2)
    return sizes + bytes((model.cpu_type, model.chip_config))


def memory_sizes_5(chip: Chip) -> bytes:
    """Return RAM and EEPROM in KB, CPU type, a byte unknown, chip configuration, manufacturer."""
    model = chip.model
    sizes = model.ram_kb.to_bytes(2) + model.eeprom_kb.to_bytes(2)
    return sizes + bytes((model.cpu_type, 0, model.chip_config, model.chip_manufacturer))


def free_memory_2(chip: Chip) -> bytes:
    """Return the free memory in two bytes."""
    return min(chip.free, 0xFFFF).to_bytes(2)


def free_memory_4(chip: Chip) -> bytes:
    """Return the free memory in four bytes."""
    return chip.free.to_bytes(4)


def production_data(chip: Chip) -> bytes:
    """Return 76 bytes of which only the length is known: the serial number, filled up."""
    return chip.image.serial.ljust(_PRODUCTION_DATA_LENGTH, b"\0")


def max_data_field(chip: Chip) -> bytes:
    """Return the greatest length of a data field."""
    return chip.model.max_data.to_bytes(2)


def key_versions(chip: Chip) -> bytes:
    """Return version and tries of the PackageLoadKey and of the StartKey, and two bytes unknown."""
    start_key = chip.image.start_key
    return _PACKAGE_LOAD_KEY + bytes((start_key.version, start_key.tries_left)) + b"\0\0"
