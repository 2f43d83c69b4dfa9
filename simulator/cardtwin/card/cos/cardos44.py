"""CardOS V4.4: what public clients send to it, and what recordings and other versions of CardOS M4 tell."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.dialect import Dialect
from cardtwin.card.commands import (
    CommandForm,
    authentication,
    binary,
    credentials,
    dataobjects,
    environment,
    files,
    generation,
    objects,
    operations,
    records,
    selection,
    startkey,
)
from cardtwin.card.commands.dataobjects import DataObject, get_data
from cardtwin.card.cos.catalogue import register
from cardtwin.card.cos.fci import cardos as fci
from cardtwin.card.cos.system import CardSystem
from cardtwin.card.memory.lifecycle import ALL, FILES, START_KEY, LifeCycle
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance import Basis

__all__ = ["CARDOS_44"]

_OPENSC: Final = "OpenSC 0.23, drivers cardos and pkcs15-cardos"
_CNS: Final = "clients of Italian CIE and CNS cards"
_JAVASIGN: Final = "javasign, a client of CardOS M4"
_SCRIPT: Final = "a vendor's erase script for CardOS V4.3B"
_REPORTS: Final = "outputs of cardos-tool in public reports"
_ISO: Final = "ISO/IEC 7816-4:2020"

_ALL: Final = None
_INFORMATION: Final = frozenset({0x00, 0x04, 0x0C})
_RECORDS: Final = frozenset({0x00, 0x01, 0x02, 0x03, 0x04})
_TEMPLATES: Final = frozenset({environment.SIGNATURE, environment.CONFIDENTIALITY})
_ERASING: Final = frozenset({LifeCycle.ADMINISTRATION, LifeCycle.MANUFACTURING, LifeCycle.ERASE_IN_PROGRESS})
_MANUFACTURING: Final = frozenset({LifeCycle.MANUFACTURING})


def _p(*values: int) -> frozenset[int]:
    """Return values of a parameter byte."""
    return frozenset(values)


_FILE_FORMS: Final = (
    CommandForm(
        "SELECT by identifier", 0x00, 0xA4, selection.by_identifier, Basis.CLIENT, _OPENSC, p2=_INFORMATION
    ),
    CommandForm("SELECT child DF", 0x00, 0xA4, selection.child_df, Basis.INFERRED, _ISO, _p(1), _INFORMATION),
    CommandForm(
        "SELECT EF of the DF", 0x00, 0xA4, selection.child_ef, Basis.INFERRED, _ISO, _p(2), _INFORMATION
    ),
    CommandForm("SELECT parent DF", 0x00, 0xA4, selection.parent_df, Basis.CLIENT, _CNS, _p(3), _INFORMATION),
    CommandForm("SELECT by AID", 0x00, 0xA4, selection.by_aid, Basis.CLIENT, _OPENSC, _p(4), _INFORMATION),
    CommandForm(
        "SELECT next by AID", 0x00, 0xA4, selection.by_aid, Basis.INFERRED, _ISO, _p(4), _p(2, 6, 0x0E)
    ),
    CommandForm(
        "SELECT by path from the MF",
        0x00,
        0xA4,
        selection.by_path_from_mf,
        Basis.CLIENT,
        _OPENSC,
        _p(8),
        _INFORMATION,
    ),
    CommandForm(
        "SELECT by path from the DF",
        0x00,
        0xA4,
        selection.by_path_from_df,
        Basis.CLIENT,
        _JAVASIGN,
        _p(9),
        _INFORMATION,
    ),
    CommandForm("READ BINARY", 0x00, 0xB0, binary.read, Basis.CLIENT, _OPENSC, _ALL, _ALL),
    CommandForm("UPDATE BINARY", 0x00, 0xD6, binary.update, Basis.CLIENT, _OPENSC, _ALL, _ALL),
    CommandForm(
        "READ RECORD", 0x00, 0xB2, records.read, Basis.CLIENT, f"{_OPENSC}; {_JAVASIGN}", _ALL, _p(0, 4)
    ),
    CommandForm(
        "READ RECORD, last, next, previous", 0x00, 0xB2, records.read, Basis.INFERRED, _ISO, _ALL, _p(1, 2, 3)
    ),
    CommandForm("UPDATE RECORD", 0x00, 0xDC, records.update, Basis.INFERRED, _ISO, _ALL, _RECORDS),
    CommandForm("APPEND RECORD", 0x00, 0xE2, records.append, Basis.CLIENT, _CNS),
    CommandForm("CREATE FILE", 0x00, 0xE0, files.create, Basis.CLIENT, _OPENSC, phases=FILES),
    CommandForm("DELETE FILE", 0x00, 0xE4, files.delete, Basis.CLIENT, _OPENSC, phases=FILES),
    CommandForm("DEACTIVATE FILE", 0x00, 0x04, files.deactivate, Basis.CLIENT, _CNS),
    CommandForm("ACTIVATE FILE", 0x00, 0x44, files.activate, Basis.CLIENT, _CNS),
    CommandForm("DIRECTORY", 0x80, 0x16, files.directory, Basis.CLIENT, _OPENSC, _p(2), _ALL),
    CommandForm("PUT DATA FCI", 0x00, 0xDA, files.change_conditions, Basis.CLIENT, _CNS, _p(1), _p(0x6F)),
)

_OBJECT_FORMS: Final = (
    CommandForm(
        "PUT DATA OCI", 0x00, 0xDA, objects.put_object, Basis.CLIENT, _OPENSC, _p(1), _p(0x6E), FILES
    ),
    CommandForm(
        "PUT DATA SECI", 0x00, 0xDA, objects.put_environment, Basis.CLIENT, _OPENSC, _p(1), _p(0x6D), FILES
    ),
    CommandForm("CHANGE KEY DATA", 0x90, 0x24, objects.change_key_data, Basis.CLIENT, _CNS, _ALL, _ALL),
    CommandForm("VERIFY", 0x00, 0x20, credentials.verify, Basis.CLIENT, _OPENSC, p2=_ALL),
    CommandForm("CHANGE REFERENCE DATA", 0x00, 0x24, credentials.change, Basis.CLIENT, _OPENSC, p2=_ALL),
    CommandForm(
        "CHANGE REFERENCE DATA, authorised",
        0x00,
        0x24,
        credentials.change_authorised,
        Basis.CLIENT,
        _CNS,
        _p(1),
        _ALL,
    ),
    CommandForm("RESET RETRY COUNTER", 0x00, 0x2C, credentials.unblock, Basis.CLIENT, _OPENSC, p2=_ALL),
    CommandForm(
        "RESET RETRY COUNTER, authorised",
        0x00,
        0x2C,
        credentials.unblock_authorised,
        Basis.CLIENT,
        _CNS,
        _p(3),
        _ALL,
    ),
    CommandForm("LOGOUT", 0x80, 0xEA, credentials.log_out, Basis.CLIENT, _OPENSC),
)

_KEY_FORMS: Final = (
    CommandForm(
        "MSE SET", 0x00, 0x22, environment.set_key, Basis.CLIENT, _OPENSC, _p(0x01, 0x41), _TEMPLATES
    ),
    CommandForm("MSE SET, CNS", 0x00, 0x22, environment.set_key, Basis.CLIENT, _CNS, _p(0xF1), _TEMPLATES),
    CommandForm(
        "MSE SET for authentication",
        0x00,
        0x22,
        environment.set_key,
        Basis.INFERRED,
        _ISO,
        _p(0x01, 0x41, 0xF1),
        _p(environment.AUTHENTICATION),
    ),
    CommandForm("MSE RESTORE", 0x00, 0x22, environment.restore, Basis.CLIENT, _OPENSC, _p(0x03), _ALL),
    CommandForm(
        "MSE RESTORE, CNS",
        0x00,
        0x22,
        environment.restore,
        Basis.CLIENT,
        f"{_CNS}; {_JAVASIGN}",
        _p(0xF3),
        _ALL,
    ),
    CommandForm(
        "PSO COMPUTE DIGITAL SIGNATURE",
        0x00,
        0x2A,
        operations.sign,
        Basis.CLIENT,
        _OPENSC,
        _p(0x9E),
        _p(0x9A),
        chaining=True,
    ),
    CommandForm(
        "PSO DECIPHER",
        0x00,
        0x2A,
        operations.decipher,
        Basis.CLIENT,
        _OPENSC,
        _p(0x80),
        _p(0x86),
        chaining=True,
    ),
    CommandForm("GENERATE KEY PAIR", 0x00, 0x46, generation.generate, Basis.CLIENT, _OPENSC),
    CommandForm("GET CHALLENGE", 0x00, 0x84, authentication.get_challenge, Basis.CLIENT, _OPENSC),
    CommandForm("GIVE RANDOM", 0x80, 0x86, authentication.give_random, Basis.CLIENT, _CNS),
    CommandForm(
        "EXTERNAL AUTHENTICATE", 0x00, 0x82, authentication.external_authenticate, Basis.CLIENT, _CNS, p2=_ALL
    ),
    CommandForm(
        "INTERNAL AUTHENTICATE",
        0x00,
        0x88,
        authentication.internal_authenticate,
        Basis.INFERRED,
        _ISO,
        p2=_ALL,
    ),
)

_DATA_OBJECTS: Final = {
    0x80: DataObject("product text", dataobjects.product_text, Basis.RECORDED, _REPORTS),
    0x81: DataObject("chip data", dataobjects.chip_data_4, Basis.CLIENT, _OPENSC),
    0x82: DataObject("version", dataobjects.version, Basis.RECORDED, _REPORTS),
    0x83: DataObject("life cycle", dataobjects.life_cycle, Basis.RECORDED, _SCRIPT),
    0x84: DataObject("passed test objects", dataobjects.passed_tests, Basis.CLIENT, _CNS),
    0x85: DataObject("free heap", dataobjects.free_heap, Basis.RECORDED, _REPORTS),
    0x86: DataObject("ATR status", dataobjects.atr_status, Basis.CLIENT, _OPENSC),
    0x87: DataObject("current path", dataobjects.current_path, Basis.CLIENT, _CNS),
    0x88: DataObject("packages", dataobjects.packages, Basis.RECORDED, _SCRIPT),
    0x89: DataObject("memory sizes", dataobjects.memory_sizes_4, Basis.CLIENT, _OPENSC),
    0x8A: DataObject("free memory", dataobjects.free_memory_2, Basis.RECORDED, _REPORTS),
    0x8D: DataObject("greatest data field", dataobjects.max_data_field, Basis.CLIENT, _OPENSC),
    0x96: DataObject("key versions", dataobjects.key_versions, Basis.RECORDED, _SCRIPT),
}

_CARD_FORMS: Final = (
    CommandForm("GET DATA", 0x00, 0xCA, get_data(_DATA_OBJECTS), Basis.CLIENT, _OPENSC, _p(1), _ALL, ALL),
    CommandForm("PHASE CONTROL", 0x80, 0x10, startkey.phase_control, Basis.CLIENT, _OPENSC),
    CommandForm("ERASE FILES", 0x84, 0x06, startkey.erase_files, Basis.RECORDED, _SCRIPT, phases=_ERASING),
    CommandForm(
        "FORMAT", 0x84, 0x40, startkey.format_card, Basis.RECORDED, _SCRIPT, p2=_p(1), phases=_MANUFACTURING
    ),
    CommandForm(
        "CHANGE STARTKEY", 0x84, 0x24, startkey.change_start_key, Basis.RECORDED, _SCRIPT, phases=START_KEY
    ),
)


def _failed(_tries: int) -> StatusWord:
    return StatusWord.AUTHENTICATION_FAILED


CARDOS_44: Final = register(
    CardSystem(
        name="CardOS V4.4",
        forms=(*_FILE_FORMS, *_OBJECT_FORMS, *_KEY_FORMS, *_CARD_FORMS),
        data_objects=_DATA_OBJECTS,
        dialect=Dialect(control_information=fci.cardos_4, wrong_pin=_failed),
    )
)
