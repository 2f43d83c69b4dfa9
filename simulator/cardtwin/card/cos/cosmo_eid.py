"""Cosmo V8.1 as an eID card, in its holder's hands: what the clients of such cards send.

How such a card is personalised is not public: commands for that are refused. It has contacts alone, and so
no PACE.
"""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.dialect import Dialect
from cardtwin.card.commands import CommandForm, Handler, credentials, eid, environment, selection
from cardtwin.card.cos.catalogue import register
from cardtwin.card.cos.fci import iasecc as fci
from cardtwin.card.cos.system import CardSystem
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance import Basis

__all__ = ["COSMO_EID"]

_OPENSC: Final = "OpenSC, driver esteid2018"
_CLIENTS: Final = "other clients of Estonian and Latvian eID cards"
_BOTH: Final = f"{_OPENSC}; {_CLIENTS}"

_ALL: Final = None
_TOLD: Final = frozenset({0x00, 0x04, 0x0C})
_TEMPLATES: Final = frozenset(
    {environment.AUTHENTICATION, environment.SIGNATURE, environment.CONFIDENTIALITY}
)


def _form(  # a row of the table
    name: str,
    ins: int,
    handler: Handler,
    source: str,
    p1: int | None = 0,
    p2: frozenset[int] | int | None = 0,
    basis: Basis = Basis.CLIENT,
) -> CommandForm:
    """Return a form of class 00; None is every value of a parameter."""
    first = None if p1 is None else frozenset({p1})
    return CommandForm(
        name, 0x00, ins, handler, basis, source, first, frozenset({p2}) if isinstance(p2, int) else p2
    )


_FORMS: Final = (
    _form("SELECT by identifier", 0xA4, selection.by_identifier, _BOTH, 0, _TOLD),
    _form("SELECT file of the DF", 0xA4, selection.child_file, _BOTH, 1, _TOLD),
    _form("SELECT EF of the DF", 0xA4, selection.child_ef, _BOTH, 2, _TOLD),
    _form("SELECT by AID", 0xA4, selection.application_forgetting, _BOTH, 4, _TOLD),
    _form("SELECT by path from the DF", 0xA4, selection.by_path_from_df, _BOTH, 9, _TOLD),
    _form("READ BINARY", 0xB0, eid.read, _BOTH, _ALL, _ALL),
    _form("GET DATA, PIN counters", 0xCB, eid.get_data, _BOTH, 0x3F, 0xFF),
    _form("VERIFY", 0x20, credentials.verify, _BOTH, p2=_ALL),
    _form("CHANGE REFERENCE DATA", 0x24, credentials.change, _BOTH, p2=_ALL),
    _form("RESET RETRY COUNTER, new value", 0x2C, credentials.unblock_by_value, _BOTH, 2, _ALL),
    _form("MSE SET", 0x22, eid.choose, _BOTH, 0x41, _TEMPLATES),
    _form("INTERNAL AUTHENTICATE", 0x88, eid.authenticate, _BOTH),
    _form("PSO COMPUTE DIGITAL SIGNATURE", 0x2A, eid.sign, _BOTH, 0x9E, 0x9A),
    _form("PSO DECIPHER, key agreement", 0x2A, eid.agree, _BOTH, 0x80, 0x86),
)

COSMO_EID: Final = register(
    CardSystem(
        name="Cosmo V8.1, eID",
        forms=_FORMS,
        data_objects={},
        dialect=Dialect(
            control_information=fci.iasecc_8, wrong_pin=StatusWord.counter, tells_pin_status=True
        ),
    )
)
