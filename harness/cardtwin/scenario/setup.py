"""What a scenario finds on the desk, from its keys; and whether what it names is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.provenance import Switches, UnknownSwitchError
from cardtwin.scenario.document import MapNode, Node, TextNode
from cardtwin.scenario.model import FileReference, ScenarioModel
from cardtwin.scenario.substitution import references
from cardtwin.scenario.validation import place
from cardtwin.source import Diagnostics, closest
from cardtwin.targets import CardSetup, ProcessSetup, Setup
from cardtwin.targets import get as get_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cardtwin.scenario.instance import StepSpec
    from cardtwin.scenario.model import CardModel

__all__ = ["DEFAULT_PROCESS", "EMPTY", "build_setup", "check_files", "check_references", "declared"]

DEFAULT_PROCESS = "cardtwin"
EMPTY, ABSENT = "empty", "absent"
"""What ``readers:`` gives a reader that starts without a card, and one that isn't attached yet."""


_NOTHING = {
    "steps": "no step before this one has the id {name!r}",
    "images": "no step before this one saves an image {name!r}, and no file is called so",
}
"""How it is told that nothing has a name, in what is no section of the file."""

_NO_NAMES = {"steps": "the 'id:' of an earlier step", "images": "the name of an 'image: save' or of a file"}
"""What belongs there, where there is no name to choose from."""


def build_setup(path: Path, model: ScenarioModel, root: Node, found: Diagnostics) -> Setup:
    """Return the setup; what is wrong with it goes to `found`."""
    cards = {name: _card(card, path.parent) for name, card in model.cards.items()}
    readers: dict[str, str | None] = {}

    for reader, what in ((name, each.card) for name, each in model.readers.items()):
        if what in {EMPTY, ABSENT}:
            readers[reader] = None
        elif what in cards:
            readers[reader] = what
        elif reader in cards:
            found.error(
                "name-taken",
                f"the card in {reader!r} would be called so too, but 'cards:' has one of that name",
                place(root, ("readers", reader)).span,
                remedy=f"write '{reader}: {reader}' to insert that one, or rename it",
            )
        else:
            # A model in place of a card: one card of that model, called as its reader.
            cards[reader] = CardSetup(what)
            readers[reader] = reader

    setup = Setup(
        readers=readers,
        cards=cards,
        processes=_processes(model),
        files=dict(_files(path, model, root, found)),
        seed=model.seed,
        switches=model.switches,
        absent=frozenset(name for name, reader in model.readers.items() if reader.card == ABSENT),
        pinpads=frozenset(name for name, reader in model.readers.items() if reader.pinpad),
        ejecting=frozenset(name for name, reader in model.readers.items() if reader.ejects),
    )
    _check_setup(model, setup, root, found)
    return setup


def _card(card: CardModel, folder: Path) -> CardSetup:
    return CardSetup(
        card.model,
        card.quirks,
        fresh_keys=card.keys == "fresh",
        image=card.image,
        factory=card.state == "factory",
        real_speed=card.speed == "real",
        faults=tuple(fault.setup() for fault in card.faults),
        keep=None if card.keep is None else str(folder / card.keep),
        serial=card.serial,
    )


def _processes(model: ScenarioModel) -> dict[str, ProcessSetup]:
    given = {
        name: ProcessSetup(
            name,
            process.ppa_config,
            process.config,
            process.user_config,
            int(process.bits),
            process.version,
        )
        for name, process in model.processes.items()
    }
    return given or {DEFAULT_PROCESS: ProcessSetup(DEFAULT_PROCESS)}


def _files(path: Path, model: ScenarioModel, root: Node, found: Diagnostics) -> Iterator[tuple[str, bytes]]:
    for name, content in model.files.items():
        if not isinstance(content, FileReference):
            yield name, content.encode()
            continue

        target = path.parent / content.path

        try:
            yield name, target.read_bytes()
        except OSError as error:
            near = sorted(p.name for p in target.parent.iterdir()) if target.parent.is_dir() else []
            found.error(
                "no-such-file",
                f"{target} cannot be read: {error.strerror}",
                place(root, ("files", name, "path")).span,
                remedy=closest(target.name, near),
            )


def _check_setup(model: ScenarioModel, setup: Setup, root: Node, found: Diagnostics) -> None:
    for location, message in get_target(model.target).problems(setup):
        found.error("bad-value", message, place(root, location).span)

    for name, value in model.switches.items():
        try:
            Switches({name: value})
        except UnknownSwitchError as error:
            found.error("bad-switch", str(error), place(root, ("switches", name)).span)

    used: dict[str, str] = {}

    for reader, card in setup.readers.items():
        if card is not None and card in used:
            message = f"the card {card!r} cannot be in {used[card]!r} and {reader!r} at once"
            found.error("bad-value", message, place(root, ("readers", reader)).span)
        elif card is not None:
            used[card] = reader


def check_files(root: MapNode, sections: Mapping[str, Sequence[str]], found: Diagnostics) -> None:
    """Find names of files, in cards and programs, that ``files:`` does not have."""
    for section, keys in (("cards", ("image",)), ("processes", ("ppa_config", "config", "user_config"))):
        node = root.get(section)

        for entry in node if isinstance(node, MapNode) else ():
            for key in keys:
                file = entry.value.get(key) if isinstance(entry.value, MapNode) else None

                if not isinstance(file, TextNode) or references(file):
                    continue

                if file.text not in sections["files"]:
                    _unknown("files", file.text, sections["files"], file, found)


def declared(root: MapNode) -> dict[str, tuple[str, ...]]:
    """Return the names that each section of a scenario declares, however wrong the rest of it is."""
    sections = {name: _keys(root.get(name)) for name in ("files", "cards", "readers", "processes")}
    readers = root.get("readers")
    by_model = [
        entry.key.text
        for entry in (readers if isinstance(readers, MapNode) else ())
        if isinstance(what := _content(entry.value), TextNode)
        and what.text not in {EMPTY, ABSENT, *sections["cards"]}
    ]
    sections["cards"] = (*sections["cards"], *by_model)
    sections["processes"] = sections["processes"] or (DEFAULT_PROCESS,)
    return sections


def _content(reader: Node) -> Node | None:
    """Return what is said to be in a reader, which may have something of its own beside it."""
    return reader.get("card") if isinstance(reader, MapNode) else reader


def _keys(node: Node | None) -> tuple[str, ...]:
    return node.keys() if isinstance(node, MapNode) else ()


def check_references(
    steps: Iterable[StepSpec], sections: Mapping[str, Sequence[str]], found: Diagnostics
) -> None:
    """Find names in steps that nothing in the scenario has, and readers and programs left open."""
    known = {**sections, "steps": (), "images": sections["files"]}
    late: set[str] = set()

    for spec in steps:
        for section, name in spec.kind.refers(spec.node):
            if section not in late and name.text not in known[section] and not references(name):
                _unknown(section, name.text, known[section], name, found)

        _check_default(spec, "on", sections["readers"], found)
        _check_default(spec, "by", sections["processes"], found)

        if spec.id and spec.id in known["steps"]:
            found.error("duplicate-id", f"another step has the id {spec.id!r}", spec.node.key_span("id"))

        for section, name in spec.kind.declares(spec.node):
            known[section] = (*known[section], name.text)

            if references(name):
                late.add(section)  # its name is known in the run only: it may be any


def _check_default(spec: StepSpec, key: str, known: Sequence[str], found: Diagnostics) -> None:
    if spec.node.get(key) is None and len(known) > 1 and key in spec.kind.addressed:
        found.error(
            "ambiguous",
            f"the step doesn't say {key!r}, and there are {len(known)}: {', '.join(known)}",
            spec.span,
            remedy=f"add '{key}: {known[0]}'",
        )


def _unknown(section: str, name: str, known: Iterable[str], node: Node, found: Diagnostics) -> None:
    known = tuple(known)
    found.error(
        "unknown-name",
        _NOTHING.get(section, "nothing in '{section}:' is called {name!r}").format(
            name=name, section=section
        ),
        node.span,
        expected=f"one of {', '.join(known)}"
        if known
        else _NO_NAMES.get(section, f"a '{section}:' that has it"),
        remedy=closest(name, known),
    )
