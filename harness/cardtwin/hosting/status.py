"""What is in a reader, for people and for programs. It shows no PIN and no key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardtwin.card import CardView
from cardtwin.targets import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.cryptoki.calls import Client
    from cardtwin.targets.emulated import EmulatedBench

__all__ = ["status_of"]


def status_of(bench: EmulatedBench, model: str, clients: Iterable[Client]) -> dict[str, Any]:
    """Return the readers with their cards, and the programs that have called C_Initialize."""
    return {
        "readers": [_reader(bench, name, model) for name in bench.manager.readers()],
        "programs": [{"pid": client.pid, "name": client.program} for client in clients],
    }


def _reader(bench: EmulatedBench, name: str, model: str) -> dict[str, Any]:
    state = bench.manager.state(name)

    try:
        view = CardView(bench.desk.image(name))
    except TargetError:
        return {"name": name, "connections": abs(state.sharing), "card": None}

    pins = [
        {
            "directory": directory,
            "reference": reference,
            "tries_left": pin.tries_left,
            "max_tries": pin.max_tries,
        }
        for (directory, reference), pin in view.pins.items()
    ]
    card = {
        "model": model,
        "serial": view.serial.hex().upper(),
        "powered": state.powered,
        "life_cycle": view.life_cycle.name.lower(),
        "fuse": view.fuse,
        "erasable": view.erasable,
        "pins": pins,
    }
    return {"name": name, "connections": abs(state.sharing), "card": card}
