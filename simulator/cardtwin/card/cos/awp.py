"""AuthentIC V2 on Cosmo V5, whose files are those of Oberthur's AWP: what OpenSC's driver oberthur sends.

DES keys, secure messaging, records that are read by their tag and the card manager's own commands aren't
there: any of these is refused.
"""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.dialect import Dialect
from cardtwin.card.commands import (
    CommandForm,
    Handler,
    authentic_keys,
    authentication,
    awp_files,
    awp_keys,
    awp_pins,
    binary,
    environment,
    records,
    selection,
)
from cardtwin.card.cos.catalogue import register
from cardtwin.card.cos.fci import awp as fci
from cardtwin.card.cos.system import CardSystem
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance import Basis

__all__ = ["AUTHENTIC_2"]

_OPENSC: Final = "OpenSC 0.23, drivers oberthur and pkcs15-oberthur"

_ALL: Final = None
_TOLD: Final = frozenset({0x00, 0x0C})
_TEMPLATES: Final = frozenset({environment.SIGNATURE, environment.CONFIDENTIALITY})
_BY_NUMBER: Final = 0x04


def _form(  # a row of the table
    name: str,
    cla: int,
    ins: int,
    handler: Handler,
    p1: int | None = 0,
    p2: frozenset[int] | int | None = 0,
    *,
    chaining: bool = False,
) -> CommandForm:
    """Return a form that OpenSC sends; None is every value of a parameter."""
    first = None if p1 is None else frozenset({p1})
    second = frozenset({p2}) if isinstance(p2, int) else p2
    return CommandForm(name, cla, ins, handler, Basis.CLIENT, _OPENSC, first, second, chaining=chaining)


_FORMS: Final = (
    _form("SELECT by identifier", 0x00, 0xA4, selection.by_identifier, 0, _TOLD),
    _form("SELECT parent DF", 0x00, 0xA4, selection.parent_df, 3, _TOLD),
    _form("SELECT by AID", 0x00, 0xA4, awp_files.select_by_aid, 4, _TOLD),
    _form("READ BINARY", 0x00, 0xB0, binary.read, _ALL, _ALL),
    _form("UPDATE BINARY", 0x00, 0xD6, binary.update, _ALL, _ALL),
    _form("READ RECORD", 0x00, 0xB2, records.read, _ALL, _BY_NUMBER),
    _form("UPDATE RECORD", 0x00, 0xDC, records.update, _ALL, _BY_NUMBER),
    _form("APPEND RECORD", 0x00, 0xE2, records.append),
    _form("DELETE RECORD", 0x80, 0x32, awp_files.delete_record, _ALL, _BY_NUMBER),
    _form("CREATE FILE", 0x00, 0xE0, awp_files.create, p2=_ALL),
    _form("DELETE FILE, EF", 0x00, 0xE4, awp_files.delete_ef, 2),
    _form("DELETE FILE, DF", 0x00, 0xE4, awp_files.delete_df, 1),
    _form("LIST FILES", 0x80, 0x34, awp_files.list_files),
    _form("GET DATA, production data", 0x80, 0xCA, authentic_keys.get_production_data, 0x9F, 0x7F),
    _form("VERIFY", 0x00, 0x20, awp_pins.verify, p2=_ALL),
    _form("CHANGE REFERENCE DATA", 0x00, 0x24, awp_pins.change, p2=_ALL),
    _form("CHANGE REFERENCE DATA, definition", 0x00, 0x24, awp_pins.define, 1, _ALL),
    _form("RESET RETRY COUNTER", 0x00, 0x2C, awp_pins.reset, p2=_ALL),
    _form("FORGET PIN", 0x80, 0x2E, awp_pins.log_out, p2=_ALL),
    _form("PUT KEY COMPONENT", 0x80, 0xD8, awp_keys.put_component, _ALL, 4),
    _form("PUT KEY COMPONENT, beginning", 0x90, 0xD8, awp_keys.begin_component, _ALL, 4),
    _form("READ KEY COMPONENT", 0x80, 0xB4, awp_keys.read_component, _ALL),
    _form("GENERATE KEY PAIR", 0x00, 0x46, awp_keys.generate),
    _form("MSE SET", 0x00, 0x22, awp_keys.choose, 0x41, _TEMPLATES),
    _form("PSO COMPUTE DIGITAL SIGNATURE", 0x00, 0x2A, awp_keys.sign, 0x9E, 0x9A),
    _form("PSO DECIPHER", 0x00, 0x2A, awp_keys.decipher, 0x80, 0x86, chaining=True),
    _form("GET CHALLENGE", 0x00, 0x84, authentication.get_challenge),
)

AUTHENTIC_2: Final = register(
    CardSystem(
        name="Cosmo V5, AuthentIC V2",
        forms=_FORMS,
        data_objects={},
        dialect=Dialect(control_information=fci.awp, wrong_pin=StatusWord.counter, tells_pin_status=True),
    )
)
