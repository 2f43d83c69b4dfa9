"""Gemalto: IDClassic 340 with IAS Classic, and IDPrime 940 with the minidriver applet above it."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.model import CardModel
from cardtwin.card.memory import MF, ObjectKey, SecurityObject
from cardtwin.card.memory.access import NEVER
from cardtwin.card.memory.objects import PIN, TEST_CLASS
from cardtwin.card.models import idprime_files
from cardtwin.card.models.catalogue import register
from cardtwin.card.models.evidence import evidence
from cardtwin.pcsc import Protocol
from cardtwin.provenance import Basis

__all__ = ["IDCLASSIC_340_MODEL", "IDPRIME_940_MODEL", "SIGNATURE_PIN", "USER_PIN"]

USER_PIN, SIGNATURE_PIN = 0x11, 0x03
"""The PINs of an IDPrime. The second is addressed as 83: 80 is the bit of references within a DF."""

_PIN_LENGTH: Final = 16
_TRIES: Final = 5

IDCLASSIC_340_MODEL: Final = register(
    CardModel(
        name="idclassic-340",
        title="Gemalto IDClassic 340",
        atr=bytes.fromhex("3B7D96000080318065B0830201F383009000"),
        serial=bytes.fromhex("4021000034000001"),
        system="IAS Classic",
        memory=0x12000,
        max_data=0x0400,
        max_rsa_bits=2048,
        application=bytes.fromhex("A0000000180C000001634200"),
        protocol=Protocol.T0,
        evidence=evidence(
            (Basis.CLIENT, "OpenSC, driver gemsafeV1; reports of programs that use the card", "atr")
        ),
    )
)
"""IDClassic 340. ATR and applet's name are those that OpenSC knows; the rest is ours."""


def _initial_pin() -> SecurityObject:
    """Return a PIN 0000 that may be changed by whoever knows it, and reset by nobody."""
    return SecurityObject(
        option=0x02,
        flags=_TRIES,
        algorithm=PIN,
        tries_left=_TRIES,
        uses_left=0xFF,
        dek=0xFF,
        consent=0,
        min_length=4,
        access=bytes((0, 0, NEVER)),
        body=b"0000".ljust(_PIN_LENGTH, b"\0"),
    )


IDPRIME_940_MODEL: Final = register(
    CardModel(
        name="idprime-940",
        title="Gemalto IDPrime 940",
        atr=bytes.fromhex("3B7F96000080318065B0855956FB120FFE829000"),
        serial=bytes.fromhex("4021000094000001"),
        system="IDPrime",
        memory=0x14000,
        max_data=0x0400,
        max_rsa_bits=4096,
        application=bytes.fromhex("A000000018800000000662"),
        files=idprime_files.delivered(b"cardtwin-idp-940"),
        objects={
            ObjectKey(MF, TEST_CLASS, USER_PIN): _initial_pin(),
            ObjectKey(MF, TEST_CLASS, SIGNATURE_PIN): _initial_pin(),
        },
        protocol=Protocol.T0,
        capabilities=frozenset({"elliptic-curves"}),
        evidence=evidence((Basis.CLIENT, "OpenSC, driver idprime", "atr")),
    )
)
"""IDPrime 940. The ATR is the one that OpenSC knows; serial number, sizes and limits are ours."""
