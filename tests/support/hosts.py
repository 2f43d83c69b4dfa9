"""Hosts in this process, for tests of what they make of a request and of what they answer."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import pytest

from cardtwin.card import CardView
from cardtwin.hosting import CONTROL_VARIABLE, CardRefusedError, CardRequest, Control, HostRequest
from cardtwin.hosting.host import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

READER: Final = "Emulated reader"
SECRETS: Final = {"PIN1": "271828", "PUK": "31415926", "PIN2": "141421", "OP": "16180339"}
FIELDS: Final = {"PIN": "271828", "PUK": "31415926"}

_OF_THE_CARD: Final = {field.name for field in fields(CardRequest)}


class Served:
    """A host that is open, and what it told its starter."""

    def __init__(self, host: Host, ready: dict[str, Any]) -> None:
        self.host = host
        self.ready = ready

    @property
    def pins(self) -> dict[str, str]:
        """The PINs of the first card."""
        return dict(next(iter(self.ready["pins"].values())))

    @property
    def view(self) -> CardView:
        """The memory of the card in the one reader."""
        return CardView(self.host.desk.image(READER))

    def control(self) -> Control:
        """Connect to the control socket."""
        return Control(self.ready["environment"][CONTROL_VARIABLE])


def asked(**contents: Any) -> HostRequest:
    """Return the request for one card, a CardOS 5.3 unless it is another one, or for `readers`."""
    card = {name: contents.pop(name) for name in set(contents) & _OF_THE_CARD}

    if "readers" in contents:
        return HostRequest.arranged(**contents)

    return HostRequest.of(CardRequest(**{"model": "cardos-5.3", **card}), **contents)


@contextmanager
def served(**contents: Any) -> Iterator[Served]:
    """Open a host; no bug may show until it is closed."""
    host = Host(asked(**contents), lambda: None)

    try:
        yield Served(host, host.open())
    finally:
        assert host.close() == {"stopped": {"problems": []}}


def refusal(**contents: Any) -> str:
    """Return why a request is refused; no secret of these may be in it."""
    host = Host(asked(**contents), lambda: None)

    with pytest.raises(CardRefusedError) as refused:
        host.open()

    for secret in (*SECRETS.values(), *FIELDS.values()):
        assert secret not in str(refused.value)

    return str(refused.value)
