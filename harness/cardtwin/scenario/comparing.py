"""Whether what a step saw is what the scenario expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.plan import Secret
from cardtwin.scenario.matchers import Bind, Literal, Matcher, Matchers
from cardtwin.scenario.result import Failure
from cardtwin.scenario.values import Value, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.scenario.step import Expectation, Observed

__all__ = ["binds", "compare", "mismatches"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One result that is not as expected."""

    name: str
    expected: str
    actual: str


def compare(expectation: Expectation | None, observed: Observed) -> Failure | None:
    """Return why a step failed, or None where it did not.

    Unless the expectation says something about the verb's main result, the step has to succeed.
    """
    matchers = expectation.matchers() if expectation is not None else {}

    if not observed.success and (expectation is None or expectation.main not in matchers):
        return Failure(observed.note or "the step failed")

    found = tuple(mismatches(matchers, observed.values))

    if not found:
        return None

    return Failure(
        f"{', '.join(mismatch.name for mismatch in found)}: not as expected",
        "\n".join(f"{mismatch.name}: {mismatch.expected}" for mismatch in found),
        "\n".join(f"{mismatch.name}: {mismatch.actual}" for mismatch in found),
        observed.note,
    )


def mismatches(matchers: Matchers, values: Mapping[str, Value], above: str = "") -> Iterator[Mismatch]:
    """Yield every value that is not as its matcher has it; what has no matcher may be anything."""
    for name, matcher in matchers.items():
        value = values.get(name)

        if isinstance(matcher, Matcher):
            if not matcher.matches(value):
                yield Mismatch(above + name, _describe(matcher, value), show(value))
        else:
            inner = value if isinstance(value, dict) else {}
            yield from mismatches(matcher, inner, f"{above}{name}.")


def _describe(matcher: Matcher, value: Value) -> str:
    """Return the expectation; the literal that a secret is compared with is as secret as that one."""
    match matcher:
        case Literal() if isinstance(value, Secret):
            return "another secret"
        case Literal(private=True) if value is None:
            return "a value that is not shown: it may be a secret"
        case _:
            return matcher.describe()


def binds(matchers: Matchers, values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield the names that ``{bind: name}`` gives, with their values."""
    for name, matcher in matchers.items():
        value = values.get(name)

        if isinstance(matcher, Bind):
            yield matcher.name, value
        elif not isinstance(matcher, Matcher) and isinstance(value, dict):
            yield from binds(matcher, value)
