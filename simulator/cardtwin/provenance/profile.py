"""Decisions about the card profile language."""

from __future__ import annotations

from cardtwin.provenance.rules import Basis, rule

__all__ = ["ORDER"]

ORDER = rule(
    "profile.order",
    Basis.INFERRED,
    "PPA-08",
    "MakeCardEraseable() stands before everything but CardModel and assignments, BurnFuse() behind everything. "
    "The sources say 'at the start' and 'at the end', and not what happens otherwise: strict makes it an "
    "error, lenient a warning.",
    choices=("strict", "lenient"),
    default="strict",
)
