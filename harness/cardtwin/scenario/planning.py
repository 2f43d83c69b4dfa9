"""Plans: what a scenario sends to a card, by a dry run on the emulated card of the same model."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.decode import Effect, in_words
from cardtwin.events import Event, Exchange
from cardtwin.scenario.effects import READS
from cardtwin.scenario.personal import with_pins
from cardtwin.scenario.result import Verdict
from cardtwin.scenario.runner import run, unsupported
from cardtwin.targets import TargetError, is_physical
from cardtwin.targets.hardware.config import Hardware, PhysicalReader
from cardtwin.targets.hardware.foreseeing import Foreseen
from cardtwin.targets.hardware.ledger import Ledger
from cardtwin.targets.hardware.permissions import Permissions
from cardtwin.targets.looking import is_a_look

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cardtwin.scenario.instance import Instance, StepSpec
    from cardtwin.scenario.result import ScenarioResult
    from cardtwin.targets import Target
    from cardtwin.targets.hardware.judging import Judged
    from cardtwin.targets.hardware.refusal import Refusal

__all__ = ["Pins", "Plan", "PlannedCommands", "PlannedStep", "rehearse"]

_NO_READER: Final = PhysicalReader("")
_ANYTHING: Final = Permissions(destructive=True, unverified=True)


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


class Pins(Enum):
    """Where PINs and keys come from that a step presents to a physical card."""

    HARDWARE_FILE = "the hardware file"
    SCENARIO = "the scenario"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step, what it declares, and what it sent in the dry run.

    Attributes:
        number: Its place in the scenario.
        title: The verb and its argument.
        declared: What it may do to cards at worst.
        commands: What it sent.
        refusals: What the guard of a physical card would refuse, with what is allowed now.
        pins: Whose PINs and keys it presents to a physical card; None if it presents none.
    """

    number: int
    title: str
    declared: Effect
    commands: tuple[PlannedCommands, ...]
    refusals: tuple[Refusal, ...] = ()
    pins: Pins | None = None

    def lines(self) -> Iterator[str]:
        """Yield the step for people."""
        declared = ", ".join(in_words(self.declared)) or "only reads"
        yield f"step {self.number} ({self.title}) declares: {declared}"

        if self.commands:
            yield f"  sends {'; '.join(map(str, self.commands))}"

        if self.pins is not None:
            yield f"  presents PINs or keys as {self.pins.value} has them"


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
        beyond: What is asked for and the hardware file doesn't allow, or why its limits aren't known.
    """

    id: str
    target: str
    model: Mapping[str, str]
    steps: tuple[PlannedStep, ...] = ()
    not_run: str = ""
    failure: str = ""
    beyond: str = ""

    @property
    def refused(self) -> tuple[str, ...]:
        """Why nothing will be sent to physical cards: none where the run begins, or isn't to be one."""
        reasons = (f"the dry run on the emulated card failed: {self.failure}",) if self.failure else ()
        refusals = tuple(f"it would be refused: {refusal}" for refusal in self.refusals)
        return (*reasons, *((self.beyond,) if self.beyond else ()), *refusals)

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

        if self.beyond:
            yield f"  refused: {self.beyond}"

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


def rehearse(instance: Instance, target: Target, hardware: Hardware | None = None) -> Plan:
    """Run an instance on emulated cards, and return what it sent.

    Who runs the instance on physical cards asks this before, so that a plan and a run never disagree.

    Args:
        instance: What is to run.
        target: What it is to run on later; what that can't run isn't rehearsed.
        hardware: What is known of physical cards and may be done to them; None where nothing is.
    """
    cards = {reader: instance.setup.cards[card].model for reader, card in _inserted(instance)}

    if reason := unsupported(instance, target):
        return Plan(instance.id, target.name, cards, not_run=reason)

    known = Hardware() if hardware is None else hardware
    guarded = is_physical(target.name)
    heard: dict[int, list[Exchange]] = defaultdict(list)
    steps = {spec.cause: spec.number for spec in instance.steps}

    def hear(event: Event) -> None:
        if isinstance(event, Exchange) and event.cause is not None and not is_a_look(event.cause):
            heard[steps.get(event.cause.path()[0].what, 0)].append(event)

    result = run(instance, target.rehearsal(), observers=[hear])

    if result.verdict is Verdict.UNSUPPORTED:
        return Plan(instance.id, target.name, cards, not_run=result.message)

    failure = "" if result.verdict is Verdict.PASSED else _why(result)

    try:
        guards = {reader: _guard(model, reader, known, guarded=guarded) for reader, model in cards.items()}
        beyond = "; ".join(dict.fromkeys(_beyond(cards, known))) if guarded else ""
    except TargetError as error:
        return Plan(instance.id, target.name, cards, failure=failure, beyond=str(error))

    own = with_pins(instance, known.readers) if guarded else instance
    planned = tuple(
        _planned(spec, heard[spec.number], guards, _pins(spec, changed) if guarded else None)
        for spec, changed in zip(instance.steps, own.steps, strict=True)
    )
    return Plan(instance.id, target.name, cards, planned, failure=failure, beyond=beyond)


def _inserted(instance: Instance) -> Iterator[tuple[str, str]]:
    for reader, card in instance.setup.readers.items():
        if card is not None:
            yield reader, card


def _beyond(cards: Mapping[str, str], hardware: Hardware) -> Iterator[str]:
    """Yield where a run asks for more than the hardware file allows."""
    for reader in cards:
        try:
            hardware.allowed(hardware.readers.get(reader, _NO_READER))
        except TargetError as error:
            yield str(error)


def _guard(model: str, reader: str, hardware: Hardware, *, guarded: bool) -> Foreseen:
    """Return who judges what is sent to the card in a reader.

    Raises:
        TargetError: The card's ledger can't be read.
    """
    physical = hardware.readers.get(reader, _NO_READER)

    if not guarded:
        return Foreseen(model, _ANYTHING, {}, "")

    ledger, serial = Ledger(hardware.ledger), physical.serial
    spent = {} if serial is None else ledger.spent(serial)
    where = "the ledger" if serial is None else str(ledger.path(serial))
    return Foreseen(model, hardware.within(physical), spent, where)


def _pins(spec: StepSpec, changed: StepSpec) -> Pins:
    return Pins.SCENARIO if changed is spec else Pins.HARDWARE_FILE


def _planned(
    spec: StepSpec, sent: Sequence[Exchange], guards: Mapping[str, Foreseen], pins: Pins | None
) -> PlannedStep:
    """Return what a step has sent, and what is refused of it; `pins` is None where no guard will stand."""
    pairs = [
        guards[each.reader].judge(each.command, each.response, spec.effects)
        for each in sent
        if each.reader in guards
    ]
    commands = tuple(_counted(judged for judged, _ in pairs))
    refusals = [] if pins is None else [refusal for _, refusal in pairs if refusal is not None]
    presents = any(judged.spends_tries for judged, _ in pairs)
    return PlannedStep(
        spec.number,
        spec.title,
        spec.effects,
        commands,
        tuple(dict.fromkeys(refusals)),
        pins if presents else None,
    )


def _counted(judged: Iterable[Judged]) -> Iterator[PlannedCommands]:
    counted = Counter((each.decoded.name, each.effect & ~READS, each.founded) for each in judged)

    for (name, effect, founded), count in counted.items():
        yield PlannedCommands(name, count, effect, founded)


def _why(result: ScenarioResult) -> str:
    step = result.failed_step

    if step is None or step.failure is None:
        return result.message

    failure = step.failure
    lines = (failure.message, f"expected {failure.expected}", f"actual {failure.actual}")
    told = lines if failure.expected and failure.actual else lines[:1]
    return f"step {step.number} ({step.verb}): {', '.join(' '.join(line.split()) for line in told)}"
