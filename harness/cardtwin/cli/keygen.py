"""``cardtwin keygen``: batches of pre-personalised cards."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cardtwin.cli import FOUND_WRONG
from cardtwin.cli.files import fail, read_source
from cardtwin.cli.messages import tell
from cardtwin.cli.pairs import hidden_value, pairs, parameter
from cardtwin.hosting.request import is_shipped
from cardtwin.issuance.keygeneration import ARCHIVE, CardFailedError, KeyGenerationError
from cardtwin.issuance.manager import NumberRange
from cardtwin.issuance.pinform import PinForm
from cardtwin.plan import SecretName
from cardtwin.ppa.shipped import shipped_profile, shipped_profiles
from cardtwin.source import SourceError
from cardtwin.targets.keygeneration import generate, order_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cardtwin.issuance.keygeneration import BatchOrder
    from cardtwin.source import SourceText

__all__ = ["command"]

_NAME_VALUE = "NAME=VALUE"
_PROMPT = "prompt"
_ELSEWHERE = ("env:", "file:")


def _seed(_context: click.Context, _option: click.Parameter, source: str | None) -> str | None:
    """Return the seed. One that stands on the command line is used, and warned of."""
    if source is None:
        return None

    if source == _PROMPT:
        return str(click.prompt("Seed", hide_input=True, confirmation_prompt=True))

    if not source.startswith(_ELSEWHERE):
        click.echo(
            "cardtwin: others can see a seed on the command line, and with it all PINs: "
            "--seed env:VARIABLE, file:PATH or prompt keeps it from them",
            err=True,
        )

    return hidden_value(source, "--seed")


@click.command("keygen", short_help="Pre-personalise a batch of cards from one profile.")
@click.argument("profile", metavar="CPF")
@click.option("--card", "model", metavar="MODEL", required=True, help="The card model.")
@click.option("--count", type=click.IntRange(1), required=True, metavar="N", help="How many cards.")
@click.option(
    "--pin-cert",
    "certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The PIN encryption certificate (PEM or DER).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder that the batch comes into; a name that ends in .zip makes an archive.",
)
@click.option("--first-serial", metavar="HEX", help="The first chip's serial number, else the model's.")
@click.option("--numbers", metavar="FROM-TO", help="The cards go by these numbers, and not by their chips'.")
@click.option("--label", help="The tokens' label; {index}, {serial} and {number} stand for the card's.")
@click.option(
    "--pin",
    "pins",
    multiple=True,
    metavar=_NAME_VALUE,
    help="A PIN that the profile leaves open: PIN1=6 digits",
)
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar=_NAME_VALUE,
    help="The profile's parameters; 0x... is hex. Also env:VARIABLE, file:PATH.",
)
@click.option(
    "--seed",
    callback=_seed,
    metavar="SOURCE",
    help="Draw all random values from env:VARIABLE, file:PATH, prompt, or a text: the same batch again.",
)
@click.option("--fresh-keys", is_flag=True, help="With --seed: no RSA keys of the public pool.")
@click.option("--public-keys", is_flag=True, help="Put the public keys into the list, besides fingerprints.")
@click.option("--switch", "switches", multiple=True, metavar="RULE=VALUE", help="Choose a behaviour.")
@click.option("-n", "workers", type=click.IntRange(1), metavar="N", help="Processes; as many as CPUs, else.")
@click.option("--resume", is_flag=True, help="Go on where an earlier run of the same order has ended.")
def command(*, out: Path, workers: int | None, resume: bool, **options: Any) -> None:
    """Pre-personalise a batch of cards from the profile CPF: a file, or the name of a shipped one.

    Each card gets files, keys and PINs; the PINs lie on it encrypted for the PIN encryption certificate. The
    batch has the cards' images and a production list, as JSON Lines and as CSV, in which no PIN is.

    A run that was interrupted is gone on with by --resume and the same options. Exit status: 0 the batch is
    there, 1 the profile is wrong or doesn't go onto such a card, 2 wrong usage, something is in the way, or a
    bug of cardtwin showed.

    Who knows the seed knows all PINs, and others can see a command line: take env:VARIABLE, file:PATH (its
    first line), or prompt. Values of --param may come from there, too.
    """
    if not out.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {str(out.parent)!r}", param_hint="--out")

    try:
        _make(_order(**options), out, resume=resume, workers=workers or os.cpu_count() or 1)
    except (CardFailedError, SourceError) as error:
        tell(str(error))
        sys.exit(FOUND_WRONG)
    except KeyGenerationError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror}")


def _order(
    *,
    profile: str,
    model: str,
    certificate: Path,
    first_serial: str | None,
    numbers: str | None,
    pins: Iterable[str],
    parameters: Iterable[str],
    switches: Iterable[str],
    **more: Any,
) -> BatchOrder:
    return order_for(
        model,
        certificate.read_bytes(),
        first_serial=None if first_serial is None else _serial(first_serial),
        profile=_profile(profile, model),
        numbers=None if numbers is None else _numbers(numbers),
        pins=dict(_pin(name, form) for name, form in _unique(pins, "--pin").items()),
        parameters={
            name: parameter(text, name=name) for name, text in _unique(parameters, "--param").items()
        },
        switches=_unique(switches, "--switch"),
        **more,
    )


def _unique(texts: Iterable[str], option: str) -> Mapping[str, str]:
    found: dict[str, str] = {}

    for name, value in pairs(texts, option):
        if name in found:
            raise click.BadParameter(f"{name} is given twice", param_hint=option)

        found[name] = value

    return found


def _profile(name: str, model: str) -> SourceText:
    if not is_shipped(name):
        return read_source(Path(name))

    try:
        return read_source(shipped_profile(model, name))
    except KeyError:
        known = ", ".join(shipped_profiles(model)) or "none"
        raise click.BadParameter(
            f"no profile {name!r} for {model} comes with cardtwin: there are {known}; "
            "a file of yours has a path, or a name that ends in .cpf",
            param_hint="CPF",
        ) from None


def _serial(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.BadParameter(
            "hex digits are expected, two for each byte", param_hint="--first-serial"
        ) from None


def _numbers(text: str) -> NumberRange:
    first, _, last = text.partition("-")
    found = NumberRange(first.strip(), last.strip())

    if wrong := found.problem():
        raise click.BadParameter(f"FROM-TO, such as 10000-10999: {wrong}", param_hint="--numbers")

    return found


def _pin(name: str, form: str) -> tuple[SecretName, PinForm]:
    if name not in set(SecretName):
        known = ", ".join(SecretName)
        raise click.BadParameter(f"there is no secret {name!r}: there are {known}", param_hint="--pin")

    try:
        return SecretName(name), PinForm.parse(form)
    except ValueError as error:
        raise click.BadParameter(f"{name}: {error}", param_hint="--pin") from None


def _make(order: BatchOrder, out: Path, *, resume: bool, workers: int) -> None:
    """Make the batch, and tell how far it is where somebody looks on."""
    console = Console(stderr=True)
    columns = (TextColumn("cards"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    steps = generate(order, out, resume=resume, workers=workers)
    done = 0

    try:
        with (
            closing(steps),
            Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
        ):
            task = bar.add_task("cards", total=order.count)

            for step in steps:
                done = step.done
                bar.update(task, completed=done)
    except KeyboardInterrupt:
        if done:
            tell(f"{done} of {order.count} cards are there; --resume goes on")

        raise

    where = f"{out}{os.sep}" if out.suffix.casefold() != ARCHIVE else str(out)
    click.echo(f"{order.count} cards in {where}")
