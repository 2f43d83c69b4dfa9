"""Decisions about Gemalto's cards: IDClassic with IAS Classic, and IDPrime."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, rule

__all__: list[str] = []

_GEMSAFE: Final = "OpenSC 0.23, driver gemsafeV1"
_IDPRIME: Final = "OpenSC 0.23 and later, driver idprime"

rule(
    "card.ias-classic-applet",
    Basis.CLIENT,
    f"{_GEMSAFE}: its logout is a SELECT of the applet",
    "On IAS Classic, SELECT of the applet's own name forgets every PIN; SELECT of a DF by its name keeps "
    "them. The applet is selected after a reset, and there is no card manager: its names are answered "
    "6A82.",
)
rule(
    "card.ias-classic-conditions",
    Basis.INFERRED,
    f"{_GEMSAFE}: the tag 8C, UPDATE and READ of an EF, creation in a DF, 1n for the PIN n; "
    "ISO/IEC 7816-4:2020, 9.3.2, for the other bits",
    "On IAS Classic, access rules stand in 8C, and the security condition byte 1n asks for the PIN of "
    "reference n. Conditions by secure messaging or by a key are never met: the card has neither. A DF "
    "has no file descriptor.",
)
rule(
    "card.ias-classic-unnamed-operations",
    Basis.OURS,
    "access mode bytes have no bit for them",
    "On IAS Classic, who may delete a file may change its access rules, by PUT DATA 3FFF with `62 {8C}`, "
    "and who may create files in a DF may create and delete PINs and keys in it.",
)
rule(
    "card.ias-classic-objects",
    Basis.OURS,
    "public security targets name the commands; no public client makes PINs or keys",
    "On IAS Classic, PINs and keys are made, filled, asked for and deleted in the form of IAS-ECC's data "
    "objects (GET DATA and PUT DATA 3FFF, GENERATE KEY PAIR 00 47); the card's own form isn't public.",
)
rule(
    "card.listing-of-files",
    Basis.OURS,
    "ISO/IEC 7816-4:2020 for the empty tag list and the file reference; no public client lists files",
    "On IAS Classic, and on Cosmo with IAS-ECC, GET DATA 3FFF with `5C 00` tells the files of the current "
    "DF, each by its reference, the tag 51.",
)
rule(
    "card.ias-classic-algorithms",
    Basis.CLIENT,
    f"{_IDPRIME}; {_GEMSAFE}; clients of national cards with IAS Classic",
    "On IAS Classic and IDPrime, a signature takes two commands: PSO HASH takes over what is to be "
    "signed, and gives it back. The algorithm's reference says what that is: 02 a DigestInfo, 12, 42, 52, "
    "62 a hash that the card puts into one, 45, 55, 65 a hash for PSS, 44 one for ECDSA. To decipher, 1A "
    "and 02 are PKCS#1 v1.5, 1D, 4D, 5D, 6D OAEP; none is key agreement.",
)
rule(
    "card.production-life-cycle",
    Basis.OURS,
    f"where the release level stands: {_IDPRIME}; where the serial number stands: clients of national cards",
    "The production life cycle data (GET DATA 9F7F) tell the system's release level, 03 on IDClassic and "
    "04 on IDPrime, and the chip's serial number as its date, number and batch. All else in them is 00.",
)
rule(
    "card.t0",
    Basis.INFERRED,
    "ISO/IEC 7816-3:2006, 12.2; the ATRs of these cards offer no other protocol",
    "IDClassic and IDPrime speak T=0: where a command has data and no Le, 61xx tells what GET RESPONSE "
    "brings. Extended lengths are refused with 6700. Reader drivers hand short APDUs with data and Le on "
    "whole.",
)
rule(
    "card.idprime-read-only",
    Basis.OURS,
    "no public client writes on an IDPrime or knows the answer to its admin key's challenge",
    "An emulated IDPrime is written by no command: an image is made with its containers. Its admin key, "
    "and with it the reset of PINs, isn't there: such commands are answered 6D00.",
)
rule(
    "card.idprime-files",
    Basis.INFERRED,
    f"{_IDPRIME}; the initial PIN: a public page on encoding with the maker's middleware",
    "On an IDPrime 940, 0101 is the index, 0201 the card's id, 0204 the container map, 0005 the "
    "references of keys, which are 56 and following, and a certificate is a compressed file that the "
    "index names. Identifiers of certificates and of the label are ours. Both PINs, 11 and 83, begin as "
    "0000 with five tries, filled up with 00 to 16 bytes.",
)
