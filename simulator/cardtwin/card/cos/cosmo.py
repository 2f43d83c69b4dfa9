"""Cosmo V7 and V8.2 with IAS-ECC: what OpenSC's driver iasecc sends, and what clients of eID cards tell.

Security environments can't be read from them, GlobalPlatform's side isn't emulated, and there is neither
secure messaging nor a key that outsiders authenticate with: any of these is refused.
"""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.dialect import Dialect
from cardtwin.card.commands import (
    CommandForm,
    Handler,
    credentials,
    environment,
    iasecc_files,
    iasecc_keys,
    sdo,
    selection,
)
from cardtwin.card.cos.catalogue import register
from cardtwin.card.cos.fci import iasecc as fci
from cardtwin.card.cos.system import CardSystem
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance import Basis

__all__ = ["COSMO_7", "COSMO_8"]

_OPENSC: Final = "OpenSC 0.23, driver iasecc"
_EID: Final = "clients of eID cards on Cosmo 8"
_BOTH: Final = f"{_OPENSC}; {_EID}"
_REPORTS: Final = "reports of Cosmo cards to OpenSC"
_ISO: Final = "ISO/IEC 7816-4:2020"

_ALL: Final = None
_TOLD: Final = frozenset({0x00, 0x04, 0x0C})
_TEMPLATES: Final = frozenset(
    {environment.AUTHENTICATION, iasecc_keys.HASH, environment.SIGNATURE, environment.CONFIDENTIALITY}
)


def _p(*values: int) -> frozenset[int]:
    """Return values of a parameter byte."""
    return frozenset(values)


def _select(name: str, p1: int, handler: Handler, basis: Basis, source: str) -> CommandForm:
    return CommandForm(f"SELECT {name}", 0x00, 0xA4, handler, basis, source, _p(p1), _TOLD)


_FILE_FORMS: Final = (
    _select("by identifier", 0, selection.by_identifier, Basis.CLIENT, _BOTH),
    _select("file of the DF", 1, selection.child_file, Basis.CLIENT, _OPENSC),
    _select("EF of the DF", 2, selection.child_ef, Basis.CLIENT, _EID),
    _select("parent DF", 3, selection.parent_df, Basis.CLIENT, _OPENSC),
    _select("by AID", 4, selection.application, Basis.CLIENT, _BOTH),
    _select("by path from the MF", 8, selection.by_path_from_mf, Basis.INFERRED, _ISO),
    _select("by path from the DF", 9, selection.by_path_from_df, Basis.CLIENT, _BOTH),
    CommandForm("READ BINARY", 0x00, 0xB0, iasecc_files.read, Basis.CLIENT, _BOTH, _ALL, _ALL),
    CommandForm("UPDATE BINARY", 0x00, 0xD6, iasecc_files.update, Basis.CLIENT, _OPENSC, _ALL, _ALL),
    CommandForm("CREATE FILE", 0x00, 0xE0, iasecc_files.create, Basis.CLIENT, _OPENSC),
    CommandForm("DELETE FILE", 0x00, 0xE4, iasecc_files.delete_current, Basis.CLIENT, _OPENSC),
)

_OBJECT_FORMS: Final = (
    CommandForm(
        "GET DATA, data objects",
        0x00,
        0xCB,
        sdo.get_data,
        Basis.CLIENT,
        f"{_BOTH}; {_REPORTS}",
        _p(0x3F),
        _p(0xFF),
    ),
    CommandForm(
        "PUT DATA, data objects",
        0x00,
        0xDB,
        sdo.put_data,
        Basis.CLIENT,
        _OPENSC,
        _p(0x3F),
        _p(0xFF),
        chaining=True,
    ),
    CommandForm("VERIFY", 0x00, 0x20, credentials.verify, Basis.CLIENT, _BOTH, p2=_ALL),
    CommandForm(
        "VERIFY, forgetting",
        0x00,
        0x20,
        credentials.forget,
        Basis.INFERRED,
        f"{_ISO}, 11.5.6",
        _p(0xFF),
        _ALL,
    ),
    CommandForm("CHANGE REFERENCE DATA", 0x00, 0x24, credentials.change, Basis.CLIENT, _BOTH, p2=_ALL),
    CommandForm(
        "RESET RETRY COUNTER, new value",
        0x00,
        0x2C,
        credentials.unblock_by_value,
        Basis.CLIENT,
        _BOTH,
        _p(2),
        _ALL,
    ),
    CommandForm(
        "RESET RETRY COUNTER alone",
        0x00,
        0x2C,
        credentials.unblock_authorised,
        Basis.CLIENT,
        _OPENSC,
        _p(3),
        _ALL,
    ),
)

_KEY_FORMS: Final = (
    CommandForm("MSE SET", 0x00, 0x22, iasecc_keys.choose, Basis.CLIENT, _OPENSC, _p(0x41), _TEMPLATES),
    CommandForm("PSO HASH", 0x00, 0x2A, iasecc_keys.hash_last, Basis.CLIENT, _OPENSC, _p(0x90), _p(0xA0)),
    CommandForm(
        "PSO COMPUTE DIGITAL SIGNATURE",
        0x00,
        0x2A,
        iasecc_keys.sign,
        Basis.CLIENT,
        _OPENSC,
        _p(0x9E),
        _p(0x9A),
    ),
    CommandForm(
        "PSO DECIPHER",
        0x00,
        0x2A,
        iasecc_keys.decipher,
        Basis.CLIENT,
        _OPENSC,
        _p(0x80),
        _p(0x86),
        chaining=True,
    ),
    CommandForm(
        "INTERNAL AUTHENTICATE", 0x00, 0x88, iasecc_keys.authenticate, Basis.CLIENT, _BOTH, chaining=True
    ),
    CommandForm("GENERATE KEY PAIR", 0x00, 0x47, iasecc_keys.generate, Basis.CLIENT, _OPENSC),
    CommandForm("GET CHALLENGE", 0x00, 0x84, iasecc_keys.challenge, Basis.CLIENT, _OPENSC),
)

_FORMS: Final = (*_FILE_FORMS, *_OBJECT_FORMS, *_KEY_FORMS)

COSMO_7: Final = register(
    CardSystem(
        name="Cosmo V7",
        forms=_FORMS,
        data_objects={},
        dialect=Dialect(
            control_information=fci.iasecc_7, wrong_pin=StatusWord.counter, tells_pin_status=True
        ),
    )
)
COSMO_8: Final = register(
    CardSystem(
        name="Cosmo V8.2",
        forms=_FORMS,
        data_objects={},
        dialect=Dialect(
            control_information=fci.iasecc_8, wrong_pin=StatusWord.counter, tells_pin_status=True
        ),
    )
)
