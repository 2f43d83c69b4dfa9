"""Gemalto's IAS Classic, alone and below the minidriver applet of IDPrime cards.

Forms are those of public clients: OpenSC's drivers gemsafeV1 and idprime, and clients of national cards with
the applet. How a card is personalised isn't public: files are made as ISO/IEC 7816-9 has it, PINs and keys
in a form of ours. There is neither secure messaging nor a key that outsiders authenticate with.
"""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.dialect import Dialect
from cardtwin.card.commands import (
    CommandForm,
    Handler,
    authentication,
    binary,
    credentials,
    environment,
    ias_classic,
    iasecc_files,
    iasecc_keys,
    production,
    sdo,
    selection,
)
from cardtwin.card.cos.catalogue import register
from cardtwin.card.cos.fci import iasecc as fci
from cardtwin.card.cos.system import CardSystem
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance import Basis

__all__ = ["IAS_CLASSIC", "IDPRIME"]

_GEMSAFE: Final = "OpenSC 0.23, driver gemsafeV1"
_IDPRIME: Final = "OpenSC 0.23, driver idprime"
_NATIONAL: Final = "clients of national cards with IAS Classic"
_CLASSIC: Final = f"{_GEMSAFE}; {_NATIONAL}"
_ISO_4: Final = "ISO/IEC 7816-4:2020"
_ISO_9: Final = "ISO/IEC 7816-9; public security targets name the command"
_OURS: Final = "no public client personalises such cards; the form of IAS-ECC's data objects is taken"

_ALL: Final = None
_TOLD: Final = frozenset({0x00, 0x04, 0x0C})
_TEMPLATES: Final = frozenset({environment.SIGNATURE, environment.CONFIDENTIALITY})
_WHOLE_CHALLENGE: Final = {0x00: 16, 0x01: 8}


def _p(*values: int) -> frozenset[int]:
    """Return values of a parameter byte."""
    return frozenset(values)


def _select(name: str, p1: int, handler: Handler, basis: Basis, source: str) -> CommandForm:
    return CommandForm(f"SELECT {name}", 0x00, 0xA4, handler, basis, source, _p(p1), _TOLD)


def _life_cycle_data(cla: int, level: bytes, source: str) -> CommandForm:
    handler = production.life_cycle_data(level)
    name = f"GET DATA, production life cycle, CLA {cla:02X}"
    return CommandForm(name, cla, 0xCA, handler, Basis.CLIENT, source, _p(0x9F), _p(0x7F))


def _operation(
    name: str, p1: int, p2: int, handler: Handler, source: str, *, cla: int = 0x00, chaining: bool = False
) -> CommandForm:
    return CommandForm(
        f"PSO {name}", cla, 0x2A, handler, Basis.CLIENT, source, _p(p1), _p(p2), chaining=chaining
    )


_FILE_FORMS: Final = (
    _select("by identifier", 0, selection.by_identifier, Basis.CLIENT, _CLASSIC),
    _select("child DF", 1, selection.child_df, Basis.CLIENT, _NATIONAL),
    _select("EF of the DF", 2, selection.child_ef, Basis.CLIENT, _NATIONAL),
    _select("parent DF", 3, selection.parent_df, Basis.INFERRED, _ISO_4),
    _select("by AID", 4, ias_classic.applet, Basis.CLIENT, _CLASSIC),
    _select("by path from the MF", 8, selection.by_path_from_mf, Basis.CLIENT, _GEMSAFE),
    _select("by path from the DF", 9, selection.by_path_from_df, Basis.INFERRED, _ISO_4),
    CommandForm("READ BINARY", 0x00, 0xB0, binary.read, Basis.CLIENT, _CLASSIC, _ALL, _ALL),
    CommandForm("UPDATE BINARY", 0x00, 0xD6, binary.update, Basis.CLIENT, _NATIONAL, _ALL, _ALL),
    CommandForm("CREATE FILE", 0x00, 0xE0, iasecc_files.create, Basis.INFERRED, _ISO_9),
    CommandForm("DELETE FILE", 0x00, 0xE4, ias_classic.delete_file, Basis.INFERRED, _ISO_9),
)

_CREDENTIAL_FORMS: Final = (
    CommandForm("VERIFY", 0x00, 0x20, credentials.verify, Basis.CLIENT, _CLASSIC, p2=_ALL),
    CommandForm(
        "VERIFY, forgetting", 0x00, 0x20, credentials.forget, Basis.CLIENT, _NATIONAL, _p(0xFF), _ALL
    ),
    CommandForm("CHANGE REFERENCE DATA", 0x00, 0x24, credentials.change, Basis.CLIENT, _GEMSAFE, p2=_ALL),
    CommandForm("RESET RETRY COUNTER", 0x00, 0x2C, credentials.unblock, Basis.CLIENT, _NATIONAL, p2=_ALL),
)

_KEY_FORMS: Final = (
    CommandForm("MSE SET", 0x00, 0x22, ias_classic.choose, Basis.CLIENT, _CLASSIC, _p(0x41), _TEMPLATES),
    _operation("HASH, taking one over", 0x90, 0xA0, ias_classic.hash_taken, _CLASSIC),
    _operation("COMPUTE DIGITAL SIGNATURE", 0x9E, 0x9A, ias_classic.sign, _CLASSIC),
    _operation("DECIPHER, padding byte", 0x80, 0x86, ias_classic.decipher, _IDPRIME, chaining=True),
    _operation("DECIPHER", 0x80, 0x84, ias_classic.decipher_bare, _GEMSAFE, cla=0x80),
    CommandForm("GET CHALLENGE", 0x00, 0x84, authentication.get_challenge, Basis.CLIENT, _GEMSAFE),
)

_OBJECT_FORMS: Final = (
    CommandForm("GET DATA, data objects", 0x00, 0xCB, sdo.get_data, Basis.OURS, _OURS, _p(0x3F), _p(0xFF)),
    CommandForm(
        "PUT DATA, data objects",
        0x00,
        0xDB,
        sdo.put_data,
        Basis.OURS,
        _OURS,
        _p(0x3F),
        _p(0xFF),
        chaining=True,
    ),
    CommandForm("GENERATE KEY PAIR", 0x00, 0x47, iasecc_keys.generate, Basis.OURS, _OURS),
)

_RELEASE_3: Final = b"\x03\x00"
_RELEASE_4: Final = b"\x04\x00"

IAS_CLASSIC: Final = register(
    CardSystem(
        name="IAS Classic",
        forms=(
            *_FILE_FORMS,
            *_CREDENTIAL_FORMS,
            *_KEY_FORMS,
            *_OBJECT_FORMS,
            _life_cycle_data(0x00, _RELEASE_3, _IDPRIME),
            _life_cycle_data(0x80, _RELEASE_3, _NATIONAL),
        ),
        data_objects={},
        dialect=Dialect(
            control_information=fci.ias_classic,
            wrong_pin=StatusWord.counter,
            tells_pin_status=True,
            bare_rules=True,
        ),
    )
)

IDPRIME: Final = register(
    CardSystem(
        name="IDPrime",
        forms=(
            _select("by identifier", 0, selection.by_identifier, Basis.CLIENT, _IDPRIME),
            _select("by AID", 4, ias_classic.applet, Basis.CLIENT, _IDPRIME),
            _select("by path from the MF", 8, selection.by_path_from_mf, Basis.CLIENT, _IDPRIME),
            CommandForm("READ BINARY", 0x00, 0xB0, binary.read, Basis.CLIENT, _IDPRIME, _ALL, _ALL),
            _life_cycle_data(0x00, _RELEASE_4, _IDPRIME),
            CommandForm(
                "GET DATA, applet's version",
                0x00,
                0xCA,
                production.applet_version("IDPrime Java Applet 4.4.2.A"),
                Basis.CLIENT,
                "OpenSC after 0.23, driver idprime",
                _p(0xDF),
                _p(0x30),
            ),
            CommandForm("VERIFY", 0x00, 0x20, credentials.verify, Basis.CLIENT, _IDPRIME, p2=_ALL),
            CommandForm(
                "CHANGE REFERENCE DATA", 0x00, 0x24, credentials.change, Basis.CLIENT, _IDPRIME, p2=_ALL
            ),
            CommandForm(
                "MSE SET", 0x00, 0x22, ias_classic.choose, Basis.CLIENT, _IDPRIME, _p(0x41), _TEMPLATES
            ),
            _operation("HASH, taking one over", 0x90, 0xA0, ias_classic.hash_taken, _IDPRIME),
            _operation("COMPUTE DIGITAL SIGNATURE", 0x9E, 0x9A, ias_classic.sign, _IDPRIME),
            _operation("DECIPHER, padding byte", 0x80, 0x86, ias_classic.decipher, _IDPRIME, chaining=True),
            CommandForm(
                "GET CHALLENGE",
                0x00,
                0x84,
                ias_classic.challenge(_WHOLE_CHALLENGE),
                Basis.CLIENT,
                _IDPRIME,
                p2=frozenset(_WHOLE_CHALLENGE),
            ),
        ),
        data_objects={},
        dialect=Dialect(
            control_information=fci.ias_classic,
            wrong_pin=StatusWord.counter,
            tells_pin_status=True,
            bare_rules=True,
        ),
    )
)
