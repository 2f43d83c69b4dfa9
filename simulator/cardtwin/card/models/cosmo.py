"""Cosmo V7 and V8.2 with IAS-ECC."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.model import CardModel
from cardtwin.card.models.evidence import evidence
from cardtwin.provenance import Basis

__all__ = ["COSMO_7_MODEL", "COSMO_8_MODEL"]

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
    evidence=evidence((Basis.CLIENT, "OpenSC, driver iasecc", "atr")),
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
    evidence=evidence((Basis.CLIENT, "OpenSC, driver iasecc", "atr")),
)
"""Cosmo V8.2 with IAS-ECC. The ATR follows the one that OpenSC knows, at the speed of other V8 cards; serial
number, sizes and limits are ours. An image can have another ATR."""
