"""What the PINs that a token lists are for, as far as their flags and the card's conditions tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.middleware.tokens import PinInfo, PinKind
from cardtwin.pkcs15 import PinFlags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.pkcs15 import Pin

__all__ = ["kinds_of"]


def kinds_of(entries: Sequence[Pin], eraser: int | None) -> tuple[PinInfo, ...]:
    """Return PINs with what they are for (rule ``middleware.pin-kinds``).

    Args:
        entries: What the token lists, in its order.
        eraser: The number of the credential that the card's erase condition names; None where it names none.
    """
    plain = [entry for entry in entries if _is_plain(entry) and entry.reference & 0x7F != eraser]
    local = [entry for entry in plain if PinFlags.LOCAL in entry.flags]
    main = [entry for entry in plain if entry not in local] or local
    user = next((entry for entry in main if entry.auth_id is not None), main[0] if main else None)
    signature = next((entry for entry in local if entry is not user), None)
    operator = next((entry for entry in entries if _is_operator(entry, eraser)), None)

    if operator is None:
        others = (entry for entry in main if entry not in (user, signature))
        operator = next((entry for entry in others if entry.auth_id is None), None)

    kinds = ((user, PinKind.USER), (signature, PinKind.SIGNATURE), (operator, PinKind.OPERATOR))
    return tuple(_info(entry, kinds) for entry in entries)


def _is_plain(entry: Pin) -> bool:
    return not entry.flags & (PinFlags.UNBLOCKING_PIN | PinFlags.SO_PIN)


def _is_operator(entry: Pin, eraser: int | None) -> bool:
    resets = PinFlags.UNBLOCKING_PIN in entry.flags
    return not resets and (PinFlags.SO_PIN in entry.flags or entry.reference & 0x7F == eraser)


def _info(entry: Pin, kinds: Sequence[tuple[Pin | None, PinKind]]) -> PinInfo:
    so = PinFlags.SO_PIN in entry.flags
    kind = next((kind for found, kind in kinds if found is entry), None)

    if kind is None:
        kind = PinKind.PUK if PinFlags.UNBLOCKING_PIN in entry.flags else PinKind.OTHER

    return PinInfo(kind, entry, so)
