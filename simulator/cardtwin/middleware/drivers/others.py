"""Cards that programs know and this middleware has no driver for, and why."""

from __future__ import annotations

from typing import Final

from cardtwin.middleware.drivers.registry import refuse

__all__: list[str] = []

_AUTHENTIC: Final = (
    "3B7D1.0000003180718E6477E30.00829000",
    "3B7B1800000031C06477E30300829000",
    "3BFB1100008131FE450031C06477E910000090006A",
    "3BDD18008131FE4580F9A0000000770100700A90008B",
)
_EID: Final = ("3BDB960080B1FE451F830012233F536549440F9000F1", "3BDB960080B1FE451F830012428F536549440F900020")
_VIRTUAL: Final = "3B8D0180FBA000000397425446590401CF"

for _atr in _AUTHENTIC:
    refuse(_atr, "how a middleware encodes an AuthentIC card isn't public; OpenSC initialises those of V2")

for _atr in _EID:
    refuse(_atr, "an eID card comes finished to its holder, and has keys on elliptic curves alone")

refuse(
    _VIRTUAL,
    "a virtual smart card is for the minidriver of Windows; SkipReader in Personal.cfg takes it out of sight",
)
