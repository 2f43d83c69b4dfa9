"""CardOS, from V4.3B to V5.4."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.model import CardModel
from cardtwin.card.models.catalogue import register
from cardtwin.card.models.evidence import evidence
from cardtwin.provenance import Basis

__all__ = [
    "CARDOS_43B_MODEL",
    "CARDOS_44_MODEL",
    "CARDOS_50_MODEL",
    "CARDOS_53_DI_MODEL",
    "CARDOS_53_MODEL",
    "CARDOS_54_MODEL",
]

_OPENSC: Final = "OpenSC, driver cardos"


def _report(thread: int) -> str:
    return f"an output of cardos-tool, OpenSC's issue {thread}"


CARDOS_43B_MODEL: Final = register(
    CardModel(
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
        evidence=evidence(
            (Basis.CLIENT, _OPENSC, "atr max_rsa_bits"),
            (Basis.RECORDED, "a vendor's erase script", "version"),
            (
                Basis.RECORDED,
                _report(768),
                "product memory eeprom_kb ram_kb free_heap cpu_type chip_config max_data packages",
            ),
        ),
    )
)
"""CardOS V4.3B. Of the report, 32621 is the free memory of a card from the factory."""

CARDOS_44_MODEL: Final = register(
    CardModel(
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
        evidence=evidence((Basis.CLIENT, _OPENSC, "atr version max_rsa_bits")),
    )
)
"""CardOS V4.4. ATR, version word and behaviour are public; of the product text, the year is ours."""

CARDOS_50_MODEL: Final = register(
    CardModel(
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
        evidence=evidence(
            (Basis.CLIENT, f"{_OPENSC}; GnuPG, application p15", "atr version"),
            (Basis.CLIENT, _OPENSC, "capabilities"),
            (Basis.RECORDED, _report(744), "product eeprom_kb free_heap max_data packages"),
        ),
    )
)
"""CardOS V5.0."""

CARDOS_53_MODEL: Final = register(
    CardModel(
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
        evidence=evidence(
            (Basis.CLIENT, f"{_OPENSC}; GnuPG, application p15", "atr version"),
            (Basis.CLIENT, _OPENSC, "capabilities"),
            (Basis.RECORDED, _report(1987), "product eeprom_kb free_heap max_data packages"),
        ),
    )
)
"""CardOS V5.3. Cards of other owners tell 384 or 2048 for the greatest data field."""

CARDOS_53_DI_MODEL: Final = register(
    CardModel(
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
        evidence=evidence(
            (Basis.CLIENT, _OPENSC, "atr version capabilities"),
            (Basis.RECORDED, _report(1134), "product max_data"),
            (Basis.INFERRED, "the package of V5.3, with this version word", "packages"),
        ),
    )
)
"""CardOS V5.3 with a contactless side, which is left out; GnuPG doesn't know its ATR."""

CARDOS_54_MODEL: Final = register(
    CardModel(
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
        evidence=evidence(
            (Basis.CLIENT, f"{_OPENSC}; GnuPG 2.4, application p15", "atr version"),
            (Basis.CLIENT, _OPENSC, "capabilities"),
            (Basis.RECORDED, _report(2770), "product max_data"),
            (Basis.INFERRED, "the report shows a package that ends in this version word", "packages"),
        ),
    )
)
"""CardOS V5.4."""
