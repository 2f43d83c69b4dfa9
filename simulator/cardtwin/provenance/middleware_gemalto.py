"""Decisions about the middleware on Gemalto's cards."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, rule

__all__: list[str] = []

_GEMSAFE: Final = "OpenSC 0.23, driver gemsafeV1"
_IDPRIME: Final = "OpenSC 0.23 and later, driver idprime"

rule(
    "middleware.gemalto-eraser",
    Basis.OURS,
    "DEL-02: 'certain Gemalto cards' have the Card Eraser; IDClassic 340 is the one known to be in use",
    "The object 'Card Eraser' is shown for IDClassic.",
)
rule(
    "middleware.gemalto-personalisation",
    Basis.OURS,
    "no public client makes PINs and keys on IAS Classic, changes access rules or lists files",
    "An IDClassic is recognised by its ATR alone. PINs, access rules and keys are written, and files listed, "
    "in forms of ours. It has no phase of life: the conditions of the MF tell whether the fuse is burnt. It "
    "tells no free memory either: 64 KiB are taken for free until it refuses.",
)
rule(
    "middleware.gemalto-padding",
    Basis.INFERRED,
    f"{_IDPRIME}; {_GEMSAFE}",
    "An IDClassic puts PKCS#1 v1.5 padding on a DigestInfo and takes it off a cryptogram itself: "
    "signatures padded otherwise are refused.",
)
rule(
    "middleware.idprime-refused",
    Basis.OURS,
    "no source names an IDPrime as a card of this middleware; it has no PKCS#15 files",
    "An IDPrime is not recognised, and the error says why: a token made up from its containers would be "
    "read by nobody else in that way.",
)
