"""The script VirtualSmartCardScriptOptions: the options of the process, with their default values.

The script is Groovy. What an administrator changes in it are assignments, and these are read: numbers, texts
in quotes, ``binding.variables["..."]``, texts joined by ``+``, lists of texts. Nothing is run, and a line
that is no assignment of an option is told by a warning (rule ``ordering.script``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from cardtwin.issuance.virtualcard.errors import OrderFailedError
from cardtwin.issuance.virtualcard.pins import Characters, PinPolicy
from cardtwin.issuance.virtualcard.world import CertificateKind
from cardtwin.source import Diagnostics, closest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.issuance.virtualcard.world import User
    from cardtwin.source import SourceText, Span

__all__ = ["Options", "Text", "Variable", "parse_options"]

_LONGEST_VALIDITY: Final = 19
"""Years: an issuing CA is valid for 20 years of 365 days, and no certificate longer than it."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A field of a data pool: ``binding.variables["UsersDp_Email"]``."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text of parts: each a text of its own, or a field of a data pool."""

    parts: tuple[str | Variable, ...]

    def of(self, user: User) -> str:
        """Return the text for a user.

        Raises:
            OrderFailedError: The user has no such field.
        """
        return "".join(_value(part, user) for part in self.parts)


def _value(part: str | Variable, user: User) -> str:
    if isinstance(part, str):
        return part

    if part.name not in user.variables:
        raise OrderFailedError(f"user {user.name!r} has no field {part.name!r}, which an option asks for")

    return user.variables[part.name]


_EMAIL: Final = Variable("UsersDp_Email")


@dataclass(frozen=True, slots=True)
class Options:
    """The options, with the defaults of the process's script.

    Attributes:
        pin: What a PIN has to be like.
        years_of_validity: yearsOfValidity: how long the card is valid.
        user_id: VirtualSmartCardOptionUserID.
        server_name: VirtualSmartCardOptionServerName; the vendor's default names its own service.
        profile_name: VirtualSmartCardOptionProfileName.
        certificates: The certificates that are issued; what the vendor's option is called isn't public.
    """

    pin: PinPolicy = field(default_factory=PinPolicy)
    years_of_validity: int = 2
    user_id: Text = Text((_EMAIL,))
    server_name: Text = Text(("cardtwin - Virtual Smart Card",))
    profile_name: Text = Text(("Virtual smart card ", _EMAIL))
    certificates: tuple[CertificateKind, ...] = (CertificateKind.AUTHENTICATION, CertificateKind.SIGNATURE)


_Reader: TypeAlias = "Callable[[str, Span, Diagnostics], object | None]"

_COMMENT: Final = re.compile(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', re.DOTALL)
_ASSIGNMENT: Final = re.compile(r"\s*(?:(?:var|def)\s+)?([A-Za-z_]\w*)\s*=(?!=)\s*(.*?)\s*;?\s*")
_STRING: Final = r'"((?:\\.|[^"\\])*)"'
_PART: Final = re.compile(rf'{_STRING}|binding\.variables\[\s*"(\w+)"\s*\]')
_OWN: Final = ("VirtualSmartCardOption", "X_VirtualSmartCardOption", "yearsOfValidity")


def parse_options(source: SourceText) -> tuple[Options, Diagnostics]:
    """Read the script; what it doesn't assign has its default.

    Returns:
        The options, and what is to be said of the script: warnings.

    Raises:
        SourceError: An option isn't known, has a value that it doesn't take, or no PIN fits them all.
    """
    diagnostics = Diagnostics()
    values: dict[str, object] = {}
    spans: dict[str, Span] = {}
    text = _COMMENT.sub(_blanked, source.text)

    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            _statement(
                source.span(number, len(line) - len(line.lstrip()) + 1), line, values, spans, diagnostics
            )

    options = _options(values)

    for problem in options.pin.problems():
        where = next(
            (span for name, span in spans.items() if "Pin" in name or "Allowed" in name), source.start
        )
        diagnostics.error("pin-complexity", f"no PIN can be as the options want it: {problem}", where)

    diagnostics.raise_errors()
    return options, diagnostics


def _blanked(found: re.Match[str]) -> str:
    """Return a comment as blanks, so that what stands behind it keeps its place; a text stays."""
    text = found[0]
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)


def _statement(
    where: Span, line: str, values: dict[str, object], spans: dict[str, Span], diagnostics: Diagnostics
) -> None:
    found = _ASSIGNMENT.fullmatch(line)
    name = found[1] if found else ""

    if found is None or not name.startswith(_OWN):
        diagnostics.warning("not-run", "this line is not run: only the options are read", where)
        return

    if name not in _OPTIONS:
        remedy = closest(name, _OPTIONS) or f"there are: {', '.join(_OPTIONS)}"
        diagnostics.error("unknown-option", f"there is no option {name!r}", where, remedy=remedy)
        return

    if name in values:
        diagnostics.warning("assigned-twice", f"{name} has a value already: this one holds", where)

    _, read = _OPTIONS[name]
    value = read(found[2], where, diagnostics)

    if value is not None:
        values[name], spans[name] = value, where


def _options(values: Mapping[str, object]) -> Options:
    given = {_OPTIONS[name][0]: value for name, value in values.items()}
    pin = {name.removeprefix("pin."): value for name, value in given.items() if name.startswith("pin.")}
    others = {name: value for name, value in given.items() if not name.startswith("pin.")}
    return replace(Options(), pin=replace(PinPolicy(), **pin), **others)  # type: ignore[arg-type]  # read by kind


def _number(text: str, where: Span, diagnostics: Diagnostics) -> int | None:
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)

    diagnostics.error("no-number", "a number is expected", where, expected="digits, such as 6")
    return None


def _years(text: str, where: Span, diagnostics: Diagnostics) -> int | None:
    years = _number(text, where, diagnostics)

    if years is not None and not 1 <= years <= _LONGEST_VALIDITY:
        message = f"a card is valid for 1 to {_LONGEST_VALIDITY} years, not {years}"
        diagnostics.error("validity", message, where)
        return None

    return years


def _characters(text: str, where: Span, diagnostics: Diagnostics) -> Characters | None:
    found = re.fullmatch(_STRING, text)

    if found and found[1] in set(Characters):
        return Characters(found[1])

    known = ", ".join(f'"{value}"' for value in Characters)
    diagnostics.error("no-rule", "this option takes one of three values", where, expected=known)
    return None


def _text(text: str, where: Span, diagnostics: Diagnostics) -> Text | None:
    parts: list[str | Variable] = []
    at = 0

    while found := _PART.match(text, at):
        parts.append(Variable(found[2]) if found[2] else re.sub(r"\\(.)", r"\1", found[1]))
        joint = re.compile(r"\s*\+\s*").match(text, found.end())
        at = joint.end() if joint else found.end()

        if joint is None:
            break

    if parts and at == len(text) and not text.rstrip().endswith("+"):
        return Text(tuple(parts))

    expected = 'a text in quotes, binding.variables["..."], or several joined by +'
    diagnostics.error("no-text", "a text is expected", where, expected=expected)
    return None


def _certificates(text: str, where: Span, diagnostics: Diagnostics) -> tuple[CertificateKind, ...] | None:
    found = re.fullmatch(rf"\[\s*({_STRING}(?:\s*,\s*{_STRING})*)\s*\]", text)
    names = re.findall(_STRING, found[1]) if found else []

    if names and len(set(names)) == len(names) and set(CertificateKind).issuperset(names):
        return tuple(CertificateKind(name) for name in names)

    known = ", ".join(f'"{kind}"' for kind in CertificateKind)
    expected = f"a list in brackets, each once, of {known}"
    diagnostics.error(
        "no-certificates", "a list of kinds of certificates is expected", where, expected=expected
    )
    return None


_OPTIONS: Final[Mapping[str, tuple[str, _Reader]]] = {
    "VirtualSmartCardOptionPinMinLength": ("pin.min_length", _number),
    "VirtualSmartCardOptionPinMaxLength": ("pin.max_length", _number),
    "VirtualSmartCardOptionPinUpperCase": ("pin.upper_case", _characters),
    "VirtualSmartCardOptionPinLowerCase": ("pin.lower_case", _characters),
    "VirtualSmartCardOptionDigitsAllowed": ("pin.digits", _characters),
    "VirtualSmartCardOptionSpecialCharactersAllowed": ("pin.special", _characters),
    "yearsOfValidity": ("years_of_validity", _years),
    "VirtualSmartCardOptionUserID": ("user_id", _text),
    "VirtualSmartCardOptionServerName": ("server_name", _text),
    "VirtualSmartCardOptionProfileName": ("profile_name", _text),
    "X_VirtualSmartCardOptionCertificates": ("certificates", _certificates),
}
"""The options: the attribute that each is, and what reads its value."""
