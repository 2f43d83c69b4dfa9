"""Which requirements about erasing, encrypted PINs and the signature slot are proved on which card models."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.card import models
from cardtwin.events import Hub
from cardtwin.middleware import CardNotRecognisedError
from cardtwin.scenario import find, load
from cardtwin.targets import CardSetup, Setup
from cardtwin.targets.emulated import EmulatedBench
from pages import page, table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CONCERNS",
    "FOLDERS",
    "SCENARIOS",
    "Concern",
    "concerned",
    "driven",
    "missing",
    "proved",
    "written",
]

SCENARIOS: Final = Path(__file__).resolve().parent.parent / "scenarios"
FOLDERS: Final = ("deleting", "blob", "signature-slot", "shipped")


_INTRODUCTION: Final = """
The [requirements](requirements.yaml) about erasing (DEL), encrypted PINs (BLOB) and the signature slot (SIG),
by the card models that the middleware knows. "proved" stands where a step of a scenario proves one on a card
of the model, nothing where it is about the Card Eraser and the model has none. The models stand in
`scenarios/models/`, one line each.
"""


class Concern(Enum):
    """Which card models a requirement is about, of those that profiles can be put on."""

    ALL = "every model"
    ERASER = "models with a Card Eraser"
    NONE = "no model: it is decided before a card is asked"


CONCERNS: Final[Mapping[str, Concern]] = {
    "DEL-01": Concern.ERASER,
    "DEL-02": Concern.ALL,
    "DEL-03": Concern.NONE,
    **{f"DEL-{number:02}": Concern.ERASER for number in range(4, 11)},
    "DEL-11": Concern.ALL,
    "DEL-12": Concern.ERASER,
    "DEL-13": Concern.ERASER,
    "BLOB-01": Concern.ALL,
    "BLOB-02": Concern.ALL,
    "BLOB-03": Concern.NONE,
    "BLOB-04": Concern.ALL,
    **{f"BLOB-{number:02}": Concern.NONE for number in range(5, 9)},
    "BLOB-09": Concern.ALL,
    "BLOB-10": Concern.ALL,
    "BLOB-11": Concern.ALL,
    "BLOB-12": Concern.NONE,
    "BLOB-13": Concern.NONE,
    "BLOB-14": Concern.ALL,
    "BLOB-15": Concern.NONE,
    "SIG-01": Concern.ALL,
    "SIG-02": Concern.ALL,
}


@cache
def driven() -> Mapping[str, bool]:
    """Return the models whose cards the middleware knows, and whether it shows a Card Eraser for them."""
    return {model: shown for model in models.names() if (shown := _shows_eraser(model)) is not None}


def _shows_eraser(model: str) -> bool | None:
    bench = EmulatedBench(Setup({"R": "A"}, {"A": CardSetup(model)}, {}), Hub())

    with closing(bench):
        try:
            return bench.client("any").card_eraser("R") is not None
        except CardNotRecognisedError:
            return None


def concerned(requirement: str) -> frozenset[str]:
    """Return the models that a requirement concerns."""
    match CONCERNS[requirement]:
        case Concern.ALL:
            return frozenset(driven())
        case Concern.ERASER:
            return frozenset(model for model, eraser in driven().items() if eraser)
        case Concern.NONE:
            return frozenset()


@cache
def proved() -> Mapping[str, frozenset[str]]:
    """Return, by requirement, the models of the cards that a step is about which proves it."""
    found: defaultdict[str, set[str]] = defaultdict(set)

    for path in find(SCENARIOS / folder for folder in FOLDERS):
        for instance in load(path):
            cards = {card for card in instance.setup.readers.values() if card is not None}
            here = {instance.setup.cards[card].model for card in cards}

            for step in instance.steps:
                for requirement in step.proves:
                    found[requirement] |= here

    return {requirement: frozenset(here) for requirement, here in found.items()}


def missing() -> dict[str, list[str]]:
    """Return, by requirement, the models that it concerns and that no step proves it on."""
    short = {id_: concerned(id_) - proved().get(id_, frozenset()) for id_ in CONCERNS}
    return {id_: sorted(lacking) for id_, lacking in short.items() if lacking}


def written() -> str:
    """Return the page of it."""
    elsewhere = [requirement for requirement, concern in CONCERNS.items() if concern is Concern.NONE]
    return page(
        "What is proved on which card model",
        [
            _INTRODUCTION,
            table(
                ("Requirement", *(f"`{model}`" for model in driven())),
                [_row(requirement) for requirement in CONCERNS if requirement not in elsewhere],
            ),
            f"What is decided before a card is asked isn't proved by model: {', '.join(elsewhere)}.",
        ],
    )


def _row(requirement: str) -> tuple[str, ...]:
    about, there = concerned(requirement), proved().get(requirement, frozenset())
    told = {model: "proved" if model in there else "**not yet**" for model in about}
    return (requirement, *(told.get(model, "") for model in driven()))
