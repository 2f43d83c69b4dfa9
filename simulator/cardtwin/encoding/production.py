"""What follows on the server's side when a card was produced."""

from __future__ import annotations

from cardtwin.encoding.initialisation import SECRETS, card_serial
from cardtwin.encoding.run import Block, Run, command

__all__: list[str] = []


def _produces(run: Run) -> bool:
    told = run.scope.flag("InitToken") and run.server.post_processor is not None
    return told and bool(card_serial(run))


@command("CardProductionPostProcessor", Block.PRODUCTION, _produces)
def _tell(run: Run) -> None:
    """Tell the secrets that the encoding gave the card, under the serial number that it was given."""
    assert run.server.post_processor is not None
    secrets = {name: secret for keyword, name in SECRETS.items() if (secret := run.given(keyword))}
    run.server.post_processor.produced(card_serial(run), secrets)
