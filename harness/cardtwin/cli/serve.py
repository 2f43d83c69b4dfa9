"""``cardtwin serve``."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from cardtwin.cli.card_options import READERS_HELP, card_options, request_of
from cardtwin.cli.files import fail
from cardtwin.cli.messages import tell
from cardtwin.hosting import CONTROL_VARIABLE, HostedCards, HostingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.hosting import HostRequest

__all__ = ["command", "exports"]


_EXAMPLE: Final = """\b
Example:
  cardtwin serve --card cardos-5.3 --profile full --secret PIN1=env:MY_PIN --socket ~/card.socket
  eval "$(cardtwin ctl --socket ~/card.socket env)"      # in another shell
"""


@click.command(
    "serve", short_help="Have a card in a reader for a while.", epilog=f"{_EXAMPLE}\n{READERS_HELP}"
)
@card_options
@click.option(
    "--socket", "control", type=click.Path(), help="Where `cardtwin ctl` finds the server; see below."
)
@click.option("--for", "seconds", type=click.FloatRange(min=0), metavar="S", help="End after S seconds.")
@click.option("--shell", is_flag=True, help="Print nothing but what a shell is to carry out.")
def command(*, seconds: float | None, shell: bool, **options: Any) -> None:
    """Have a card in a reader for other shells' programs, until an interrupt, SIGTERM or `cardtwin ctl stop`.

    When the card is ready, it prints the environment variables that programs need; `cardtwin ctl` finds the
    server by one of them, or by the path that --socket gives here and there.

    Values of --secret, --param, --field, --answer and --seed are written env:VARIABLE, file:PATH, or as they
    are. PINs that are not given are drawn at random.

    Exit status: 0, or 2 if there is no such card.
    """
    try:
        request = request_of(options)

        # From when it is ready, an interrupt is how it ends.
        with HostedCards(request) as card, suppress(KeyboardInterrupt):
            _warn(card, request)
            _tell(card, shell=shell)
            card.wait(seconds)
    except HostingError as error:
        fail(str(error))


def _warn(cards: HostedCards, request: HostRequest) -> None:
    tell(*cards.warnings)

    for name, card in request.cards.items():
        if cards.pins_of(name) and card.profile is not None and not card.secrets:
            pins = ", ".join(sorted(cards.pins_of(name)))
            whose = f" of {name!r}" if len(request.cards) > 1 else ""
            told = f"{pins}{whose} are as the profile has them, and shown nowhere: --secret gives them"
            tell(told)


def _tell(card: HostedCards, *, shell: bool) -> None:
    if not shell:
        control = shlex.quote(card.environment[CONTROL_VARIABLE])
        click.echo(f"{_places(card)} In another shell:\n")

    for line in exports(card.environment):
        click.echo(line if shell else f"    {line}")

    if not shell:
        click.echo(f"\n    cardtwin ctl --socket {control} status\n\nCtrl-C ends it.")


def _places(cards: HostedCards) -> str:
    if len(cards.readers) == 1 and cards.readers[cards.reader] is not None:
        return f"The card is in the reader {cards.reader!r}."

    return f"The readers are {', '.join(map(repr, cards.readers))}."


def exports(environment: Mapping[str, str]) -> Iterator[str]:
    """Return lines by which a shell sets environment variables."""
    for name, value in environment.items():
        yield f"export {name}={shlex.quote(value)}"
