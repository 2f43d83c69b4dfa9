"""The options of the commands that may run scenarios on physical cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cardtwin.cli.files import fail
from cardtwin.scenario.hardware_options import HardwareOptions
from cardtwin.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cardtwin.scenario import Instance
    from cardtwin.targets.hardware import Hardware

__all__ = ["hardware_of", "hardware_options"]

F = TypeVar("F", bound="Callable[..., object]")

_OPTIONS: Final = (
    click.option(
        "--hardware",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="YAML",
        help="The file of physical cards [$CARDTWIN_HARDWARE, or hardware.yaml].",
    ),
    click.option("--allow-destructive", is_flag=True, help="Contents of physical cards may be deleted."),
    click.option(
        "--allow-irreversible",
        multiple=True,
        metavar="COMMAND",
        help="This command may be sent though nothing leads back; may be repeated.",
    ),
    click.option(
        "--allow-unverified-commands",
        is_flag=True,
        help="Commands may be sent that no public source records for such a card.",
    ),
    click.option(
        "--known-tries", type=click.IntRange(1), metavar="N", help="PINs have N tries left, if no card tells."
    ),
    click.option(
        "--ledger",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="Where tries spent on physical cards are kept.",
    ),
)


def hardware_options(function: F) -> F:
    """Give a command the options that say what may be done to physical cards."""
    for option in reversed(_OPTIONS):
        function = option(function)

    return function


def hardware_of(
    options: Mapping[str, Any], instances: Iterable[Instance], *, used: bool, prompts: bool = True
) -> Hardware | None:
    """Return what the options and the hardware file say; a wrong file ends the program with status 2.

    Args:
        options: The options of :func:`hardware_options`.
        instances: What is to run: PINs of readers that none of them has aren't asked for.
        used: Whether any target works on physical cards; None is returned where none does.
        prompts: Whether a person is asked for PINs. Where no card is touched, a stopgap will do.

    Raises:
        click.UsageError: Something is allowed, and no target works on physical cards.
    """
    asked = HardwareOptions(**options)

    if not used:
        if asked.given:
            raise click.UsageError(f"--{asked.given[0]} is for physical cards: --target pcsc")

        return None

    try:
        return asked.known(instances, _ask if prompts else _no_pin)
    except SourceError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")


def _ask(what: str) -> str:
    pin: str = click.prompt(what, hide_input=True)
    return pin


def _no_pin(_what: str) -> str:
    return "no PIN"
