"""CardOS V4.3B, as what differs from V4.4."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cardtwin.card.commands import CommandForm, packages
from cardtwin.card.cos.cardos44 import CARDOS_44
from cardtwin.card.cos.catalogue import register
from cardtwin.card.cos.system import CardSystem
from cardtwin.card.memory.lifecycle import FILES
from cardtwin.provenance import Basis

__all__ = ["CARDOS_43B"]

_SCRIPT: Final = "a vendor's erase script for CardOS V4.3B"

_RECORDED: Final = {"CREATE FILE", "GET DATA", "SELECT by identifier", "UPDATE BINARY"}
"""Forms of V4.4 that the script has too."""

_PACKAGES: Final = {
    packages.LoadMessage(executable=0x01BA, length=0x17): bytes.fromhex("E109 0104 1302C808 8F0101")
}
"""The package that the script loads: its lengths are public, and what GET DATA tells of it afterwards."""


def _form(form: CommandForm) -> CommandForm:
    recorded = form.name in _RECORDED
    return replace(form, basis=Basis.RECORDED, source=f"{form.source}; {_SCRIPT}") if recorded else form


_LOAD: Final = CommandForm(
    "LOAD EXECUTABLE", 0x84, 0x20, packages.load_executable(_PACKAGES), Basis.RECORDED, _SCRIPT, phases=FILES
)

CARDOS_43B: Final = register(
    CardSystem(
        name="CardOS V4.3B",
        forms=(*map(_form, CARDOS_44.forms), _LOAD),
        data_objects=CARDOS_44.data_objects,
        dialect=CARDOS_44.dialect,
    )
)
