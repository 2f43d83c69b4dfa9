"""Plans as JSON, for programs: what is to be sent to cards, and why it would not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from cardtwin.decode import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cardtwin.scenario.planning import Plan, PlannedStep

__all__ = ["VERSION", "PlanDocument", "document", "json_schema", "write_plans"]

VERSION: Final = 1
"""Of the document; a reader refuses one that it doesn't know."""

EffectName = Literal["writes", "may cost a try", "destroys", "irreversible", "unknown"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CommandPart(_Part):
    """Commands of one name and effect that a step sends."""

    name: str
    count: int = Field(ge=1)
    effects: tuple[EffectName, ...] = Field(description="at worst, beside reading and selecting")
    verified: bool = Field(description="whether a public source records the form for such cards")


class RefusalPart(_Part):
    """What the guard of a physical card would refuse."""

    rule: str
    reason: str
    remedy: str


class StepPart(_Part):
    """A step, what it declares, and what it sent in the dry run."""

    number: int = Field(ge=1)
    title: str
    declares: tuple[EffectName, ...]
    commands: tuple[CommandPart, ...]
    pins: Literal["the hardware file", "the scenario"] | None = Field(
        description="whose PINs or keys it presents to a physical card; null if it presents none"
    )
    refusals: tuple[RefusalPart, ...]


class PlanPart(_Part):
    """What one scenario would do to cards."""

    id: str
    target: str
    cards: dict[str, str] = Field(description="the models, by the scenario's names of the readers")
    not_run: str = Field(description="why the target doesn't run it; empty where it does")
    refused: tuple[str, ...] = Field(description="why a run would send nothing; empty where it begins")
    steps: tuple[StepPart, ...]


class PlanDocument(_Part):
    """The plans of all scenarios, in the order of the files."""

    version: Literal[1] = VERSION
    plans: tuple[PlanPart, ...]


def document(plans: Sequence[Plan]) -> PlanDocument:
    """Return the plans as a document; it holds no secret."""
    return PlanDocument(plans=tuple(map(_plan, plans)))


def write_plans(plans: Sequence[Plan], path: Path) -> None:
    """Write the plans to a file. Raises OSError where that can't be."""
    path.write_text(document(plans).model_dump_json(indent=2) + "\n", encoding="utf-8")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a file of plans."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PlanDocument.model_json_schema(mode="serialization"),
        "title": f"Plans of scenarios, version {VERSION}",
    }


def _plan(plan: Plan) -> PlanPart:
    return PlanPart(
        id=plan.id,
        target=plan.target,
        cards=dict(plan.model),
        not_run=plan.not_run,
        refused=plan.refused,
        steps=tuple(map(_step, plan.steps)),
    )


def _step(step: PlannedStep) -> StepPart:
    commands = (
        {"name": each.name, "count": each.count, "effects": in_words(each.effect), "verified": each.founded}
        for each in step.commands
    )
    refusals = (
        RefusalPart(rule=each.rule.value, reason=each.reason, remedy=each.remedy) for each in step.refusals
    )
    return StepPart.model_validate(
        {
            "number": step.number,
            "title": step.title,
            "declares": in_words(step.declared),
            "commands": tuple(commands),
            "pins": None if step.pins is None else step.pins.value,
            "refusals": tuple(refusals),
        }
    )
