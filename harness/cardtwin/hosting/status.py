"""What is in the readers, for people and for programs. It shows no PIN and no key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardtwin.card import CardView

if TYPE_CHECKING:
    from cardtwin.hosting.host import Host
    from cardtwin.targets.cards import BenchCard

__all__ = ["status_of"]


def status_of(host: Host) -> dict[str, Any]:
    """Return the readers with their cards, all cards, and the programs that have called C_Initialize.

    Who is connected and whether a card has power, pcscd alone knows of its readers: that is None.
    """
    return {
        "readers": [_reader(host, name) for name in host.desk.readers],
        "cards": [
            {"name": card.name, "model": card.model, "reader": host.desk.reader_of(card.name)}
            for card in host.desk.cards
        ],
        "programs": [{"pid": client.pid, "name": client.program} for client in host.clients],
    }


def _reader(host: Host, name: str) -> dict[str, Any]:
    state, card = host.desk.state(name), host.desk.card_in(name)
    return {
        "name": name,
        "connections": None if state is None else abs(state.sharing),
        "card": None if card is None else _card(card, powered=None if state is None else state.powered),
    }


def _card(card: BenchCard, *, powered: bool | None) -> dict[str, Any]:
    view = CardView(card.chip.image)
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
        "name": card.name,
        "model": card.model,
        "serial": view.serial.hex().upper(),
        "powered": powered,
        "life_cycle": view.life_cycle.name.lower(),
        "fuse": view.fuse,
        "erasable": view.erasable,
        "pins": pins,
        "kept": card.path,
        "faults": [str(fault) for fault in card.faults],
    }
