"""``cardtwin image``: saved card memories."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardtwin.card import CardView, ImageError
from cardtwin.card import image as images
from cardtwin.cli.files import fail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.card import CardImage

__all__ = ["command"]


@click.group("image", short_help="Show and compare saved card memories.")
def command() -> None:
    """Show and compare saved card memories. PINs and keys are not shown."""


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
        yield f"PIN {directory}:{reference}  {pin.tries_left} of {pin.max_tries} tries left"

    for (directory, reference), key in view.keys.items():
        yield f"key {directory}:{reference}  {key.kind or 'no value'}, to {key.purpose}"
