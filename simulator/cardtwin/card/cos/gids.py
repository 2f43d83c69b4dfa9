"""Cards of the Generic Identity Device Specification 2.0, which Microsoft's virtual smart card is.

Secure messaging, secure key injection, elliptic curves, roles beyond PIN and admin key, and what ends an
application (TERMINATE DF) aren't emulated: any of these is refused.
"""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip import gids as layout
from cardtwin.card.chip.dialect import Dialect
from cardtwin.card.commands import (
    CommandForm,
    environment,
    gids_credentials,
    gids_files,
    gids_keys,
    gids_objects,
)
from cardtwin.card.cos.catalogue import register
from cardtwin.card.cos.fci import gids as fci
from cardtwin.card.cos.system import CardSystem
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance import Basis

__all__ = ["GIDS_2"]

_OPENSC: Final = "OpenSC 0.23, driver gids"
_APPLET: Final = "GidsApplet's tests"
_BOTH: Final = f"{_OPENSC}; {_APPLET}"
_ALL: Final = None
_OPERATIONS: Final = frozenset({environment.SIGNATURE, environment.CONFIDENTIALITY})


def _p(*values: int) -> frozenset[int]:
    """Return values of a parameter byte."""
    return frozenset(values)


_FILE_FORMS: Final = (
    CommandForm(
        "SELECT by AID", 0x00, 0xA4, gids_files.by_name, Basis.CLIENT, _BOTH, _p(4), _p(0x00, 0x04, 0x0C)
    ),
    CommandForm(
        "SELECT by AID, management data",
        0x00,
        0xA4,
        gids_files.management_data,
        Basis.CLIENT,
        "GidsApplet",
        _p(4),
        _p(0x08),
    ),
    CommandForm(
        "SELECT by identifier",
        0x00,
        0xA4,
        gids_files.by_identifier,
        Basis.CLIENT,
        _BOTH,
        _p(0),
        _p(0x00, 0x04, 0x0C),
    ),
    CommandForm("CREATE FILE", 0x00, 0xE0, gids_files.create, Basis.CLIENT, _BOTH),
    CommandForm("ACTIVATE FILE", 0x00, 0x44, gids_files.activate, Basis.CLIENT, _BOTH),
    CommandForm("DELETE FILE", 0x00, 0xE4, gids_files.delete_current, Basis.CLIENT, _OPENSC),
)

_OBJECT_FORMS: Final = (
    CommandForm(
        "GET DATA, application",
        0x00,
        0xCB,
        gids_objects.get_of_application,
        Basis.CLIENT,
        _BOTH,
        _p(0x3F),
        _p(0xFF),
    ),
    CommandForm(
        "GET DATA, EF.ATR", 0x00, 0xCB, gids_objects.get_of_card, Basis.CLIENT, "GidsApplet", _p(0x2F), _p(1)
    ),
    CommandForm(
        "GET DATA, a file's objects", 0x00, 0xCB, gids_objects.get_data, Basis.CLIENT, _BOTH, _p(0xA0), _ALL
    ),
    CommandForm(
        "GET DATA, the current file's objects", 0x00, 0xCB, gids_objects.get_data, Basis.CLIENT, "GidsApplet"
    ),
    CommandForm(
        "PUT DATA, key",
        0x00,
        0xDB,
        gids_objects.put_to_application,
        Basis.CLIENT,
        _BOTH,
        _p(0x3F),
        _p(0xFF),
        chaining=True,
    ),
    CommandForm(
        "PUT DATA, a file's object",
        0x00,
        0xDB,
        gids_objects.put_data,
        Basis.CLIENT,
        _BOTH,
        _p(0xA0),
        _ALL,
        chaining=True,
    ),
    CommandForm(
        "PUT DATA, the current file's object",
        0x00,
        0xDB,
        gids_objects.put_data,
        Basis.CLIENT,
        "GidsApplet",
        chaining=True,
    ),
)

_CREDENTIAL_FORMS: Final = (
    CommandForm("VERIFY", 0x00, 0x20, gids_credentials.verify, Basis.CLIENT, _BOTH, p2=_p(0x00, 0x80)),
    CommandForm(
        "VERIFY, forgetting", 0x00, 0x20, gids_credentials.deauthenticate, Basis.CLIENT, _BOTH, p2=_p(0x82)
    ),
    CommandForm(
        "CHANGE REFERENCE DATA",
        0x00,
        0x24,
        gids_credentials.change,
        Basis.CLIENT,
        _BOTH,
        p2=_p(0x00, 0x80),
    ),
    CommandForm(
        "CHANGE REFERENCE DATA, new value",
        0x00,
        0x24,
        gids_credentials.set_pin,
        Basis.CLIENT,
        _BOTH,
        _p(1),
        _p(0x00, 0x80),
    ),
    CommandForm(
        "RESET RETRY COUNTER, new value",
        0x00,
        0x2C,
        gids_credentials.unblock,
        Basis.CLIENT,
        _BOTH,
        _p(2),
        _p(0x80),
    ),
    CommandForm("GENERAL AUTHENTICATE", 0x00, 0x87, gids_credentials.authenticate, Basis.CLIENT, _BOTH),
)

_KEY_FORMS: Final = (
    CommandForm("MSE SET", 0x00, 0x22, gids_keys.choose, Basis.CLIENT, _BOTH, _p(0x41), _OPERATIONS),
    CommandForm(
        "MSE SET, admin key",
        0x00,
        0x22,
        gids_keys.choose_for_authentication,
        Basis.CLIENT,
        _BOTH,
        _p(0x81, 0xC1),
        _p(environment.AUTHENTICATION),
    ),
    CommandForm(
        "PSO COMPUTE DIGITAL SIGNATURE",
        0x00,
        0x2A,
        gids_keys.sign,
        Basis.CLIENT,
        _BOTH,
        _p(0x9E),
        _p(0x9A),
        chaining=True,
    ),
    CommandForm(
        "PSO DECIPHER",
        0x00,
        0x2A,
        gids_keys.decipher,
        Basis.CLIENT,
        _BOTH,
        _p(0x80),
        _p(0x86),
        chaining=True,
    ),
    CommandForm("GENERATE KEY PAIR", 0x00, 0x47, gids_keys.generate, Basis.CLIENT, _OPENSC),
)

GIDS_2: Final = register(
    CardSystem(
        name="GIDS 2.0",
        forms=(*_FILE_FORMS, *_OBJECT_FORMS, *_CREDENTIAL_FORMS, *_KEY_FORMS),
        data_objects={},
        dialect=Dialect(
            control_information=fci.gids,
            wrong_pin=StatusWord.counter,
            tells_pin_status=True,
            alternatives=layout.alternatives,
        ),
    )
)
