"""Steps: one verb, its parameters and the closed set ``by, on, expect, bind, proves, id``.

A verb is a class in a module of ``cardtwin.scenario.verbs``::

    @verb("reset", needs={Capability.DESK}, effects=READS)
    class Reset(Step):
        \"\"\"Reset the card.\"\"\"

        reset: Name

        def run(self, run: Run) -> Observed:
            run.bench.desk.reset(run.reader(self))
            return Observed()

The module is found by being there; a package of somebody else's is found by an entry point of the group
``cardtwin.verbs`` that names its module.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from cardtwin.decode import Effect
from cardtwin.scenario.document import ListNode, TextNode
from cardtwin.scenario.effects import READS
from cardtwin.scenario.matchers import MATCHER_SCHEMA, Matcher, Matchers, is_matcher
from cardtwin.scenario.values import SCALAR, Name, NameList, ReaderName, Value
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pydantic_core import CoreSchema

    from cardtwin.scenario.document import MapNode
    from cardtwin.scenario.run import Run

__all__ = ["COMMON", "Expectation", "Observed", "Refers", "Step", "all_verbs", "verb"]

COMMON = ("by", "on", "expect", "bind", "proves", "id")
ENTRY_POINTS = "cardtwin.verbs"


@dataclass(frozen=True, slots=True)
class Refers:
    """Marks a field whose text names something of the scenario: ``files``, ``readers`` and so on."""

    section: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What a step saw.

    Attributes:
        values: Results by name; one that isn't there is absent.
        success: Whether the step succeeded in the sense of its verb: what holds without ``expect``.
        note: Why not, in a sentence without secrets.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    success: bool = True
    note: str = ""


class Expectation(BaseModel):
    """What a step expects: a matcher per result. A verb's subclass names its results as fields.

    A literal or a single matcher in place of the mapping is meant for the main result, if there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    main: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _for_the_main_result(cls, value: Any) -> Any:
        if not cls.main or (isinstance(value, dict) and not is_matcher(value)):
            return value

        return {cls.main: value}

    @model_validator(mode="after")
    def _something(self) -> Self:
        empty = [name for name, tree in self.matchers().items() if tree == {}]

        if empty:
            raise ValueError(f"{empty[0]!r} is empty: nothing is checked there")

        if not self.matchers():
            raise ValueError("nothing is checked here")

        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of the mapping, or of what stands for the main result."""
        mapping = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [mapping, {"type": SCALAR}, MATCHER_SCHEMA]} if cls.main else mapping

    def matchers(self) -> Matchers:
        """Return the matchers that the file gives, by result."""
        given = {
            name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set
        }
        return {name: tree for name, value in given.items() if (tree := _matchers(value)) is not None}


def _matchers(value: Any) -> Matcher | Matchers | None:
    match value:
        case Matcher():
            return value
        case Expectation():
            return value.matchers()
        case dict():
            return {key: tree for key, inner in value.items() if (tree := _matchers(inner)) is not None}
        case _:
            return None


def _parse_bind(value: Any) -> dict[str, str]:
    if isinstance(value, str) and value:
        return {value: ""}

    if isinstance(value, dict) and value and all(isinstance(item, str) for item in value.values()):
        return value

    raise ValueError("'bind' takes a name, or a mapping of names to results")


BindNames = Annotated[
    dict[str, str],
    PlainValidator(_parse_bind),
    WithJsonSchema(
        {
            "oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}],
            "description": "a name for the step's result, or names for several results",
        }
    ),
]


class Step(BaseModel):
    """The base of all verbs. A subclass has a field of the verb's name, for the verb's argument."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    verb: ClassVar[str]
    needs: ClassVar[frozenset[Capability]]
    worst: ClassVar[Effect | None]
    """What the verb may do to cards at worst; None where nobody has said, and then it only reads."""

    addressed: ClassVar[frozenset[str]] = frozenset({"on", "by"})
    """Which of ``on`` and ``by`` the verb makes use of."""

    bound_result: ClassVar[str] = ""
    """The result that ``bind: name`` gives a name to; empty where the verb has none."""

    by: Annotated[Name | None, Refers("processes")] = None
    on: Annotated[ReaderName | None, Refers("readers")] = None
    bind: BindNames = {}
    proves: NameList = ()
    id: Name | None = None

    @classmethod
    def form(cls, written: MapNode) -> type[Step]:  # noqa: ARG003  # for subclasses
        """Return the class that a step which is written so belongs to: a verb may have several forms."""
        return cls

    @classmethod
    def forms(cls) -> tuple[type[Step], ...]:
        """Return all forms of the verb."""
        return (cls,)

    @classmethod
    def title(cls, argument: str) -> str:
        """Return the step in a few words, fit to be shown. `argument` is the verb's own, as text."""
        return f"{cls.verb} {argument}".rstrip()

    @classmethod
    def refers(cls, written: MapNode) -> Iterator[tuple[str, TextNode]]:
        """Yield the texts that name something of the scenario, each with the section that has the name.

        Beside the sections of the file there are ``steps``, the ids of earlier steps, and ``images``, the
        files and what earlier steps saved.
        """
        for name, info in cls.model_fields.items():
            section = next((mark.section for mark in info.metadata if isinstance(mark, Refers)), None)
            value = written.get(name)

            if section is None:
                continue

            for item in value.items if isinstance(value, ListNode) else (value,):
                if isinstance(item, TextNode):
                    yield section, item

    @classmethod
    def declares(cls, written: MapNode) -> Iterator[tuple[str, TextNode]]:
        """Yield the names that later steps may refer to, each with its section."""
        id_ = written.get("id")

        if isinstance(id_, TextNode):
            yield "steps", id_

    @classmethod
    def capabilities(cls, written: MapNode) -> frozenset[Capability]:  # noqa: ARG003  # for subclasses
        """Return what a step that is written so needs of the target."""
        return cls.needs

    @classmethod
    def effects(cls, written: MapNode) -> Effect:  # noqa: ARG003  # for subclasses
        """Return what a step that is written so may do to cards at worst."""
        return cls.worst or READS

    def expectation(self) -> Expectation | None:
        """Return what the step expects."""
        found = getattr(self, "expect", None)
        return found if isinstance(found, Expectation) else None

    def binds(self) -> dict[str, str]:
        """Return the names that ``bind`` gives, each with the result that it names."""
        return {name: result or self.bound_result for name, result in self.bind.items()}

    def run(self, run: Run) -> Observed:
        """Carry the step out.

        Raises:
            ScenarioError: It makes no sense here.
        """
        raise NotImplementedError


S = TypeVar("S", bound=Step)
_registered: dict[str, type[Step]] = {}


def verb(
    name: str, *, needs: Collection[Capability], effects: Effect | None = None
) -> Callable[[type[S]], type[S]]:
    """Register a class as the verb of that name.

    Args:
        name: The name.
        needs: What it needs of a target.
        effects: What it may do to cards at worst (``cardtwin.scenario.effects``): what isn't declared here is
            not sent to a physical card.

    Raises:
        ValueError: The name is taken by a verb or a parameter, or the class has no field of that name.
    """

    def register(step: type[S]) -> type[S]:
        if name in _registered or name in COMMON:
            raise ValueError(f"there is a verb or a key {name!r} already")

        if name not in step.model_fields:
            raise ValueError(f"{step.__name__} has no field {name!r} for the verb's argument")

        step.verb = name
        step.needs = frozenset(needs)
        step.worst = effects
        _registered[name] = step
        return step

    return register


@cache
def all_verbs() -> Mapping[str, type[Step]]:
    """Return every verb by name, in alphabetical order.

    Raises:
        ValueError: A parameter of one verb is the name of another: steps would be ambiguous.
    """
    package = import_module("cardtwin.scenario.verbs")

    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        import_module(module.name)

    for entry in entry_points(group=ENTRY_POINTS):
        entry.load()

    for name, step in _registered.items():
        if clash := set(step.model_fields) & _registered.keys() - {name}:
            raise ValueError(f"the parameter {clash.pop()!r} of the verb {name!r} is a verb itself")

    return dict(sorted(_registered.items()))
