"""Variables: each has one value, from the profile or from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.plan import Content, Secret, SecretName
from cardtwin.ppa.environment import KEYWORDS, RESERVED
from cardtwin.ppa.errors import RejectedError
from cardtwin.ppa.values import kind_of
from cardtwin.source import Note, SourceText, closest

if TYPE_CHECKING:
    from cardtwin.ppa.environment import Environment
    from cardtwin.ppa.syntax import Name
    from cardtwin.ppa.values import Value
    from cardtwin.source import Diagnostics, Span

__all__ = ["SECRETS", "Variables"]

SECRETS: Final = {name.variable.casefold(): name for name in SecretName}
"""The variables of the eight secrets."""


@dataclass(slots=True)
class _Given:
    """A value from outside."""

    name: str
    value: Value = field(repr=False)
    origin: str
    span: Span
    used: bool = False


@dataclass(frozen=True, slots=True)
class _Assigned:
    """A value from the profile; None if it could not be evaluated, which has been reported."""

    name: Name
    value: Value | None = field(repr=False)


class Variables:
    """The variables of one evaluation."""

    def __init__(self, environment: Environment, report: Diagnostics, *, checking: bool) -> None:
        """Take the values from outside, and report what must not come from there.

        Args:
            environment: Whose parameters and secrets these are.
            report: Where findings go.
            checking: Take variables without a value for parameters that will be given.
        """
        self._report = report
        self._checking = checking
        self._assigned: dict[str, _Assigned] = {}
        self._given: dict[str, _Given] = {}
        self._take_parameters(environment)

        for name, secret in environment.secrets.items():
            keyword = KEYWORDS.get(name)
            origin = f"the encoding keyword {keyword}" if keyword else "the caller"
            self._give(_Given(name.variable, secret, origin, _outside(name.variable)))

    def assign(self, name: Name, value: Value | None) -> None:
        """Give a variable its value; None if that could not be evaluated.

        Raises:
            RejectedError: It has one already, or this is no value for it.
        """
        if self._check_first(name):
            self._assigned[name.key] = _Assigned(name, None)
            self._assigned[name.key] = _Assigned(name, None if value is None else self._fit(name, value))

    def is_given(self, name: Name) -> bool:
        """Whether the variable has a value from outside."""
        return name.key in self._given

    def value(self, name: Name) -> Value:
        """Return the value of a variable.

        Raises:
            RejectedError: It has none.
        """
        if (given := self._given.get(name.key)) is not None:
            given.used = True
            return given.value

        if (assigned := self._assigned.get(name.key)) is not None:
            if assigned.value is None:
                raise RejectedError

            return assigned.value

        if not self._checking:
            known = [each.name.text for each in self._assigned.values()]
            known += [each.name for each in self._given.values()]
            self._report.error(
                "unassigned",
                f"{name.text} has no value",
                name.span,
                expected="an assignment before this line, or a profile parameter of that name",
                remedy=closest(name.text, known),
            )

        raise RejectedError

    def report_unused(self) -> None:
        """Warn of values from outside that the profile never asked for."""
        for given in self._given.values():
            if not given.used:
                self._report.warning(
                    "unused-parameter",
                    f"{given.name} is given by {given.origin}, and the profile doesn't use it",
                    given.span,
                    remedy="leave it out, or use it in the profile",
                )

    def _take_parameters(self, environment: Environment) -> None:
        reserved = {name.variable.casefold() for name in RESERVED}

        for name, value in environment.parameters.items():
            if name.casefold() in reserved:
                keyword = KEYWORDS[SECRETS[name.casefold()]]
                self._report.error(
                    "reserved-parameter",
                    f"{name} cannot be a profile parameter",
                    _outside(name),
                    remedy=f"use the keyword {keyword} instead",
                )
            elif name.casefold() in self._given:
                self._report.error(
                    "duplicate-parameter",
                    f"the profile parameter {name} is given twice",
                    _outside(name),
                    remedy="names are compared without regard to case: leave one of them out",
                )
            else:
                self._give(self._parameter(name, value))

    def _parameter(self, name: str, value: bytes) -> _Given:
        origin = f"the profile parameter {name}"
        return _Given(name, Secret(value) if name.casefold() in SECRETS else value, origin, _outside(name))

    def _give(self, given: _Given) -> None:
        self._given.setdefault(given.name.casefold(), given)

    def _check_first(self, name: Name) -> bool:
        remedy = "assign it once; X_Default gives a value that one from outside replaces"

        if (given := self._given.get(name.key)) is not None:
            given.used = True
            self._report.error(
                "duplicate-assignment",
                f"{name.text} is assigned at {name.span} and by {given.origin}",
                name.span,
                remedy=remedy,
            )
            return False

        if (first := self._assigned.get(name.key)) is not None:
            self._report.error(
                "duplicate-assignment",
                f"{name.text} is assigned a second time",
                name.span,
                remedy=remedy,
                notes=(Note("the first assignment", first.name.span),),
            )
            return False

        return True

    def _fit(self, name: Name, value: Value) -> Value:
        """Return the value as the variable holds it: SEC_ variables hold secrets."""
        if not name.key.startswith("sec_"):
            return value

        if name.key not in SECRETS:
            known = [secret.variable for secret in SecretName]
            self._report.error(
                "unknown-secret",
                f"{name.text} is none of the eight secrets",
                name.span,
                expected=", ".join(known),
                remedy=closest(name.text, known),
            )
            raise RejectedError

        match value:
            case Secret():
                return value
            case str():
                return Secret.of(value)
            case bytes():
                return Secret(value)
            case int() | Content():
                self._report.error(
                    "wrong-value",
                    f"{kind_of(value)} is no value of a secret",
                    name.span,
                    expected="a text, bytes, or a secret such as SECRANDOM(6) gives",
                    remedy="put quotes around the digits" if isinstance(value, int) else "",
                )
                raise RejectedError


def _outside(name: str) -> Span:
    """Return a place for a finding about a value that has none in the profile."""
    return SourceText("<from outside>", name).span(1, 1, len(name))
