"""The card operating systems, one module each: their command forms with provenance, and their own ways."""

from __future__ import annotations

from cardtwin.card.cos.cardos44 import CARDOS_44
from cardtwin.card.cos.cardos53 import CARDOS_53
from cardtwin.card.cos.catalogue import get, register
from cardtwin.card.cos.system import CardSystem

__all__ = ["CARDOS_44", "CARDOS_53", "CardSystem", "get", "register"]
