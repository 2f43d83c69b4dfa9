"""Hubs that tell another one a part of what they hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.events import Hub

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.events import Event

__all__ = ["part_of"]


def part_of(hub: Hub, wanted: Callable[[Event], bool]) -> Hub:
    """Return a hub whose events are told on to another one, where they are wanted there."""
    part = Hub()

    def tell(event: Event) -> None:
        if wanted(event):
            hub.emit(event)

    part.subscribe(tell)
    return part
