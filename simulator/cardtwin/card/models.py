"""The catalogue of card models: chips as they are delivered, by name."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.model import CardModel, Evidence
from cardtwin.card.errors import UnknownModelError
from cardtwin.provenance import Basis

__all__ = [
    "CARDOS_43B_MODEL",
    "CARDOS_44_MODEL",
    "CARDOS_50_MODEL",
    "CARDOS_53_DI_MODEL",
    "CARDOS_53_MODEL",
    "CARDOS_54_MODEL",
    "COSMO_7_MODEL",
    "COSMO_8_MODEL",
    "CardModel",
    "Evidence",
    "get",
    "names",
    "register",
]

_OPENSC: Final = "OpenSC, driver cardos"
_CONSTANT: Final = "no public source"


def _evidence(*rows: tuple[Basis, str, str]) -> dict[str, Evidence]:
    """Return evidence by fact, from rows of basis, source and the facts' names; the other facts are ours."""
    told = {name: Evidence(basis, source) for basis, source, facts in rows for name in facts.split()}
    return {name: told.get(name, Evidence(Basis.OURS, _CONSTANT)) for name in CardModel.facts()}


def _report(thread: int) -> str:
    return f"an output of cardos-tool, OpenSC's issue {thread}"


CARDOS_43B_MODEL: Final = CardModel(
    name="cardos-4.3b",
    title="CardOS V4.3B",
    atr=bytes.fromhex("3BF2180002C10A31FE58C80874"),
    serial=bytes.fromhex("1A0F3C270B51"),
    system="CardOS V4.3B",
    product="CardOS V4.3B (C) Siemens AG 1994-2004",
    version=bytes.fromhex("C808"),
    memory=32621,
    eeprom_kb=32,
    ram_kb=4,
    free_heap=13320,
    cpu_type=0x66,
    chip_config=63,
    chip_manufacturer=0x05,
    max_data=300,
    max_rsa_bits=2048,
    evidence=_evidence(
        (Basis.CLIENT, _OPENSC, "atr max_rsa_bits"),
        (Basis.RECORDED, "a vendor's erase script", "version"),
        (
            Basis.RECORDED,
            _report(768),
            "product memory eeprom_kb ram_kb free_heap cpu_type chip_config max_data packages",
        ),
    ),
)
"""CardOS V4.3B. Of the report, 32621 is the free memory of a card from the factory."""

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
    ram_kb=4,
    free_heap=879,
    cpu_type=0x66,
    chip_config=0x3F,
    chip_manufacturer=0x05,
    max_data=0x0300,
    max_rsa_bits=2048,
    evidence=_evidence((Basis.CLIENT, _OPENSC, "atr version max_rsa_bits")),
)
"""CardOS V4.4. ATR, version word and behaviour are public; of the product text, the year is ours."""

CARDOS_50_MODEL: Final = CardModel(
    name="cardos-5.0",
    title="CardOS V5.0",
    atr=bytes.fromhex("3BD218008131FE58C90114"),
    serial=bytes.fromhex("020239A400061B7E"),
    system="CardOS V5.0",
    product="CardOS V5.0, 2012",
    version=bytes.fromhex("C901"),
    memory=0x16400,
    eeprom_kb=96,
    ram_kb=8,
    free_heap=579,
    cpu_type=0x78,
    chip_config=0x3F,
    chip_manufacturer=0x05,
    max_data=640,
    max_rsa_bits=3072,
    packages=(bytes.fromhex("E10B530603041302C9018F0101"),),
    capabilities=frozenset({"elliptic-curves"}),
    evidence=_evidence(
        (Basis.CLIENT, f"{_OPENSC}; GnuPG, application p15", "atr version"),
        (Basis.CLIENT, _OPENSC, "capabilities"),
        (Basis.RECORDED, _report(744), "product eeprom_kb free_heap max_data packages"),
    ),
)
"""CardOS V5.0."""

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
    ram_kb=8,
    free_heap=507,
    cpu_type=0x78,
    chip_config=0x3F,
    chip_manufacturer=0x05,
    max_data=0x0280,
    max_rsa_bits=3072,
    packages=(bytes.fromhex("E10B530603041302C9038F0101"),),
    capabilities=frozenset({"elliptic-curves"}),
    evidence=_evidence(
        (Basis.CLIENT, f"{_OPENSC}; GnuPG, application p15", "atr version"),
        (Basis.CLIENT, _OPENSC, "capabilities"),
        (Basis.RECORDED, _report(1987), "product eeprom_kb free_heap max_data packages"),
    ),
)
"""CardOS V5.3. Cards of other owners tell 384 or 2048 for the greatest data field."""

CARDOS_53_DI_MODEL: Final = CardModel(
    name="cardos-5.3-di",
    title="CardOS DI V5.3",
    atr=bytes.fromhex("3BD218008131FE58C90217"),
    serial=bytes.fromhex("02085C1D00092A63"),
    system="CardOS V5.3",
    product="CardOS DI V5.3, 2015",
    version=bytes.fromhex("C902"),
    memory=0x13400,
    eeprom_kb=83,
    ram_kb=8,
    free_heap=507,
    cpu_type=0x78,
    chip_config=0x3F,
    chip_manufacturer=0x05,
    max_data=640,
    max_rsa_bits=3072,
    packages=(bytes.fromhex("E10B530603041302C9028F0101"),),
    capabilities=frozenset({"elliptic-curves"}),
    evidence=_evidence(
        (Basis.CLIENT, _OPENSC, "atr version capabilities"),
        (Basis.RECORDED, _report(1134), "product max_data"),
        (Basis.INFERRED, "the package of V5.3, with this version word", "packages"),
    ),
)
"""CardOS V5.3 with a contactless side, which is left out; GnuPG doesn't know its ATR."""

CARDOS_54_MODEL: Final = CardModel(
    name="cardos-5.4",
    title="CardOS V5.4",
    atr=bytes.fromhex("3BD218008131FE58C90411"),
    serial=bytes.fromhex("0A003C1200081E47"),
    system="CardOS V5.4",
    product="CardOS V5.4     2019",
    version=bytes.fromhex("C904"),
    memory=0x13400,
    eeprom_kb=83,
    ram_kb=8,
    free_heap=507,
    cpu_type=0x78,
    chip_config=0x3F,
    chip_manufacturer=0x05,
    max_data=437,
    max_rsa_bits=3072,
    packages=(bytes.fromhex("E10B530603041302C9048F0101"),),
    capabilities=frozenset({"elliptic-curves"}),
    evidence=_evidence(
        (Basis.CLIENT, f"{_OPENSC}; GnuPG 2.4, application p15", "atr version"),
        (Basis.CLIENT, _OPENSC, "capabilities"),
        (Basis.RECORDED, _report(2770), "product max_data"),
        (Basis.INFERRED, "the report shows a package that ends in this version word", "packages"),
    ),
)
"""CardOS V5.4."""

_IASECC: Final = bytes.fromhex("A000000077010800070000FE00000100")
_EF_ATR: Final = bytes.fromhex(
    "800043 01B8 4604 40701410 4703 940180"
    "4F10 A000000077010800070000FE00000100"
    "E010 02020104 02020104 02020100 02020100"
    "8202 9000".replace(" ", "")
)
"""EF.ATR: the beginning (tags 43, 46, 47) is that of a real card. The name is the
one that OpenSC selects; the lengths of commands and responses are ours."""

COSMO_7_MODEL: Final = CardModel(
    name="cosmo-7",
    title="Cosmo V7, IAS-ECC",
    atr=bytes.fromhex("3BDD18008131FE4580F9A0000000770108000790 00FE"),
    serial=bytes.fromhex("0025071300001A2F"),
    system="Cosmo V7",
    memory=0x11000,
    max_data=0x0400,
    max_rsa_bits=2048,
    application=_IASECC,
    files={b"\x2f\x01": _EF_ATR},
    evidence=_evidence((Basis.CLIENT, "OpenSC, driver iasecc", "atr")),
)
"""Cosmo V7 with IAS-ECC. The ATR is the one that OpenSC knows; serial number, sizes and limits are ours."""

COSMO_8_MODEL: Final = CardModel(
    name="cosmo-8.2",
    title="Cosmo V8.2, IAS-ECC",
    atr=bytes.fromhex("3BDD96008131FE4580F9A000000077010800079000 70"),
    serial=bytes.fromhex("0025082000002B4D"),
    system="Cosmo V8.2",
    memory=0x14000,
    max_data=0x0400,
    max_rsa_bits=2048,
    application=_IASECC,
    files={b"\x2f\x01": _EF_ATR},
    evidence=_evidence((Basis.CLIENT, "OpenSC, driver iasecc", "atr")),
)
"""Cosmo V8.2 with IAS-ECC. The ATR follows the one that OpenSC knows, at the speed of other V8 cards; serial
number, sizes and limits are ours. An image can have another ATR."""

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


for _model in (
    CARDOS_43B_MODEL,
    CARDOS_44_MODEL,
    CARDOS_50_MODEL,
    CARDOS_53_MODEL,
    CARDOS_53_DI_MODEL,
    CARDOS_54_MODEL,
    COSMO_7_MODEL,
    COSMO_8_MODEL,
):
    register(_model)
