"""``check``: look at the card, without a command to it, and at what happened so far."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from cardtwin.card import CardView
from cardtwin.card import image as images
from cardtwin.decode import Decoder, Effect
from cardtwin.scenario.document import MapNode, TextNode
from cardtwin.scenario.effects import READS
from cardtwin.scenario.matchers import FlagMatcher, HexMatcher, NumberMatcher, TextListMatcher, TextMatcher
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.scenario.unseen import see_file, see_pin
from cardtwin.scenario.values import Name, Value
from cardtwin.targets import Capability
from cardtwin.targets.looking import is_a_look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.card.view import FileView, KeyView, PinView
    from cardtwin.middleware import Token
    from cardtwin.scenario.document import Node
    from cardtwin.scenario.run import Run, StepLog
    from cardtwin.targets import Desk

__all__ = ["Check", "CheckExpectation"]

_MASTER_FILE = "3F00"
_BY_MIDDLEWARE = frozenset({"token", "readers", "logs"})
_NOT_SEEN = _BY_MIDDLEWARE | {"apdus"}
_NEEDS = {
    Capability.PERSONAL: _BY_MIDDLEWARE,
    Capability.OWN: frozenset({"logs"}),
    Capability.CONDITIONS: frozenset({"fuse", "erasable"}),
    Capability.COUNTERS: frozenset({"pins"}),
    Capability.MEMORY: frozenset({"keys"}),
}
"""What needs no look at the card."""
_CHANGING = Effect.WRITES | Effect.SPENDS_TRIES | Effect.DESTROYS | Effect.IRREVERSIBLE | Effect.UNKNOWN


def _object(name: str) -> tuple[str, int]:
    path, colon, number = name.rpartition(":")

    if not (number.isascii() and number.isdecimal()) or (colon and not path):
        raise ValueError(f"{name!r} is neither a number nor a path, a colon and a number")

    return path.upper() or _MASTER_FILE, int(number)


def _object_name(name: str) -> str:
    _object(name)
    return name


ObjectName = Annotated[str, AfterValidator(_object_name)]


class FileExpectation(Expectation):
    """A file: a kind alone, such as ``transparent``, ``df`` or ``absent``, or more."""

    main: ClassVar[str] = "kind"
    kind: TextMatcher | None = None
    size: NumberMatcher | None = None
    content: HexMatcher | None = None
    access: dict[str, TextMatcher] = Field(default_factory=dict)


class PinExpectation(Expectation):
    """A PIN: a number alone stands for the tries that are left."""

    main: ClassVar[str] = "tries"
    tries: NumberMatcher | None = None
    max_tries: NumberMatcher | None = None
    blocked: FlagMatcher | None = None


class KeyExpectation(Expectation):
    """A private key: a kind alone, such as ``RSA-2048`` or ``absent``, or more."""

    main: ClassVar[str] = "kind"
    kind: TextMatcher | None = None
    purpose: TextMatcher | None = None


class TokenExpectation(Expectation):
    """What the middleware shows of the card: a state alone, such as ``blank``, or more."""

    main: ClassVar[str] = "state"
    state: TextMatcher | None = None
    label: TextMatcher | None = None
    profile: TextMatcher | None = None
    serial: HexMatcher | None = None
    pins: TextListMatcher | None = None
    so: TextMatcher | None = None
    objects: TextListMatcher | None = None


class ApdusExpectation(Expectation):
    """The command APDUs of a step; without `of`, of the step before. A number alone is their count.

    `changing` counts those that may change what the card keeps, counters of tries included; `commands` names
    them all, each name once, in the order of first use.
    """

    main: ClassVar[str] = "count"
    count: NumberMatcher | None = None
    changing: NumberMatcher | None = None
    commands: TextListMatcher | None = None
    of: Name | None = None


class CheckExpectation(Expectation):
    """What is looked at.

    A path is written ``3F00/5015/4401``, a PIN or key ``3F00/5015:1`` or, in the MF, just by its number.
    """

    blank: FlagMatcher | None = None
    life_cycle: TextMatcher | None = None
    fuse: TextMatcher | None = None
    erasable: TextMatcher | None = None
    serial: HexMatcher | None = None
    files: dict[str, FileExpectation] = Field(default_factory=dict)
    pins: dict[ObjectName, PinExpectation] = Field(default_factory=dict)
    keys: dict[ObjectName, KeyExpectation] = Field(default_factory=dict)
    token: TokenExpectation | None = None
    readers: TextListMatcher | None = None
    logs: dict[Name, TextMatcher] = Field(default_factory=dict)
    apdus: ApdusExpectation | None = None


@verb("check", needs={Capability.EYES}, effects=READS)
class Check(Step):
    """Look at the card's memory, its state and counters, and at the APDUs of earlier steps."""

    addressed: ClassVar[frozenset[str]] = frozenset({"on"})
    check: CheckExpectation

    @classmethod
    def capabilities(cls, written: MapNode) -> frozenset[Capability]:
        """Return what a check needs: eyes for some of it, for other the middleware or nothing."""
        argument = written.get("check")
        asked = frozenset(argument.keys()) if isinstance(argument, MapNode) else frozenset()
        needs = {need for need, keys in _NEEDS.items() if asked & keys}

        if any(_asks_access(file) for file in _each(argument, "files")):
            needs.add(Capability.CONDITIONS)

        return frozenset(needs | ({Capability.EYES} if not asked or asked - _NOT_SEEN else set()))

    @classmethod
    def refers(cls, written: MapNode) -> Iterator[tuple[str, TextNode]]:
        """Yield also the step whose APDUs are looked at."""
        yield from super().refers(written)
        argument = written.get("check")
        apdus = argument.get("apdus") if isinstance(argument, MapNode) else None
        of = apdus.get("of") if isinstance(apdus, MapNode) else None

        if isinstance(of, TextNode):
            yield "steps", of

    def expectation(self) -> Expectation:
        """Return the verb's own argument."""
        return self.check

    def run(self, run: Run) -> Observed:
        """Look."""
        asked = self.check.model_fields_set
        values: dict[str, Value] = {}

        if asked - _NOT_SEEN:
            values |= _look(run.bench.desk, run.reader(self), self.check)

        if self.check.token is not None:
            values["token"] = _token(run.bench.client(run.process(self)).token(run.reader(self)))

        if self.check.readers is not None:
            values["readers"] = run.bench.client(run.process(self)).readers()

        if self.check.logs:
            values["logs"] = {name: run.bench.log(name) for name in self.check.logs}

        if self.check.apdus is not None:
            of = self.check.apdus.of
            values["apdus"] = _apdus(run.before() if of is None else run.log_of(of))

        return Observed(values)


def _each(argument: Node | None, key: str) -> Iterator[Node]:
    """Yield what a key of the argument says of each thing that it names."""
    found = argument.get(key) if isinstance(argument, MapNode) else None

    for entry in found if isinstance(found, MapNode) else ():
        yield entry.value


def _asks_access(file: Node) -> bool:
    return isinstance(file, MapNode) and file.get("access") is not None


def _look(desk: Desk, reader: str, asked: CheckExpectation) -> dict[str, Value]:
    image = desk.image(reader)
    view = CardView(image)
    hidden = desk.hidden(reader)

    for path, file in asked.files.items():
        see_file(path.upper(), file, view, hidden)

    for name, pin in asked.pins.items():
        see_pin(name, _object(name), pin, hidden)

    return {
        "blank": not images.compare(desk.blank(image), image),
        "life_cycle": view.life_cycle.name.lower(),
        "fuse": view.fuse,
        "erasable": view.erasable,
        "serial": view.serial,
        "files": {path: _file(view.files.get(path.upper())) for path in asked.files},
        "pins": {name: _pin(view.pins.get(_object(name))) for name in asked.pins},
        "keys": {name: _key(view.keys.get(_object(name))) for name in asked.keys},
    }


def _apdus(log: StepLog) -> dict[str, Value]:
    decoders: defaultdict[str, Decoder] = defaultdict(Decoder)
    sent = [event for event in log.exchanges if not is_a_look(event.cause)]
    read = [decoders[event.reader].read(event.command, event.response).decoded for event in sent]
    return {
        "count": len(read),
        "changing": sum(bool(command.effect & _CHANGING) for command in read),
        "commands": tuple(dict.fromkeys(command.name for command in read)),
    }


def _token(token: Token) -> Value:
    so = token.so_credential
    return {
        "state": token.state.value,
        "label": token.label,
        "profile": token.profile_name,
        "serial": token.serial,
        "pins": tuple(pin.label for pin in token.pins),
        "so": so.label if so is not None else None,
        "objects": tuple(f"{found.object_class} {found.label}" for found in token.objects),
    }


def _file(found: FileView | None) -> Value:
    if found is None:
        return {"kind": "absent"}

    access: dict[str, Value] = dict(found.access)
    return {"kind": found.kind, "size": found.size, "content": found.content, "access": access}


def _pin(found: PinView | None) -> Value:
    if found is None:
        return {}

    return {"tries": found.tries_left, "max_tries": found.max_tries, "blocked": found.blocked}


def _key(found: KeyView | None) -> Value:
    return {"kind": "absent"} if found is None else {"kind": found.kind, "purpose": found.purpose}
