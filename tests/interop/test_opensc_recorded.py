"""OpenSC lists a card with a real one's content: both speak as they were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.events import Exchange
from support.interop import EXTENDED, READER
from support.recorded import card_with_that_content, exchanges

if TYPE_CHECKING:
    from support.interop import Desk


def test_pkcs15_tool_and_the_card_exchange_what_was_recorded(desk: Desk) -> None:
    desk.config = EXTENDED
    desk.manager.insert(READER, card_with_that_content(desk.hub, READER))
    told = desk.run("pkcs15-tool", "-k", "-C", "-s")
    said = [(event.command, event.response) for event in desk.events if isinstance(event, Exchange)]
    recorded = exchanges()

    assert "Card has 3 Private key(s)." in told
    assert len(recorded) == 14
    assert [(one.hex(" "), other.hex(" ")) for one, other in said[:14]] == [
        (one.hex(" "), other.hex(" ")) for one, other in recorded
    ]
