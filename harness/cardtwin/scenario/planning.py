"""Plans: what a scenario sends to a card, by a dry run on the emulated card of the same model."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.decode import Effect
from cardtwin.events import Event, Exchange
from cardtwin.scenario.effects import READS
from cardtwin.scenario.result import Verdict
from cardtwin.scenario.runner import run, unsupported
from cardtwin.targets import get
from cardtwin.targets.hardware.judging import Judge, refusal_of
from cardtwin.targets.hardware.refusal import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.scenario.instance import Instance, StepSpec
    from cardtwin.scenario.result import ScenarioResult
    from cardtwin.targets import Target
    from cardtwin.targets.hardware import Permissions
    from cardtwin.targets.hardware.judging import Judged
    from cardtwin.targets.hardware.refusal import Refusal

__all__ = ["Plan", "PlannedCommands", "PlannedStep", "rehearse"]

_WORDS: Final = {
    Effect.WRITES: "writes",
    Effect.SPENDS_TRIES: "may cost a try",
    Effect.DESTROYS: "destroys",
    Effect.IRREVERSIBLE: "irreversible",
    Effect.UNKNOWN: "unknown",
}
_MODEL_OF_NOBODY: Final = "cardos-5.3"


@dataclass(frozen=True, slots=True)
class PlannedCommands:
    """Commands of one name and effect that a step sends.

    Attributes:
        name: The name.
        count: How many.
        effect: What they do at worst to a card of the model.
        founded: Whether a public source records them for such cards.
    """

    name: str
    count: int
    effect: Effect
    founded: bool

    def __str__(self) -> str:
        words = [*in_words(self.effect), *([] if self.founded else ["unverified"])]
        count = f"{self.count} x " if self.count > 1 else ""
        return f"{count}{self.name}" + (f" ({', '.join(words)})" if words else "")


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step, what it declares, and what it sent in the dry run.

    Attributes:
        number: Its place in the scenario.
        title: The verb and its argument.
        declared: What it may do to cards at worst.
        commands: What it sent.
        refusals: What the guard of a physical card would refuse, with what is allowed now.
    """

    number: int
    title: str
    declared: Effect
    commands: tuple[PlannedCommands, ...]
    refusals: tuple[Refusal, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the step for people."""
        declared = ", ".join(in_words(self.declared)) or "only reads"
        yield f"step {self.number} ({self.title}) declares: {declared}"

        if self.commands:
            yield f"  sends {'; '.join(map(str, self.commands))}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an instance will do to a card.

    Attributes:
        id: The instance's id.
        target: The target's name.
        model: The models of the cards, by reader.
        steps: The steps.
        not_run: Why the target doesn't run it; empty where it does.
        failure: Why the dry run failed; empty where it passed, or there was none.
    """

    id: str
    target: str
    model: Mapping[str, str]
    steps: tuple[PlannedStep, ...] = ()
    not_run: str = ""
    failure: str = ""

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """What the guard would refuse, each once."""
        return tuple(dict.fromkeys(refusal for step in self.steps for refusal in step.refusals))

    def lines(self) -> Iterator[str]:
        """Yield the plan for people. It holds no secret."""
        cards = ", ".join(f"{model} in {reader}" for reader, model in self.model.items())
        yield f"plan of {self.id} on {self.target}: {cards or 'no card'}"

        if self.not_run:
            yield f"  not run: {self.not_run}"
            return

        for step in self.steps:
            yield from (f"  {line}" for line in step.lines())

        yield f"  in all {self._sum()}"

        if self.failure:
            yield f"  the dry run on the emulated card failed: {self.failure}"

        for refusal in self.refusals:
            yield f"  would be refused: {refusal}"

    def _sum(self) -> str:
        total: Counter[str] = Counter()

        for each in (commands for step in self.steps for commands in step.commands):
            total["commands"] += each.count

            for word in in_words(each.effect):
                total[word] += each.count

        found = ", ".join(f"{word}: {count}" for word, count in total.items() if word != "commands")
        return f"{total['commands']} commands" + (f"; {found}" if found else "; nothing is changed")


def in_words(effect: Effect) -> list[str]:
    """Return what is more than reading, in words."""
    return [word for one, word in _WORDS.items() if effect & one]


def rehearse(instance: Instance, target: Target, allowed: Permissions | None = None) -> Plan:
    """Run an instance on emulated cards, and return what it sent.

    Args:
        instance: What is to run.
        target: What it is to run on later; what that can't run isn't rehearsed.
        allowed: What may be done to a physical card; None for a target that has none.
    """
    cards = {reader: instance.setup.cards[card].model for reader, card in _inserted(instance)}

    if reason := unsupported(instance, target):
        return Plan(instance.id, target.name, cards, not_run=reason)

    heard: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    steps = {f"step {spec.number} ({spec.kind.verb})": spec.number for spec in instance.steps}

    def hear(event: Event) -> None:
        if isinstance(event, Exchange) and event.cause is not None:
            heard[steps.get(event.cause.path()[0].what, 0)].append((event.reader, event.command))

    result = run(instance, get("emulated"), observers=[hear])
    judges = {reader: Judge(cards.get(reader, _MODEL_OF_NOBODY), tells_tries=True) for reader in cards}
    planned = tuple(_planned(spec, heard[spec.number], judges, allowed) for spec in instance.steps)
    failure = "" if result.verdict is Verdict.PASSED else _why(result)
    return Plan(instance.id, target.name, cards, planned, failure=failure)


def _inserted(instance: Instance) -> Iterator[tuple[str, str]]:
    for reader, card in instance.setup.readers.items():
        if card is not None:
            yield reader, card


def _planned(
    spec: StepSpec,
    sent: list[tuple[str, bytes]],
    judges: Mapping[str, Judge],
    allowed: Permissions | None,
) -> PlannedStep:
    judged = [judges[reader].read(command) for reader, command in sent if reader in judges]
    counted = Counter((each.decoded.name, each.effect & ~READS, each.founded) for each in judged)
    commands = tuple(PlannedCommands(name, n, effect, ok) for (name, effect, ok), n in counted.items())
    refusals = () if allowed is None else tuple(_refusals(judged, spec, allowed))
    return PlannedStep(spec.number, spec.title, spec.effects, commands, tuple(dict.fromkeys(refusals)))


def _refusals(judged: list[Judged], spec: StepSpec, allowed: Permissions) -> Iterator[Refusal]:
    for each in judged:
        refusal = refusal_of(each, spec.effects, allowed)

        if refusal is not None and refusal.rule is not Rule.UNDECLARED:
            yield refusal


def _why(result: ScenarioResult) -> str:
    step = result.failed_step

    if step is None or step.failure is None:
        return result.message

    return f"step {step.number} ({step.verb}): {step.failure.message}"
