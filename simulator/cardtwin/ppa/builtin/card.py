"""The card as a whole, and secrets: CardModel, MakeCardEraseable, BurnFuse, SECRANDOM, X_Default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.plan import Secret
from cardtwin.ppa import card_models, readers
from cardtwin.ppa.errors import UnknownCardModelError
from cardtwin.ppa.syntax import Assignment, Directive
from cardtwin.ppa.vocabulary import function, procedure, statement
from cardtwin.source import Note

if TYPE_CHECKING:
    from cardtwin.ppa.line import Arguments, Line
    from cardtwin.ppa.run import Run
    from cardtwin.ppa.syntax import Expression, Statement

_DIGITS: Final = "0123456789"
_PREAMBLE: Final = {"cardmodel", "x_default"}


@statement("CardModel", operands=("a card model's name",))
def card_model(run: Run, line: Line) -> None:
    """Say which card family the profile is for."""
    run.once("CardModel", line.span)
    name = line.operand(0, readers.text)

    try:
        card_models.family_of(name)
    except UnknownCardModelError as error:
        run.reject(
            "unknown-card-model",
            f"card model {name!r} is not known",
            line.directive.operands[0].span,
            expected=" or ".join(map(repr, error.known)),
            remedy=error.remedy,
        )

    run.card_model = name


@procedure("MakeCardEraseable")
def make_card_eraseable(run: Run, arguments: Arguments) -> None:
    """Let anybody erase the card later, also when the fuse is burnt."""
    run.once("MakeCardEraseable()", arguments.span)
    before = next((each for each in run.done if not _is_preamble(each)), None)

    if before is not None:
        run.out_of_order(
            "MakeCardEraseable() does not stand at the start",
            arguments.span,
            remedy="put it on the first line; only CardModel and assignments may stand before it",
            notes=(Note("this stands before it", before.span),),
        )


def _is_preamble(statement: Statement) -> bool:
    match statement:
        case Assignment():
            return True
        case Directive(keyword):
            return keyword.key in _PREAMBLE
        case _:
            return False


@procedure("BurnFuse")
def burn_fuse(run: Run, arguments: Arguments) -> None:
    """Burn the fuse at the end of the initialisation. That nothing follows is checked at the end."""
    run.once("BurnFuse()", arguments.span)


@function("SECRANDOM", "length", "alphabet", optional=1)
def secrandom(run: Run, arguments: Arguments) -> Secret:
    """Draw a secret: so many characters of the alphabet, each as likely as the others; digits by default."""
    length = arguments.required(0, readers.number(1, 255))
    alphabet = arguments.optional(1, _alphabet, _DIGITS)
    below = run.environment.entropy.below
    return Secret.of("".join(alphabet[below(len(alphabet))] for _ in range(length)))


def _alphabet(run: Run, expression: Expression) -> str:
    alphabet = readers.text(run, expression)

    if len(alphabet) < 2 or len(set(alphabet)) < len(alphabet) or not alphabet.isascii():
        run.reject(
            "bad-alphabet",
            "this is no alphabet to draw from",
            expression.span,
            expected="two or more different ASCII characters, such as '0123456789ABCDEF'",
        )

    return alphabet


@statement("X_Default", operands=("a variable",), attributes=("value",))
def default(run: Run, line: Line) -> None:
    """Give a variable its value unless it has one from outside: the one way to have both."""
    name = line.operand(0, readers.name)
    value = line.required("value", readers.unread)

    if not run.variables.is_given(name):
        run.assign(name, value)
