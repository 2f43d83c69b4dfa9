"""What a host does when it is told to: one function for each command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from cardtwin.card import image as images
from cardtwin.hosting.errors import CommandRefusedError
from cardtwin.hosting.preparation import CARD
from cardtwin.hosting.status import status_of
from cardtwin.readers import EntryError, PinEntry

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
def _insert(host: Host, _: Message) -> None:
    host.desk.insert(host.reader, CARD)


@_action("remove")
def _remove(host: Host, _: Message) -> None:
    host.desk.remove(host.reader)


@_action("reset")
def _reset(host: Host, _: Message) -> None:
    host.desk.reset(host.reader)


@_action("power-on")
def _power_on(host: Host, _: Message) -> None:
    host.desk.power(host.reader, on=True)


@_action("power-off")
def _power_off(host: Host, _: Message) -> None:
    host.desk.power(host.reader, on=False)


@_action("enter")
def _enter(host: Host, request: Message) -> None:
    entries = request.get("entries")

    if not isinstance(entries, list) or not entries or not all(isinstance(text, str) for text in entries):
        raise CommandRefusedError("it takes what is entered, a list of texts")

    try:
        host.desk.enter(host.reader, [PinEntry.parse(text) for text in entries])
    except EntryError as error:
        raise CommandRefusedError(str(error)) from None


@_action("status")
def _status(host: Host, _: Message) -> Mapping[str, Any]:
    return status_of(host)


@_action("snapshot")
def _snapshot(host: Host, request: Message) -> None:
    images.save(host.desk.image(host.reader), _path(request))


@_action("load")
def _load(host: Host, request: Message) -> None:
    host.desk.load(host.reader, images.load(_path(request)))


def _path(request: Message) -> str:
    path = request.get("path")

    if not isinstance(path, str) or not os.path.isabs(path) or "\0" in path:
        raise CommandRefusedError("it takes the path of a file, an absolute one")

    return path


@_action("environment")
def _environment(host: Host, _: Message) -> Mapping[str, str]:
    return host.environment


@_action(STOP)
def _stop(_host: Host, _: Message) -> None:
    """Do nothing: the answer comes first, and then the server ends."""
