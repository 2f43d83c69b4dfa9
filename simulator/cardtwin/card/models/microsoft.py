"""Microsoft's virtual smart card."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.gids import APPLICATION
from cardtwin.card.chip.model import CardModel
from cardtwin.card.models.catalogue import register
from cardtwin.card.models.evidence import evidence
from cardtwin.provenance import Basis

__all__ = ["VIRTUAL_SMART_CARD_MODEL"]

VIRTUAL_SMART_CARD_MODEL: Final = register(
    CardModel(
        name="virtual-smart-card",
        title="Microsoft Virtual Smart Card",
        atr=bytes.fromhex("3B8D0180FBA000000397425446590401CF"),
        serial=bytes.fromhex("0000000000005643"),
        system="GIDS 2.0",
        memory=0x18000,
        max_data=0x2000,
        max_rsa_bits=2048,
        application=APPLICATION,
        evidence=evidence(
            (Basis.CLIENT, "programs that tell such cards from others by it", "atr"),
            (Basis.INFERRED, "what TPMs offer", "max_rsa_bits"),
        ),
    )
)
"""Microsoft's virtual smart card, without the files that a card management system or Windows writes.

The ATR is that of such cards. They keep their keys in a TPM, and tell no serial number: what stands here as
one is ours, as are the sizes."""
