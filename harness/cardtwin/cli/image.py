"""``cardtwin image``: saved card memories."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardtwin.card import CardView, ImageError
from cardtwin.card import image as images
from cardtwin.cli.files import OUTPUT, fail, in_a_folder
from cardtwin.entropy import SeededEntropy, SystemEntropy
from cardtwin.pcsc import PcscError
from cardtwin.readers import PyscardMissingError
from cardtwin.targets import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.card import CardImage
    from cardtwin.targets.takeover import TakenCard

__all__ = ["command"]


@click.group("image", short_help="Show, compare, read and issue card memories.")
def command() -> None:
    """Show and compare saved card memories, take over what may be read of a card in a reader, issue cards.

    PINs and keys are not shown.
    """


@command.command("show")
@click.argument("path", type=click.Path(path_type=Path))
def show(path: Path) -> None:
    """Show what is on a card: its state, files, PINs and keys."""
    click.echo("\n".join(_lines(_load(path))))


@command.command("compare")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
def compare(before: Path, after: Path) -> None:
    """Tell what differs between two card memories, file by file. Exit status 1 if anything does."""
    differences = images.compare(_load(before), _load(after))

    for difference in differences:
        click.echo(str(difference))

    sys.exit(1 if differences else 0)


@command.command("read")
@click.option("--reader", metavar="NAME", help="The system's reader. Not needed where there is only one.")
@click.option("--out", type=OUTPUT, callback=in_a_folder, help="Where to save the image.")
@click.option("--json", "as_json", is_flag=True, help="Tell what was read as JSON.")
@click.option("--ask-tries", is_flag=True, help="Ask PINs for their tries, by VERIFY without a PIN.")
def read(reader: str | None, out: Path | None, as_json: bool, ask_tries: bool) -> None:  # noqa: FBT001  # click gives them by name
    """Take over what may be read of a card in a reader of the system, and tell what was and what wasn't.

    Only reading commands are sent: nothing on the card is changed and no PIN is verified. PINs and keys
    have no value in the image. `cardtwin exec --image FILE` runs it as an emulated card.
    """
    taken = _taken(reader, ask_tries=ask_tries)

    if out is not None:
        try:
            images.save(taken.image, out)
        except OSError as error:
            fail(f"{out}: {error.strerror}")

    click.echo(json.dumps(taken.as_json(), indent=1) if as_json else "\n".join(taken.lines()))


@command.command("issue")
@click.argument("name", metavar="CARD")
@click.option("--out", type=OUTPUT, callback=in_a_folder, required=True, help="Where to save the image.")
@click.option("--seed", metavar="TEXT", help="Draw the keys from this, to get the same again.")
def issue(name: str, out: Path, seed: str | None) -> None:
    """Make a card that comes finished to its holder.

    CARD is authentic, authentic-2, estonian-eid, latvian-eid or idprime.
    Keys and certificates are made for it, PINs and PUK are the public ones of the documentation, and its
    holder doesn't exist. `cardtwin exec --image FILE` runs it as an emulated card.
    """
    from cardtwin.targets import issuing  # noqa: PLC0415  # heavy, and only needed here

    try:
        issued = issuing.issue(name, SystemEntropy() if seed is None else SeededEntropy(seed, "issue"))
        images.save(issued.image, out)
    except TargetError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{out}: {error.strerror}")

    click.echo("\n".join(_lines(issued.image)))


def _taken(reader: str | None, *, ask_tries: bool) -> TakenCard:
    from cardtwin.readers.physical import PhysicalContext  # noqa: PLC0415  # needed only here
    from cardtwin.targets.takeover import choose_reader, take_over  # noqa: PLC0415  # heavy, and only needed here

    try:
        with PhysicalContext() as context:
            chosen = choose_reader(context, reader, "choose one with --reader")
            return take_over(context, chosen, ask_tries=ask_tries)
    except (PyscardMissingError, TargetError) as error:
        fail(str(error))
    except PcscError as error:
        fail(f"the system's readers can't be used: {error}")


def _load(path: Path) -> CardImage:
    try:
        return images.load(path)
    except (OSError, ImageError) as error:
        fail(str(error))


def _lines(image: CardImage) -> Iterator[str]:
    view = CardView(image)
    yield f"{image.model}, serial {view.serial.hex().upper()}"
    yield f"life cycle: {view.life_cycle.name.lower()}; fuse: {view.fuse}; erasable: {view.erasable}"

    for path, file in view.files.items():
        kind = f"{file.kind}, {file.size} bytes"
        access = ", ".join(f"{name}: {condition}" for name, condition in file.access.items())
        yield f"file {path}  {kind}" + ("" if file.active else ", inactive") + f"  ({access})"

    for (directory, reference), pin in view.pins.items():
        value = "" if pin.known else ", value not known"
        yield f"PIN {directory}:{reference}  {pin.tries_left} of {pin.max_tries} tries left{value}"

    for (directory, reference), key in view.keys.items():
        yield f"key {directory}:{reference}  {key.kind or 'no value'}, to {key.purpose}"
