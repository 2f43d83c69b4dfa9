"""One evaluation of a profile: what has been said so far. Statements and functions work on this."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from cardtwin.ppa.errors import RejectedError
from cardtwin.ppa.layout import Directory, Layout
from cardtwin.ppa.line import Arguments, Line
from cardtwin.ppa.objects import Objects
from cardtwin.ppa.persinfo import PersInfo
from cardtwin.ppa.syntax import (
    Assignment,
    Block,
    ByteString,
    Call,
    CallStatement,
    Directive,
    Name,
    Number,
    String,
)
from cardtwin.ppa.variables import Variables
from cardtwin.ppa.vocabulary import FUNCTIONS, STATEMENTS, Function, Place
from cardtwin.provenance.profile import ORDER
from cardtwin.source import Note, closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.ppa.environment import Environment
    from cardtwin.ppa.syntax import Expression, Profile, Statement
    from cardtwin.ppa.values import Value
    from cardtwin.ppa.vocabulary import StatementForm
    from cardtwin.source import Diagnostics, Span

__all__ = ["Run"]


class Run:
    """An evaluation.

    Attributes:
        profile: The profile.
        environment: What it is evaluated with.
        report: Where findings go.
        variables: The variables.
        layout: Directories and files.
        objects: PINs, keys, certificates and the token, from X_ statements.
        persinfo: What the PERSINFO functions gather.
        card_model: What CardModel said; empty before.
        label_written: Whether the contents of a file hold the label from outside.
        broken: Keys of names whose declaration was rejected: that they are missing isn't told as well.
        done: The statements that have been carried out, in order.
    """

    def __init__(
        self, profile: Profile, environment: Environment, report: Diagnostics, *, checking: bool = False
    ) -> None:
        self.profile = profile
        self.environment = environment
        self.report = report
        self.variables = Variables(environment, report, checking=checking)
        self.layout = Layout()
        self.objects = Objects()
        self.persinfo = PersInfo()
        self.card_model = ""
        self.label_written = False
        self.broken: set[str] = set()
        self.done: list[Statement] = []
        self._called: dict[str, Span] = {}

    # Findings

    def reject(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        expected: str = "",
        remedy: str = "",
        notes: tuple[Note, ...] = (),
    ) -> NoReturn:
        """Report an error and give up the statement.

        Raises:
            RejectedError: Always.
        """
        self.report.error(code, message, span, expected=expected, remedy=remedy, notes=notes)
        raise RejectedError

    def once(self, what: str, span: Span) -> None:
        """Note that something was said that can be said once.

        Raises:
            RejectedError: It was said before.
        """
        if (first := self._called.get(what.casefold())) is not None:
            self.reject(
                "duplicate-statement",
                f"{what} stands in the profile a second time",
                span,
                remedy="leave one of them out",
                notes=(Note("the first one", first),),
            )

        self._called[what.casefold()] = span

    def place_of(self, what: str) -> Span | None:
        """Return where something was said that can be said once, or None."""
        return self._called.get(what.casefold())

    def out_of_order(self, message: str, span: Span, *, remedy: str, notes: tuple[Note, ...] = ()) -> None:
        """Report a statement at the wrong place: an error, or a warning where the switch says so."""
        tell = self.report.error if self.environment.switches[ORDER] == "strict" else self.report.warning
        tell("order", message, span, remedy=remedy, notes=notes)

    # Statements

    def execute(self, statements: tuple[Statement, ...], place: Place = Place.PROFILE) -> None:
        """Carry out statements, one after the other; one that is rejected leaves the others alone."""
        for statement in statements:
            try:
                self._statement(statement, place)
            except RejectedError:
                self._give_up(statement, place)
            finally:
                if place is Place.PROFILE:
                    self.done.append(statement)

    def _give_up(self, statement: Statement, place: Place) -> None:
        """Take note of what is left undeclared; what lies in a rejected DF is looked at all the same."""
        match statement:
            case Block(opening, body) if place is Place.DIRECTORY:
                self.broken |= set(_operands(opening))
                self.layout.open.append(Directory(opening.keyword, 0, opening.span, None, opening.span))
                self.execute(body, Place.DIRECTORY)
                self.layout.open.pop()
            case _:
                self.broken |= set(_operands(statement))

    def _statement(self, statement: Statement, place: Place) -> None:
        match statement:
            case Assignment(name, value):
                self._outside_blocks(place, statement.span)
                self.assign(name, value)
            case CallStatement(call):
                self._outside_blocks(place, statement.span)
                self._call(call, gives=False)
            case Directive():
                self._directive(Line(self, statement), place)
            case Block(opening, body):
                self._directive(Line(self, opening, body), place)

    def _outside_blocks(self, place: Place, span: Span) -> None:
        if place is not Place.PROFILE:
            self.reject(
                "misplaced",
                "only CreateDf and CreateEf stand between MasterFile and its Endfile",
                span,
                remedy="put this line before MasterFile",
            )

    def assign(self, name: Name, value: Expression) -> None:
        """Give a variable the value of an expression.

        Raises:
            RejectedError: The expression has none, or the variable has one already.
        """
        try:
            found = self.value(value)
        except RejectedError:
            self.variables.assign(name, None)
            raise

        self.variables.assign(name, found)

    def _directive(self, line: Line, place: Place) -> None:
        keyword = line.directive.keyword
        form = STATEMENTS.get(keyword.text)

        if form is None:
            self.reject(
                "unknown-statement",
                f"there is no statement {keyword.text}",
                keyword.span,
                remedy=closest(keyword.text, (*STATEMENTS.names(), *FUNCTIONS.names())),
            )

        if form.place is not place:
            self.reject(
                "misplaced",
                f"{keyword.text} stands {form.place.value}",
                keyword.span,
                remedy=f"move it {'there' if form.place is Place.DIRECTORY else 'out of the block'}",
            )

        if place is Place.PROFILE:
            self._before_files(keyword)

        self._check_operands(form, line.directive)
        self._check_attributes(form, line.directive)
        form.run(self, line)

    def _before_files(self, keyword: Name) -> None:
        if (created := self.place_of("CreateFiles()")) is not None:
            self.reject(
                "order",
                f"{keyword.text} stands behind CreateFiles()",
                keyword.span,
                remedy="put it before CreateFiles()",
                notes=(Note("CreateFiles()", created),),
            )

    def _check_operands(self, form: StatementForm, directive: Directive) -> None:
        if len(directive.operands) != len(form.operands):
            extra = directive.operands[len(form.operands) :]
            self.reject(
                "wrong-operands",
                f"{form.name} takes {' and '.join(form.operands) or 'nothing'} behind it",
                extra[0].span if extra else directive.keyword.span,
                expected=" ".join((form.name, *(f"<{operand}>" for operand in form.operands))),
            )

    def _check_attributes(self, form: StatementForm, directive: Directive) -> None:
        seen: dict[str, Span] = {}

        for attribute in directive.attributes:
            if attribute.name.key not in {known.casefold() for known in form.attributes}:
                self.reject(
                    "unknown-attribute",
                    f"{form.name} has no attribute {attribute.name.text}",
                    attribute.name.span,
                    expected=", ".join(form.attributes) or "none",
                    remedy=closest(attribute.name.text, form.attributes),
                )

            if attribute.name.key in seen:
                self.reject(
                    "duplicate-attribute",
                    f"{attribute.name.text} is given twice",
                    attribute.name.span,
                    remedy="leave one of them out",
                    notes=(Note("the first one", seen[attribute.name.key]),),
                )

            seen[attribute.name.key] = attribute.name.span

    # Expressions

    def value(self, expression: Expression) -> Value:
        """Return what an expression amounts to.

        Raises:
            RejectedError: It has no value; why has been reported.
        """
        match expression:
            case String(text):
                return text
            case Number(value):
                return value
            case ByteString(data):
                return data
            case Name():
                return self.variables.value(expression)
            case Call():
                found = self._call(expression, gives=True)
                assert found is not None
                return found

    def _call(self, call: Call, *, gives: bool) -> Value | None:
        function = FUNCTIONS.get(call.name.text)

        if function is None:
            self.reject(
                "unknown-function",
                f"there is no function {call.name.text}",
                call.name.span,
                remedy=closest(call.name.text, (*FUNCTIONS.names(), *STATEMENTS.names())),
            )

        if gives and not function.gives:
            self.reject(
                "no-value",
                f"{function.name} gives no value",
                call.span,
                remedy="call it on a line of its own",
            )

        if function.gives and not gives:
            self.reject(
                "value-unused",
                f"the value of {function.name} goes nowhere",
                call.span,
                remedy="assign it to a variable, or make it a file's data",
            )

        self._check_arguments(function, call)
        return function.run(self, Arguments(self, call))

    def _check_arguments(self, function: Function, call: Call) -> None:
        most = len(function.parameters)

        if not most - function.optional <= len(call.arguments) <= most:
            extra = call.arguments[most:]
            self.reject(
                "wrong-arguments",
                f"{function.name} is called with {len(call.arguments) or 'no'} argument"
                + ("s" if len(call.arguments) != 1 else ""),
                extra[0].span if extra else call.span,
                expected=function.usage,
            )


def _operands(statement: Statement) -> Iterator[str]:
    """Yield the keys of the names that a statement, and those in it, would have declared."""
    match statement:
        case Directive(operands=operands):
            yield from (operand.key for operand in operands if isinstance(operand, Name))
        case Block(opening, body):
            yield from _operands(opening)

            for each in body:
                yield from _operands(each)
