"""The card operating systems, one module each: their command forms with provenance, and their own ways.

Each module enters its systems in the catalogue; it is imported here.
"""

from __future__ import annotations

from cardtwin.card.cos.authentic import AUTHENTIC_3
from cardtwin.card.cos.awp import AUTHENTIC_2
from cardtwin.card.cos.cardos5 import CARDOS_50, CARDOS_53, CARDOS_54
from cardtwin.card.cos.cardos43b import CARDOS_43B
from cardtwin.card.cos.cardos44 import CARDOS_44
from cardtwin.card.cos.catalogue import get, register
from cardtwin.card.cos.cosmo import COSMO_7, COSMO_8
from cardtwin.card.cos.cosmo_eid import COSMO_EID
from cardtwin.card.cos.gids import GIDS_2
from cardtwin.card.cos.ias_classic import IAS_CLASSIC, IDPRIME
from cardtwin.card.cos.system import CardSystem

__all__ = [
    "AUTHENTIC_2",
    "AUTHENTIC_3",
    "CARDOS_43B",
    "CARDOS_44",
    "CARDOS_50",
    "CARDOS_53",
    "CARDOS_54",
    "COSMO_7",
    "COSMO_8",
    "COSMO_EID",
    "GIDS_2",
    "IAS_CLASSIC",
    "IDPRIME",
    "CardSystem",
    "get",
    "register",
]
