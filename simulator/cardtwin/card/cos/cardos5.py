"""CardOS V5.0, V5.3 and V5.4, as what differs from V4.4.

How a V5 is personalised is not public. For that it takes V4.4's commands here: those forms are ours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.dialect import Dialect
from cardtwin.card.commands import CommandForm, dataobjects, environment, operations
from cardtwin.card.commands.dataobjects import DataObject, get_data
from cardtwin.card.cos.cardos44 import CARDOS_44
from cardtwin.card.cos.catalogue import register
from cardtwin.card.cos.fci import cardos as fci
from cardtwin.card.cos.system import CardSystem
from cardtwin.card.memory.lifecycle import ALL
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CARDOS_50", "CARDOS_53", "CARDOS_54"]

_OPENSC: Final = "OpenSC, driver cardos"
_GNUPG: Final = "GnuPG, application p15"
_ATOS: Final = "the vendor's own PKCS#11 library, in a public report"
_RECORDED: Final = "a recorded CardOS V5.3 card"
_TRUST_CENTRE: Final = "a client of a trust centre's CardOS V5.4 cards, in a public report"
_REPORTS: Final = "outputs of cardos-tool in public reports"
_TEMPLATES: Final = frozenset({environment.SIGNATURE, environment.CONFIDENTIALITY})

_OURS: Final = {
    "CREATE FILE",
    "DELETE FILE",
    "DEACTIVATE FILE",
    "ACTIVATE FILE",
    "DIRECTORY",
    "PUT DATA FCI",
    "PUT DATA OCI",
    "PUT DATA SECI",
    "CHANGE KEY DATA",
    "GENERATE KEY PAIR",
    "ERASE FILES",
    "FORMAT",
    "CHANGE STARTKEY",
}
"""Forms of V4.4 that write, or that the eraser needs, for which no client of V5 is public."""

_CLIENTS: Final = {
    "SELECT by identifier": (Basis.CLIENT, _GNUPG),
    "SELECT by AID": (Basis.CLIENT, f"{_OPENSC}; {_GNUPG}"),
    "SELECT by path from the MF": (Basis.CLIENT, f"{_OPENSC}; {_GNUPG}"),
    "READ BINARY": (Basis.CLIENT, f"{_OPENSC}; {_GNUPG}"),
    "READ RECORD": (Basis.CLIENT, _GNUPG),
    "VERIFY": (Basis.CLIENT, f"{_OPENSC}; {_GNUPG}"),
    "CHANGE REFERENCE DATA": (Basis.CLIENT, _OPENSC),
    "RESET RETRY COUNTER": (Basis.CLIENT, _OPENSC),
    "LOGOUT": (Basis.CLIENT, _OPENSC),
    "PSO COMPUTE DIGITAL SIGNATURE": (Basis.CLIENT, f"{_OPENSC}; {_GNUPG}"),
    "PSO DECIPHER": (Basis.CLIENT, f"{_OPENSC}; {_GNUPG}"),
}
"""Forms of V4.4 that clients send to every V5."""

_RECORDED_53: Final = {
    "SELECT by AID": (Basis.RECORDED, _RECORDED),
    "SELECT by path from the MF": (Basis.RECORDED, _RECORDED),
    "READ BINARY": (Basis.RECORDED, _RECORDED),
    "VERIFY": (Basis.RECORDED, _RECORDED),
    "LOGOUT": (Basis.RECORDED, _ATOS),
    "MSE SET": (Basis.RECORDED, f"{_ATOS}; {_OPENSC}; {_GNUPG}"),
    "PSO DECIPHER": (Basis.RECORDED, _ATOS),
    "GET DATA": (Basis.RECORDED, _RECORDED),
}

_RECORDED_54: Final = {
    "SELECT by identifier": (Basis.RECORDED, _TRUST_CENTRE),
    "SELECT by AID": (Basis.RECORDED, _TRUST_CENTRE),
    "VERIFY": (Basis.RECORDED, _TRUST_CENTRE),
    "MSE RESTORE": (Basis.RECORDED, _TRUST_CENTRE),
    "PSO COMPUTE DIGITAL SIGNATURE": (Basis.RECORDED, _TRUST_CENTRE),
}

_REPLACED: Final = {
    "MSE SET",
    "MSE SET, CNS",
    "MSE SET for authentication",
    "MSE RESTORE",
    "MSE RESTORE, CNS",
    "GIVE RANDOM",
    "GET DATA",
}


_DATA_OBJECTS: Final = {
    **CARDOS_44.data_objects,
    0x81: DataObject("serial number", dataobjects.serial, Basis.RECORDED, _REPORTS),
    0x89: DataObject("memory sizes", dataobjects.memory_sizes_5, Basis.CLIENT, _OPENSC),
    0x8A: DataObject("free memory", dataobjects.free_memory_4, Basis.RECORDED, _REPORTS),
    0x8B: DataObject("production data", dataobjects.production_data, Basis.OURS, "only its length is public"),
}

_FORMS: Final = (
    CommandForm(
        "MSE SET",
        0x00,
        0x22,
        environment.set_key_and_algorithm,
        Basis.CLIENT,
        f"{_OPENSC}; {_GNUPG}",
        frozenset({0x41}),
        _TEMPLATES,
    ),
    CommandForm(
        "MSE SET for authentication",
        0x00,
        0x22,
        environment.set_key_and_algorithm,
        Basis.INFERRED,
        "ISO/IEC 7816-4:2020",
        frozenset({0x41}),
        frozenset({environment.AUTHENTICATION}),
    ),
    CommandForm(
        "MSE RESTORE", 0x00, 0x22, environment.restore, Basis.CLIENT, _GNUPG, frozenset({0xF3}), None
    ),
    CommandForm(
        "PSO ECDH",
        0x00,
        0x2A,
        operations.agree,
        Basis.CLIENT,
        f"{_OPENSC}; {_GNUPG}",
        frozenset({0x80}),
        frozenset({0xA6}),
        chaining=True,
    ),
    CommandForm(
        "GET DATA", 0x00, 0xCA, get_data(_DATA_OBJECTS), Basis.RECORDED, _REPORTS, frozenset({1}), None, ALL
    ),
)

_DIALECT: Final = Dialect(
    control_information=fci.cardos_5,
    wrong_pin=StatusWord.counter,
    tells_pin_status=True,
    chooses_algorithm=True,
    drops_leading_zero=True,
    takes_access_rules=True,
)


def _inherited(form: CommandForm) -> CommandForm:
    if form.name in _OURS:
        return replace(form, basis=Basis.OURS, source="the command of V4.4")

    return replace(form, basis=Basis.INFERRED, source=f"V4.4: {form.source}")


_VENDOR_DATA: Final = CommandForm(
    "GET DATA 000B, proprietary class",
    0x80,
    0xCA,
    dataobjects.always(bytes.fromhex("E304 9002 0000")),
    Basis.RECORDED,
    _TRUST_CENTRE,
    frozenset({0x00}),
    frozenset({0x0B}),
)
"""What that client asks the card for between SELECT and VERIFY, and the one answer that is known to it."""


def _version_5(name: str, recorded: Mapping[str, tuple[Basis, str]], *more: CommandForm) -> CardSystem:
    """Return a V5.

    Args:
        name: Its name.
        recorded: What is recorded of its command forms: bases and sources by name.
        more: The forms that it has alone.
    """
    known = {**_CLIENTS, **recorded}
    forms = (*(_inherited(form) for form in CARDOS_44.forms if form.name not in _REPLACED), *_FORMS)
    told = (
        replace(form, basis=known[form.name][0], source=known[form.name][1]) if form.name in known else form
        for form in forms
    )
    return CardSystem(name, (*told, *more), _DATA_OBJECTS, _DIALECT)


CARDOS_50: Final = register(_version_5("CardOS V5.0", {}))
CARDOS_53: Final = register(_version_5("CardOS V5.3", _RECORDED_53))
CARDOS_54: Final = register(_version_5("CardOS V5.4", _RECORDED_54, _VENDOR_DATA))
