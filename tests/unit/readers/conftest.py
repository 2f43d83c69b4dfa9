"""A reader with a card in it; the same on a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.events import Defect
from cardtwin.readers import ReaderManager
from cardtwin.sockets import private_directory
from support.cards import ScriptedCard
from support.pcsclite import World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def card() -> ScriptedCard:
    return ScriptedCard()


@pytest.fixture
def manager(card: ScriptedCard) -> ReaderManager:
    manager = ReaderManager()
    manager.add_reader("R1")
    manager.insert("R1", card)
    return manager


@pytest.fixture
def world() -> Iterator[World]:
    with private_directory() as path:
        world = World(path)

        with world.server:
            yield world
            world.close_clients()

        assert not [event for event in world.events if isinstance(event, Defect)]
