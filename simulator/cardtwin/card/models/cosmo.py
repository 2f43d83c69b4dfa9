"""Cosmo V7 and V8.2 with IAS-ECC, Cosmo V7 with AuthentIC, and Cosmo V8.1 as an eID card."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.model import CardModel
from cardtwin.card.models.catalogue import register
from cardtwin.card.models.evidence import evidence
from cardtwin.provenance import Basis

__all__ = ["AUTHENTIC_2_MODEL", "AUTHENTIC_3_MODEL", "COSMO_7_MODEL", "COSMO_8_MODEL", "COSMO_EID_MODEL"]

_IASECC: Final = bytes.fromhex("A000000077010800070000FE00000100")
_EF_ATR: Final = bytes.fromhex(
    "800043 01B8 4604 40701410 4703 940180"
    "4F10 A000000077010800070000FE00000100"
    "E010 02020104 02020104 02020100 02020100"
    "8202 9000".replace(" ", "")
)
"""EF.ATR: the beginning (tags 43, 46, 47) is that of a real card. The name is the
one that OpenSC selects; the lengths of commands and responses are ours."""

COSMO_7_MODEL: Final = register(
    CardModel(
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
        evidence=evidence((Basis.CLIENT, "OpenSC, driver iasecc", "atr")),
    )
)
"""Cosmo V7 with IAS-ECC. The ATR is the one that OpenSC knows; serial number, sizes and limits are ours."""

COSMO_8_MODEL: Final = register(
    CardModel(
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
        evidence=evidence((Basis.CLIENT, "OpenSC, driver iasecc", "atr")),
    )
)
"""Cosmo V8.2 with IAS-ECC. The ATR follows the one that OpenSC knows, at the speed of other V8 cards; serial
number, sizes and limits are ours. An image can have another ATR."""

COSMO_EID_MODEL: Final = register(
    CardModel(
        name="eid-8.1",
        title="Cosmo V8.1, eID",
        atr=bytes.fromhex("3BDB960080B1FE451F830012233F536549440F9000F1"),
        serial=bytes.fromhex("0025081000003C6E"),
        system="Cosmo V8.1, eID",
        memory=0x14000,
        max_data=0x0400,
        max_rsa_bits=0,
        application=_IASECC,
        capabilities=frozenset({"elliptic-curves"}),
        evidence=evidence((Basis.CLIENT, "OpenSC, driver esteid2018", "atr capabilities")),
    )
)
"""Cosmo V8.1 as an eID card: the ATR is that of the Estonian one of 2018. Serial number, sizes and limits are
ours; an image can have the Latvian card's ATR."""

AUTHENTIC_3_MODEL: Final = register(
    CardModel(
        name="authentic-3",
        title="Cosmo V7, AuthentIC V3",
        atr=bytes.fromhex("3BDD18008131FE4580F9A0000000770100700A90008B"),
        serial=bytes.fromhex("00001B5C"),
        system="Cosmo V7, AuthentIC V3",
        memory=0x11000,
        max_data=0x0800,
        max_rsa_bits=2048,
        application=bytes.fromhex("A0000000770100700A1000F100000100"),
        evidence=evidence((Basis.CLIENT, "OpenSC, driver authentic", "atr max_rsa_bits")),
    )
)
"""Cosmo V7 with AuthentIC V3. The ATR is the one that OpenSC knows; serial number, sizes, limits are ours."""

AUTHENTIC_2_MODEL: Final = register(
    CardModel(
        name="authentic-2",
        title="Cosmo V5, AuthentIC V2",
        atr=bytes.fromhex("3BFB1100008131FE450031C06477E910000090006A"),
        serial=bytes.fromhex("00001A4D"),
        system="Cosmo V5, AuthentIC V2",
        memory=0x10000,
        max_data=0x0100,
        max_rsa_bits=2048,
        application=bytes.fromhex("A000000077010303000000F100000002"),
        evidence=evidence((Basis.CLIENT, "OpenSC, driver oberthur", "atr max_rsa_bits")),
    )
)
"""Cosmo V5 with AuthentIC V2. Of the four ATRs that OpenSC knows it is the one with T=1; serial number, sizes
and limits are ours."""
