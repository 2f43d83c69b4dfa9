"""The catalogue of card models: chips as they are delivered, by name."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.model import CardModel
from cardtwin.card.errors import UnknownModelError

__all__ = ["CARDOS_44_MODEL", "CARDOS_53_MODEL", "CardModel", "get", "names", "register"]

CARDOS_44_MODEL: Final = CardModel(
    name="cardos-4.4",
    title="CardOS V4.4",
    atr=bytes.fromhex("3BD21802C10A31FE58C80D51"),
    serial=bytes.fromhex("250C3A1F0742"),
    system="CardOS V4.4",
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
    system="CardOS V5.3",
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
