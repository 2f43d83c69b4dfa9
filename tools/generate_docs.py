"""Writes the pages of docs/ that are drawn from the code's own tables; a test fails when one is out of date.

Usage: ``python tools/generate_docs.py``.
"""

from __future__ import annotations

import inspect
import itertools
import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import encoding_pages
import requirements_by_model
from cardtwin import evidence, trace
from cardtwin.card import cos, models
from cardtwin.card.chip.quirks import quirks
from cardtwin.card.diagram import life_cycle_mermaid
from cardtwin.card.memory.lifecycle import ALL, FILES, LIVING, TRANSITIONS
from cardtwin.cryptoki.api.refusals import coverage
from cardtwin.cryptoki.mechanisms import MECHANISMS
from cardtwin.middleware.configuration import KEYS
from cardtwin.plan import SecretName
from cardtwin.ppa import card_models
from cardtwin.ppa.vocabulary import FUNCTIONS, STATEMENTS
from cardtwin.provenance import AREAS, Basis, Rule, all_rules
from cardtwin.report import plans
from cardtwin.scenario.step import COMMON, Expectation, all_verbs
from pages import page, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from cardtwin.card.commands import CommandForm
    from cardtwin.card.commands.dataobjects import DataObject
    from cardtwin.card.cos.system import CardSystem
    from cardtwin.card.memory.lifecycle import LifeCycle, Transition
    from cardtwin.cryptoki.api.refusals import Coverage
    from cardtwin.cryptoki.mechanisms import MechanismSpec
    from cardtwin.middleware.configuration import Key
    from cardtwin.ppa.vocabulary import Function, StatementForm
    from cardtwin.scenario.step import Step

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"

_DEVIATIONS: Final = """
cardtwin is built from public sources only, and these leave much open. Every decision that fills a gap is one
row of a table in the code. Where another choice is possible, the code reads the row's switch, whose default
is bold. Sources such as `PPA-11` are ids of [requirements.yaml](requirements.yaml). The commands of the card
systems have a page of their own: [card-commands.md](card-commands.md).
"""

_CARD_COMMANDS: Final = """
A card system has the command forms listed here and no others: any other instruction is answered 6D00. A star
stands for every value. The phases are those of [the life cycle](card-life-cycle.md): "with files" is every
one in which there is a file system, "before operational" those without the operational one. What the bases
mean is said in [deviations.md](deviations.md).
"""

_PROFILE_STATEMENTS: Final = """
Names are compared without regard to case. What begins with `X_` is cardtwin's own: the public sources don't
show what the vendor's language has there. [More can be added](profile-extensions.md).
"""

_CONFIGURATION_KEYS: Final = """
The keys of [Personal.cfg](configuration.md) that are known. The defaults are cardtwin's own: the vendor's are
not public. A key that a program's section may have holds there for that program alone.
"""

_SCENARIO_VERBS: Final = """
What a step of a [scenario](scenarios.md) can do. Every step may have `by`, `on`, `bind`, `proves` and `id` as
well, and `expect` with the results that are listed. The result in bold is meant where `expect` is one value.
"""

_PKCS11_FUNCTIONS: Final = """
What becomes of each function of PKCS#11 2.40, and of those of our own. Functions that are refused look at
their session first. Names that begin with `cardtwin_` are an interface of ours, not the vendor's.
"""

_PKCS11_MECHANISMS: Final = """
A card offers those whose keys it can hold and whose padding it does: `C_GetMechanismList` tells. Private
operations are the card's; digests, verification and encryption are done beside it.
"""

_PHASES: Final = {LIVING: "with files", FILES: "before operational", ALL: "all"}

_BASES: Final = {
    Basis.RECORDED: "seen in exchanges with a real card",
    Basis.CLIENT: "what published client programs send to real cards, or expect of them",
    Basis.STATED: "written in a standard or in the vendor's public documentation",
    Basis.INFERRED: "follows from what is public, and is not written there",
    Basis.OURS: "the public sources say nothing: a decision of this project",
}


def deviations() -> str:
    """Return the page of what is stated, inferred and ours."""
    parts = [
        _DEVIATIONS,
        table(("Basis", "Meaning"), [(basis.value, _BASES[basis]) for basis in Basis]),
    ]

    for area, rules in itertools.groupby(all_rules(), key=lambda entry: entry.id.partition(".")[0]):
        columns = ("Rule", "Basis", "What holds", "Source", "Switch")
        parts += [f"## {AREAS[area]}", table(columns, map(_rule, rules))]

    return page("Stated, inferred, ours", parts)


def _rule(entry: Rule) -> tuple[str, ...]:
    switch = ", ".join(f"**{choice}**" if choice == entry.default else choice for choice in entry.choices)
    return (f"`{entry.id}`", entry.basis.value, entry.text, entry.source, switch)


def card_commands() -> str:
    """Return the page of the command forms of each card system, and of the quirks."""
    parts = [_CARD_COMMANDS]

    for system, names in _systems():
        parts += [
            f"## {system.name}",
            f"The system of the {'model' if len(names) == 1 else 'models'} {_codes(names)}.",
            table(("Command", "CLA INS", "P1", "P2", "Phases", "Basis", "Source"), map(_form, system.forms)),
            "GET DATA tells:",
            table(("P2", "What", "Basis", "Source"), map(_data_object, sorted(system.data_objects.items()))),
        ]

    rows = [(f"`{name}`", text) for name, text in sorted(quirks().items())]
    parts += [
        "## Models",
        "What tells one model from the other, and how well each fact is founded.",
        table(("Model", "Fact", "Value", "Basis", "Source"), itertools.chain(*map(_facts, models.names()))),
        "## Quirks",
        "What single cards do otherwise. None is on by default.",
        table(("Quirk", "Effect"), rows),
    ]
    return page("Commands of the card systems", parts)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _facts(name: str) -> Iterator[tuple[str, ...]]:
    model = models.get(name)

    for fact in model.facts():
        basis, source = model.evidence[fact]
        yield f"`{name}`", fact.replace("_", " "), _value(getattr(model, fact)), basis.value, source


def _value(fact: object) -> str:
    if isinstance(fact, bytes):
        return fact.hex().upper()

    if isinstance(fact, tuple | frozenset):
        return ", ".join(map(_value, fact)) or "none"

    return str(fact)


def _systems() -> list[tuple[CardSystem, list[str]]]:
    by_system = itertools.groupby(sorted(models.names(), key=_system_name), _system_name)
    return [(cos.get(system), list(names)) for system, names in by_system]


def _system_name(model: str) -> str:
    return models.get(model).system


def _form(form: CommandForm) -> tuple[str, ...]:
    phases = _PHASES.get(form.phases) or ", ".join(_phase(phase) for phase in sorted(form.phases))
    header = f"{form.cla:02X} {form.ins:02X}"
    return (form.name, header, _values(form.p1), _values(form.p2), phases, form.basis.value, form.source)


def _phase(phase: LifeCycle) -> str:
    return phase.name.replace("_", " ").lower()


def _values(values: frozenset[int] | None) -> str:
    return "\\*" if values is None else " ".join(f"{value:02X}" for value in sorted(values))


def _data_object(item: tuple[int, DataObject]) -> tuple[str, ...]:
    tag, found = item
    return (f"{tag:02X}", found.name, found.basis.value, found.source)


def card_life_cycle() -> str:
    """Return the page of the card's life cycle."""
    return page(
        "Life cycle of a CardOS card",
        [
            "The phases are those that GET DATA 83 tells. A transition that isn't drawn doesn't happen.",
            f"```mermaid\n{life_cycle_mermaid().strip()}\n```",
            table(("From", "Event", "To", "Condition", "Basis"), map(_transition, TRANSITIONS.values())),
        ],
    )


def _transition(row: Transition) -> tuple[str, ...]:
    source, target = (f"{_phase(phase)} ({phase:02X})" for phase in (row.source, row.target))
    return (source, row.event.value, target, row.condition, row.basis.value)


def profile_statements() -> str:
    """Return the page of the card profile language's vocabulary."""
    import_module("cardtwin.ppa.builtin")  # registers what is cardtwin's own, and nothing that others add
    statements = [form for name in STATEMENTS.names() if (form := STATEMENTS.get(name))]
    functions = [entry for name in FUNCTIONS.names() if (entry := FUNCTIONS.get(name))]
    families = [(f"`{name}`", card_models.family_of(name)) for name in card_models.names()]
    return page(
        "Vocabulary of the card profile language",
        [
            _PROFILE_STATEMENTS,
            "## Statements",
            table(("Statement", "Operands", "Attributes", "Stands", "Meaning"), map(_statement, statements)),
            "## Functions",
            table(("Function", "Gives a value", "Meaning"), map(_function, functions)),
            "## Card models",
            table(("CardModel", "Card family"), families),
            "## Secrets",
            f"The variables of the eight secrets: {', '.join(f'`{name.variable}`' for name in SecretName)}.",
        ],
    )


def _statement(form: StatementForm) -> tuple[str, ...]:
    attributes = ", ".join(f"`{name}`" for name in form.attributes)
    return (f"`{form.name}`", ", ".join(form.operands), attributes, form.place.value, _summary(form.run))


def _function(entry: Function) -> tuple[str, ...]:
    return (f"`{entry.usage}`", "yes" if entry.gives else "no", _summary(entry.run))


def _summary(described: object) -> str:
    return (inspect.getdoc(described) or "").partition("\n\n")[0].replace("\n", " ")


def configuration_keys() -> str:
    """Return the page of the keys of Personal.cfg."""
    columns = ("Key", "Takes", "Default", "Meaning", "In a program's section", "Repeated", "Basis", "Source")
    return page("Keys of Personal.cfg", [_CONFIGURATION_KEYS, table(columns, map(_key, KEYS))])


def _key(entry: Key) -> tuple[str, ...]:
    default = f"`{entry.default}`" if entry.default else "empty"
    flags = ("yes" if flag else "no" for flag in (entry.per_program, entry.repeatable))
    return (f"`{entry}`", entry.form.value, default, entry.meaning, *flags, entry.basis.value, entry.source)


def pkcs11_functions() -> str:
    """Return the page of the PKCS#11 functions and mechanisms."""
    return page(
        "Functions and mechanisms of PKCS#11",
        [
            _PKCS11_FUNCTIONS,
            table(("Function", "Supported", "Refused with", "Why"), map(_covered, coverage())),
            "## Mechanisms",
            _PKCS11_MECHANISMS,
            table(("Mechanism", "Keys", "Hash", "For"), map(_mechanism, MECHANISMS.values())),
        ],
    )


def _covered(entry: Coverage) -> tuple[str, ...]:
    if entry.refusal is None:
        return (f"`{entry.name}`", "yes", "", "")

    return (f"`{entry.name}`", "no", f"`{entry.refusal.rv.name}`", entry.refusal.why)


def _mechanism(spec: MechanismSpec) -> tuple[str, ...]:
    key = "" if spec.key_type is None else f"`{spec.key_type.name}`"
    return (f"`{spec.type.name}`", key, spec.hash or "", ", ".join(spec.uses))


def scenario_verbs() -> str:
    """Return the page of what a step of a scenario can do."""
    parts = [_SCENARIO_VERBS]

    for name, step in all_verbs().items():
        keys = [key for key in step.model_fields if key not in COMMON and key != name]
        needs = ", ".join(sorted(capability.value for capability in step.needs)) or "nothing"
        parts += [f"## `{name}`", inspect.cleandoc(step.__doc__ or "").replace("``", "`")]
        words = [word for word in get_args(step.model_fields[name].annotation) if isinstance(word, str)]
        lines = [f"Takes: {', '.join(words)}"] if words else []
        lines += [f"Keys: {_keys(step, keys)}"] if keys else []
        lines += [f"Results: {_results(found)}"] if (found := _expectation(step)) else []
        parts.append("\n".join(f"- {line}" for line in (*lines, f"Needs of the target: {needs}")))

        if (forms := step.forms()) != (step,):
            parts.append(table((f"`{name}`", "Keys", "Results"), [_form_of(step, form) for form in forms]))

    return page("Verbs of scenario files", parts)


def _form_of(step: type[Step], form: type[Step]) -> tuple[str, str, str]:
    arguments = get_args(form.model_fields[step.verb].annotation)
    keys = [key for key in form.model_fields if key not in COMMON and key != step.verb]
    found = _expectation(form)
    return (
        ", ".join(f"`{argument}`" for argument in arguments),
        _keys(form, keys),
        _results(found) if found else "",
    )


def _keys(step: type[Step], keys: Sequence[str]) -> str:
    fields = step.model_fields
    return ", ".join(f"`{key}`" if fields[key].is_required() else f"`{key}` (optional)" for key in keys)


def _expectation(step: type[Step]) -> type[Expectation] | None:
    for name in ("expect", step.verb):
        field = step.model_fields.get(name)
        kinds = (get_args(field.annotation) or (field.annotation,)) if field else ()

        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, Expectation):
                return kind

    return None


def _results(expectation: type[Expectation]) -> str:
    names = expectation.model_fields
    return ", ".join(f"**`{name}`**" if name == expectation.main else f"`{name}`" for name in names)


def trace_schema() -> str:
    """Return the JSON Schema of a line of a trace file."""
    return json.dumps(trace.json_schema(), indent=2) + "\n"


def plan_schema() -> str:
    """Return the JSON Schema of a file of plans."""
    return json.dumps(plans.json_schema(), indent=2) + "\n"


def evidence_schema() -> str:
    """Return the JSON Schema of the evidence of a run."""
    return json.dumps(evidence.json_schema(), indent=2) + "\n"


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "card-commands.md": card_commands,
    "card-life-cycle.md": card_life_cycle,
    "configuration-keys.md": configuration_keys,
    "deviations.md": deviations,
    "encoding-keywords.md": encoding_pages.encoding_keywords,
    "encoding-rules.md": encoding_pages.encoding_rules,
    "evidence.schema.json": evidence_schema,
    "pkcs11-functions.md": pkcs11_functions,
    "plan.schema.json": plan_schema,
    "profile-statements.md": profile_statements,
    "requirements-by-model.md": requirements_by_model.written,
    "scenario-verbs.md": scenario_verbs,
    "trace.schema.json": trace_schema,
}


def stale() -> list[str]:
    """Return the names of the pages that are not what the code says."""
    return [name for name, text in PAGES.items() if _written(DOCS / name) != text()]


def _written(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> None:
    """Write what is out of date."""
    for name in stale():
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name}: written")


if __name__ == "__main__":
    main()
