"""AuthentIC V3 on Cosmo V7: what OpenSC's driver authentic sends.

PINs and DFs are made by commands that aren't public: a card comes with them. Secure messaging by SCP01, PINs
given without their old value and the change of a file's size aren't there: any of these is refused.
"""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.dialect import Dialect
from cardtwin.card.commands import (
    CommandForm,
    Handler,
    authentic_files,
    authentic_keys,
    binary,
    credentials,
    environment,
    selection,
)
from cardtwin.card.cos.catalogue import register
from cardtwin.card.cos.fci import authentic as fci
from cardtwin.card.cos.system import CardSystem
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance import Basis

__all__ = ["AUTHENTIC_3"]

_OPENSC: Final = "OpenSC 0.23, drivers authentic and pkcs15-authentic"

_ALL: Final = None
_TOLD: Final = frozenset({0x00, 0x0C})
_TEMPLATES: Final = frozenset({environment.SIGNATURE, environment.CONFIDENTIALITY})


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
    _form("SELECT by AID", 0x00, 0xA4, selection.application_forgetting, 4, _TOLD),
    _form("SELECT by path from the MF", 0x00, 0xA4, selection.by_path_from_mf, 8, _TOLD),
    _form("SELECT by path from the DF", 0x00, 0xA4, selection.by_path_from_df, 9, _TOLD),
    _form("READ BINARY", 0x00, 0xB0, binary.read, _ALL, _ALL),
    _form("UPDATE BINARY", 0x00, 0xD6, binary.update, _ALL, _ALL),
    _form("CREATE FILE", 0x00, 0xE0, authentic_files.create),
    _form("DELETE FILE, EF", 0x00, 0xE4, authentic_files.delete_ef, 2),
    _form("DELETE FILE, DF", 0x00, 0xE4, authentic_files.delete_df, 1),
    _form("GET DATA, PIN policy", 0x00, 0xCA, authentic_keys.get_credential, 0x5F, _ALL),
    _form("GET DATA, PIN policy, proprietary class", 0x80, 0xCA, authentic_keys.get_credential, 0x5F, _ALL),
    _form("GET DATA, production data", 0x00, 0xCA, authentic_keys.get_production_data, 0x9F, 0x7F),
    _form(
        "GET DATA, production data, proprietary class",
        0x80,
        0xCA,
        authentic_keys.get_production_data,
        0x9F,
        0x7F,
    ),
    _form("PUT DATA, keys", 0x00, 0xDB, authentic_keys.put_data, 0x3F, 0xFF, chaining=True),
    _form("VERIFY", 0x00, 0x20, credentials.verify, p2=_ALL),
    _form("CHANGE REFERENCE DATA", 0x00, 0x24, credentials.change, p2=_ALL),
    _form("RESET RETRY COUNTER, new value", 0x00, 0x2C, credentials.unblock_by_value, 2, _ALL),
    _form("RESET RETRY COUNTER alone", 0x00, 0x2C, credentials.unblock_authorised, 3, _ALL),
    _form("MSE SET", 0x00, 0x22, authentic_keys.choose, 0x41, _TEMPLATES),
    _form("PSO COMPUTE DIGITAL SIGNATURE", 0x00, 0x2A, authentic_keys.sign, 0x9E, 0x9A),
    _form("PSO DECIPHER", 0x00, 0x2A, authentic_keys.decipher, 0x80, 0x86, chaining=True),
    _form("GENERATE KEY PAIR", 0x00, 0x47, authentic_keys.generate),
    _form("GET CHALLENGE", 0x00, 0x84, authentic_keys.challenge),
)

AUTHENTIC_3: Final = register(
    CardSystem(
        name="Cosmo V7, AuthentIC V3",
        forms=_FORMS,
        data_objects={},
        dialect=Dialect(
            control_information=fci.authentic, wrong_pin=StatusWord.counter, tells_pin_status=True
        ),
    )
)
