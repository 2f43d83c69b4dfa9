"""``cardtwin exec``."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from cardtwin.cli.card_options import READERS_HELP, card_options, request_of
from cardtwin.cli.command_line import end_without_program, run_or_tell
from cardtwin.cli.messages import tell
from cardtwin.cli.pin_variables import check_names, pin_variables
from cardtwin.hosting import HostedCards, HostingError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["command"]

NOT_READY: Final = 125
"""There is no card, so the command wasn't run; the number that env and timeout have for that."""

_EXAMPLE: Final = """\b
Example:
  cardtwin exec --card cardos-5.3 --profile full -- \\
      sh -c 'pkcs11-tool --module $CARDTWIN_MODULE --login --pin env:CARDTWIN_PIN1 -O'
"""


@click.command(
    "exec",
    short_help="Run a command with a card in a reader.",
    epilog=f"{_EXAMPLE}\n{READERS_HELP}",
    context_settings={"allow_interspersed_args": False},
)
@card_options
@click.argument("arguments", metavar="COMMAND ...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...], **options: Any) -> None:
    """Run a command with a card in a reader, and take both away when it has ended.

    The command finds the reader by PC/SC, and the PKCS#11 library at $CARDTWIN_MODULE. PINs and PUKs that a
    profile has put on the card are in $CARDTWIN_PIN1, $CARDTWIN_PUK and so on; with several cards those of
    each also in $CARDTWIN_<CARD>_PIN1. `cardtwin ctl`, called by the command, takes cards out and in again.

    Values of --secret, --param, --field, --answer and --seed are written env:VARIABLE, file:PATH, or as they
    are. PINs that are not given are drawn at random.

    Exit status: the command's; 128 and its number if a signal has ended it; 127 if there is no such command,
    126 if it can't be run, 125 if there is no such card.
    """
    end_without_program(arguments)

    with _hosted(options) as card:
        status = _run(arguments, {**os.environ, **card.environment, **pin_variables(_pins(card))}, card)

    sys.exit(status)


@contextmanager
def _hosted(options: dict[str, Any]) -> Iterator[HostedCards]:
    """Have a card while the block lasts; without one, say why and end."""
    try:
        request = request_of(options)
        check_names(request.cards)
        card = HostedCards(request)
    except HostingError as error:
        _end(str(error))

    tell(*card.warnings)

    try:
        yield card
    finally:
        try:
            card.close()
        except HostingError as error:
            tell(str(error))


def _pins(cards: HostedCards) -> dict[str, dict[str, str]]:
    return {card: {name: cards.pin(name, card=card) for name in cards.pins_of(card)} for card in cards.cards}


def _run(arguments: tuple[str, ...], environment: dict[str, str], card: HostedCards) -> int:
    told = False

    def look_at_card() -> None:
        nonlocal told

        if card.lost and not told:
            told = True
            tell("the card's process has ended; the command goes on without a card")

    return run_or_tell(arguments, environment, on_child=look_at_card)


def _end(message: str) -> NoReturn:
    tell(message)
    sys.exit(NOT_READY)
