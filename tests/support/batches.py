"""Batches of the key generation system: orders, and cards that cost nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardtwin.issuance.keygeneration import BatchOrder, CardRecord, KeyRecord, ProducedCard
from cardtwin.ppa.shipped import shipped_profile
from cardtwin.source import SourceText
from cardtwin.targets.keygeneration import order_for

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CERTIFICATE", "KEYS", "contents", "made_up", "order_of"]

KEYS = Path(__file__).parents[2] / "scenarios" / "keys"
CERTIFICATE = KEYS / "pin-a.crt"


@cache
def _order(model: str, profile: str) -> BatchOrder:
    source = SourceText.read(shipped_profile(model, profile))
    return order_for(model, CERTIFICATE.read_bytes(), profile=source, count=1)


def order_of(model: str = "cardos-5.3", profile: str = "prepersonalised", **more: Any) -> BatchOrder:
    """Return an order of cards with a shipped profile."""
    return replace(_order(model, profile), **more)


def made_up(order: BatchOrder, index: int) -> ProducedCard:
    """Return the card at that place of a batch, with something in the place of its memory."""
    serial = order.assignment(index).serial.hex().upper()
    image = f"memory of {serial}\n".encode() * 100
    key = KeyRecord("KEY", "rsa", 2048, hashlib.sha256(serial.encode()).hexdigest())
    record = CardRecord(
        index=index + 1,
        serial=serial,
        iccsn=serial,
        label=f"Card, “{index}”",
        state="initialised",
        fuse="intact",
        profile="P",
        keys=(key,),
        pins_for="",
        image=f"cards/{serial}.image",
        sha256=hashlib.sha256(image).hexdigest(),
    )
    return ProducedCard(record, image)


def contents(path: Path) -> Mapping[str, bytes]:
    """Return the files of a batch by name; of an archive, the archive itself."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {str(each.relative_to(path.parent)): each.read_bytes() for each in files}
