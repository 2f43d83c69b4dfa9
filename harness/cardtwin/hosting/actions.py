"""What a host does when it is told to: one function for each command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from cardtwin.card import image as images
from cardtwin.hosting.errors import CommandRefusedError
from cardtwin.hosting.request import CardRequest
from cardtwin.hosting.status import status_of
from cardtwin.readers import EntryError, PinEntry
from cardtwin.targets import FaultSetup
from cardtwin.targets.kept import check_unkept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.hosting.host import Host
    from cardtwin.hosting.messages import Message

    Action = Callable[[Host, Message], object]

__all__ = ["ACTIONS", "STOP"]

STOP: Final = "stop"
ACTIONS: Final[dict[str, Action]] = {}
"""The functions by the names of their commands. Each is called while no other is."""


def _action(name: str) -> Callable[[Action], Action]:
    def register(function: Action) -> Action:
        ACTIONS[name] = function
        return function

    return register


@_action("insert")
def _insert(host: Host, request: Message) -> Mapping[str, Any]:
    """Insert a card of the host, or a new one; return its name, and what there is to tell of a new one."""
    reader, new = _reader(host, request), request.get("new")

    if new is not None:
        return host.insert_new(reader, CardRequest.from_message(new))

    card = request.get("card")
    name = _card_for(host, reader) if card is None else _text(card, "a card's name")
    host.desk.insert(reader, name)
    return {"card": name, "pins": {}, "warnings": []}


@_action("remove")
def _remove(host: Host, request: Message) -> None:
    host.desk.remove(_reader(host, request))


@_action("reset")
def _reset(host: Host, request: Message) -> None:
    host.desk.reset(_reader(host, request))


@_action("power-on")
def _power_on(host: Host, request: Message) -> None:
    host.desk.power(_reader(host, request), on=True)


@_action("power-off")
def _power_off(host: Host, request: Message) -> None:
    host.desk.power(_reader(host, request), on=False)


@_action("enter")
def _enter(host: Host, request: Message) -> None:
    entries = request.get("entries")

    if not isinstance(entries, list) or not entries or not all(isinstance(text, str) for text in entries):
        raise CommandRefusedError("it takes what is entered, a list of texts")

    try:
        host.desk.enter(_reader(host, request), [PinEntry.parse(text) for text in entries])
    except EntryError as error:
        raise CommandRefusedError(str(error)) from None


@_action("arm")
def _arm(host: Host, request: Message) -> None:
    reader = _reader(host, request)

    try:
        fault = FaultSetup.parse(_text(request.get("fault"), "a fault in words"))
    except ValueError as error:
        raise CommandRefusedError(str(error)) from None

    host.desk.arm(reader, fault)


@_action("disarm")
def _disarm(host: Host, request: Message) -> None:
    host.desk.disarm(_reader(host, request))


@_action("add-reader")
def _add_reader(host: Host, request: Message) -> None:
    name = _text(request.get("reader"), "a reader's name")
    host.desk.add_reader(name, pinpad=request.get("pinpad") is True)


@_action("remove-reader")
def _remove_reader(host: Host, request: Message) -> None:
    host.desk.remove_reader(_text(request.get("reader"), "a reader's name"))


@_action("status")
def _status(host: Host, _: Message) -> Mapping[str, Any]:
    return status_of(host)


@_action("snapshot")
def _snapshot(host: Host, request: Message) -> None:
    image, path = host.desk.image(_reader(host, request)), _path(request)
    check_unkept(path)
    images.save(image, path)


@_action("load")
def _load(host: Host, request: Message) -> None:
    host.desk.load(_reader(host, request), images.load(_path(request)))


@_action("environment")
def _environment(host: Host, _: Message) -> Mapping[str, str]:
    return host.environment


@_action(STOP)
def _stop(_host: Host, _: Message) -> None:
    """Do nothing: the answer comes first, and then the server ends."""


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise CommandRefusedError(f"it takes {what}")

    return value


def _path(request: Message) -> str:
    path = request.get("path")

    if not isinstance(path, str) or not os.path.isabs(path) or "\0" in path:
        raise CommandRefusedError("it takes the path of a file, an absolute one")

    return path


def _reader(host: Host, request: Message) -> str:
    """Return the reader that is meant; it need not be said where there is one."""
    readers, given = host.desk.readers, request.get("reader")

    if given is not None:
        return _text(given, "a reader's name")

    if len(readers) != 1:
        raise CommandRefusedError(f"which reader? There are {', '.join(map(repr, readers)) or 'none'}")

    return readers[0]


def _card_for(host: Host, reader: str) -> str:
    """Return the card that is meant where none is said: the one that was in the reader, or the only one."""
    desk = host.desk
    desk.check_reader(reader)

    if (inside := desk.card_in(reader)) is not None:
        return inside.name

    latest, outside = (
        desk.latest(reader),
        [card.name for card in desk.cards if desk.reader_of(card.name) is None],
    )

    if latest is not None and latest in outside:
        return latest

    if len(outside) == 1:
        return outside[0]

    raise CommandRefusedError(f"which card? In no reader are {', '.join(map(repr, outside)) or 'none'}")
