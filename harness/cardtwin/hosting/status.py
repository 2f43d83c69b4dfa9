"""What is in a reader, for people and for programs. It shows no PIN and no key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardtwin.card import CardView
from cardtwin.targets import TargetError

if TYPE_CHECKING:
    from cardtwin.hosting.host import Host

__all__ = ["status_of"]


def status_of(host: Host) -> dict[str, Any]:
    """Return the reader with its card, and the programs that have called C_Initialize.

    Who is connected and whether the card has power, pcscd alone knows of its readers: that is None.
    """
    state = host.reader_state
    reader = {
        "name": host.reader,
        "connections": None if state is None else abs(state.sharing),
        "card": _card(host, powered=None if state is None else state.powered),
    }
    return {
        "readers": [reader],
        "programs": [{"pid": client.pid, "name": client.program} for client in host.clients],
    }


def _card(host: Host, *, powered: bool | None) -> dict[str, Any] | None:
    try:
        view = CardView(host.desk.image(host.reader))
    except TargetError:
        return None

    pins = [
        {
            "directory": directory,
            "reference": reference,
            "tries_left": pin.tries_left,
            "max_tries": pin.max_tries,
        }
        for (directory, reference), pin in view.pins.items()
    ]
    return {
        "model": host.model,
        "serial": view.serial.hex().upper(),
        "powered": powered,
        "life_cycle": view.life_cycle.name.lower(),
        "fuse": view.fuse,
        "erasable": view.erasable,
        "pins": pins,
    }
