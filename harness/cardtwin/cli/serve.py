"""``cardtwin serve``."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from cardtwin.cli.card_options import card_options, request_of
from cardtwin.cli.files import fail
from cardtwin.hosting import CONTROL_VARIABLE, HostedCard, HostingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["command", "exports"]


@click.command("serve", short_help="Have a card in a reader for a while.")
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

    Values of --secret, --field and --answer are written env:VARIABLE, file:PATH, or as they are.

    Exit status: 0, or 2 if there is no such card.
    """
    try:
        # From when it is ready, an interrupt is how it ends.
        with HostedCard(request_of(options)) as card, suppress(KeyboardInterrupt):
            _tell(card, shell=shell)
            card.wait(seconds)
    except HostingError as error:
        fail(str(error))


def _tell(card: HostedCard, *, shell: bool) -> None:
    for warning in card.warnings:
        click.echo(f"cardtwin: {warning}", err=True)

    if not shell:
        control = shlex.quote(card.environment[CONTROL_VARIABLE])
        click.echo(f"The card is in the reader {card.reader!r}. In another shell:\n")

    for line in exports(card.environment):
        click.echo(line if shell else f"    {line}")

    if not shell:
        click.echo(f"\n    cardtwin ctl --socket {control} status\n\nCtrl-C ends it.")


def exports(environment: Mapping[str, str]) -> Iterator[str]:
    """Return lines by which a shell sets environment variables."""
    for name, value in environment.items():
        yield f"export {name}={shlex.quote(value)}"
