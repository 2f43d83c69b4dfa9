"""Readers: from an expression to a value of the kind that its place takes.

A reader takes the evaluation and the expression, and rejects what doesn't fit at the expression's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, Protocol, TypeVar

from cardtwin.plan import ALWAYS, NEVER, Access, Content, Secret, SecretName
from cardtwin.ppa.syntax import Name
from cardtwin.ppa.values import kind_of
from cardtwin.ppa.variables import SECRETS
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.ppa.run import Run
    from cardtwin.ppa.syntax import Expression
    from cardtwin.ppa.values import Value

__all__ = [
    "Reader",
    "access",
    "byte_string",
    "content",
    "file_id",
    "label",
    "name",
    "number",
    "object_id",
    "one_of",
    "secret",
    "size",
    "text",
    "unread",
    "yes_or_no",
]

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Reader(Protocol[_T_co]):
    """Reads one kind of value."""

    def __call__(self, run: Run, expression: Expression, /) -> _T_co:
        """Return the value.

        Raises:
            RejectedError: The expression isn't of the kind; why has been reported.
        """


def name(run: Run, expression: Expression) -> Name:
    """Read a name that stands for itself, as those of files and keys do."""
    return expression if isinstance(expression, Name) else _wrong(run, expression, "a name")


def unread(run: Run, expression: Expression) -> Expression:  # noqa: ARG001  # the reader of all that follows
    """Return the expression itself, to be evaluated later or not at all."""
    return expression


def label(run: Run, expression: Expression) -> str:
    """Read what users see: a text of 1 to 255 bytes in UTF-8 (pkcs15-ub-label)."""
    found = text(run, expression)

    if not 1 <= len(found.encode()) <= 255:
        run.reject(
            "out-of-range", "this label cannot be used", expression.span, expected="1 to 255 bytes in UTF-8"
        )

    return found


def text(run: Run, expression: Expression) -> str:
    """Read a text, or bytes that are one in UTF-8, as profile parameters are."""
    value = run.value(expression)

    match value:
        case str():
            return value
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return run.reject("wrong-value", "these bytes are no text in UTF-8", expression.span)
        case Secret():
            return run.reject(
                "secret-in-text",
                "a secret cannot be part of a text: it would be readable on the card",
                expression.span,
                expected="a text",
            )
        case _:
            return _wrong(run, expression, "a text", value)


def byte_string(run: Run, expression: Expression) -> bytes:
    """Read bytes; a text counts as its bytes in UTF-8."""
    value = run.value(expression)

    match value:
        case bytes():
            return value
        case str():
            return value.encode()
        case _:
            return _wrong(run, expression, "bytes such as 0x{3F 00}", value)


def object_id(run: Run, expression: Expression) -> bytes:
    """Read what ties a key to its certificate: 1 to 255 bytes (pkcs15-ub-identifier)."""
    found = byte_string(run, expression)

    if not 1 <= len(found) <= 255:
        run.reject("out-of-range", "this id cannot be used", expression.span, expected="1 to 255 bytes")

    return found


def content(run: Run, expression: Expression) -> Content:
    """Read the contents of a file."""
    value = run.value(expression)

    match value:
        case Content():
            return value
        case bytes():
            return Content.of(value)
        case str():
            return Content.of(value.encode())
        case Secret():
            return run.reject(
                "secret-in-content",
                "a secret cannot be the content of a file: it would be readable on the card",
                expression.span,
                remedy="give it out encrypted, with PERSINFO_PUT_SEC and PERSINFO_ENCRYPT_SEC",
            )
        case int():
            return _wrong(run, expression, "bytes such as 0x{3F 00}, or a text", value)


def number(low: int, high: int) -> Reader[int]:
    """Return a reader of numbers from `low` to `high`."""

    def read(run: Run, expression: Expression) -> int:
        value = run.value(expression)

        if not isinstance(value, int):
            return _wrong(run, expression, f"a number from {low} to {high}", value)

        if not low <= value <= high:
            run.reject(
                "out-of-range",
                f"{value} is out of range",
                expression.span,
                expected=f"a number from {low} to {high}",
            )

        return value

    return read


_NO_FILE: Final = {0x0000: "reserved", 0x3F00: "the master file's", 0x3FFF: "reserved", 0xFFFF: "reserved"}


def file_id(run: Run, expression: Expression) -> int:
    """Read a file identifier (ISO/IEC 7816-4:2020, 7.4.1)."""
    value = number(0, 0xFFFF)(run, expression)

    if value in _NO_FILE:
        run.reject(
            "reserved-file-id",
            f"the file identifier {value:04X} is {_NO_FILE[value]}",
            expression.span,
            remedy="choose another one",
        )

    return value


def size(run: Run, expression: Expression) -> int | None:
    """Read a size in bytes; the word auto gives None."""
    if isinstance(expression, Name) and expression.key == "auto":
        return None

    return number(1, 0xFFFF)(run, expression)


def one_of(words: Mapping[str, _T], code: str = "unknown-word") -> Reader[_T]:
    """Return a reader of words that stand for something; compared without regard to case."""
    by_key = {word.casefold(): value for word, value in words.items()}

    def read(run: Run, expression: Expression) -> _T:
        if not isinstance(expression, Name):
            return _wrong(run, expression, _any_of(words))

        if expression.key not in by_key:
            run.reject(
                code,
                f"{expression.text!r} is not known here",
                expression.span,
                expected=_any_of(words),
                remedy=closest(expression.text, words),
            )

        return by_key[expression.key]

    return read


yes_or_no: Final[Reader[bool]] = one_of({"yes": True, "no": False})

_read_access: Final[Reader[Access]] = one_of(
    {"always": ALWAYS, "never": NEVER} | {each.value.lower(): Access.by(each) for each in SecretName},
    "unknown-access",
)


def access(run: Run, expression: Expression) -> Access:
    """Read an access condition. The credential that it names has to exist in the end."""
    found = _read_access(run, expression)

    if found.credential is not None:
        run.objects.need(found.credential, expression.span)

    return found


def secret(run: Run, expression: Expression) -> tuple[SecretName, Secret]:
    """Read the variable of one of the eight secrets."""
    variables = [each.variable for each in SecretName]

    if not isinstance(expression, Name) or expression.key not in SECRETS:
        run.reject(
            "unknown-secret",
            "this is the variable of none of the eight secrets",
            expression.span,
            expected=", ".join(variables),
            remedy=closest(expression.text, variables) if isinstance(expression, Name) else "",
        )

    value = run.value(expression)
    assert isinstance(value, Secret)
    return SECRETS[expression.key], value


def _any_of(words: Mapping[str, object]) -> str:
    return "one of " + ", ".join(words)


def _wrong(run: Run, expression: Expression, expected: str, value: Value | None = None) -> NoReturn:
    message = "a word has to stand here" if value is None else f"{kind_of(value)} cannot stand here"
    run.reject("wrong-value", message, expression.span, expected=expected)
