"""The catalogue of card models: chips as they are delivered, by name; one module for each family.

Each module enters its models in the catalogue; it is imported here.
"""

from cardtwin.card.chip.model import CardModel, Evidence
from cardtwin.card.models.cardos import (
    CARDOS_43B_MODEL,
    CARDOS_44_MODEL,
    CARDOS_50_MODEL,
    CARDOS_53_DI_MODEL,
    CARDOS_53_MODEL,
    CARDOS_54_MODEL,
)
from cardtwin.card.models.catalogue import get, names, register
from cardtwin.card.models.cosmo import (
    AUTHENTIC_2_MODEL,
    AUTHENTIC_3_MODEL,
    COSMO_7_MODEL,
    COSMO_8_MODEL,
    COSMO_EID_MODEL,
)
from cardtwin.card.models.gemalto import IDCLASSIC_340_MODEL, IDPRIME_940_MODEL
from cardtwin.card.models.microsoft import VIRTUAL_SMART_CARD_MODEL

__all__ = [
    "AUTHENTIC_2_MODEL",
    "AUTHENTIC_3_MODEL",
    "CARDOS_43B_MODEL",
    "CARDOS_44_MODEL",
    "CARDOS_50_MODEL",
    "CARDOS_53_DI_MODEL",
    "CARDOS_53_MODEL",
    "CARDOS_54_MODEL",
    "COSMO_7_MODEL",
    "COSMO_8_MODEL",
    "COSMO_EID_MODEL",
    "IDCLASSIC_340_MODEL",
    "IDPRIME_940_MODEL",
    "VIRTUAL_SMART_CARD_MODEL",
    "CardModel",
    "Evidence",
    "get",
    "names",
    "register",
]
