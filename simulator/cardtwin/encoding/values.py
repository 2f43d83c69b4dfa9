"""The forms that a value takes on the right of ``keyword=``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardtwin.plan import Secret
    from cardtwin.source import Span

__all__ = [
    "Criterion",
    "DialogAnswer",
    "FieldList",
    "FieldRef",
    "Flag",
    "Label",
    "Literal",
    "SecretLiteral",
    "Terms",
    "Text",
    "Value",
    "ValueForm",
]


class ValueForm(Enum):
    """What a keyword takes, worded as messages do."""

    FLAG = "true or false"
    VALUE = "a field, #literal or !FROM_USER_DIALOG_n_FIELD"
    FIELD = "a field"
    FIELD_LIST = "fields, separated by commas"
    TEXT = "a text, without a # before it"
    LABEL = "a text with !{FIELD} in it"
    CRITERIA = 'class,attribute,type,"value"'
    ATTRIBUTES = "CKA_NAME=value, separated by commas"


@dataclass(frozen=True, slots=True)
class Flag:
    """``true`` or ``false``, bare."""

    on: bool


@dataclass(frozen=True, slots=True)
class Literal:
    """``#text``: the text itself."""

    text: str


@dataclass(frozen=True, slots=True)
class SecretLiteral:
    """``#text`` where the text is a PIN or a password."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class FieldRef:
    """The name of a field, as the description's [Fields] section spells it."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class DialogAnswer:
    """``!FROM_USER_DIALOG_n_FIELD``: what the user enters in dialog n."""

    number: int


@dataclass(frozen=True, slots=True)
class FieldList:
    """Several fields, in the order of the text."""

    fields: tuple[FieldRef, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is taken as it stands, such as a path."""

    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text with fields in it; texts and fields take turns."""

    parts: tuple[str | FieldRef, ...]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One attribute of an object: its name, its type where one is given, its value."""

    attribute: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Object criteria, or attributes of an object. `subject` is the object class, or empty."""

    subject: str
    criteria: tuple[Criterion, ...]


Value = Flag | Literal | SecretLiteral | FieldRef | DialogAnswer | FieldList | Text | Label | Terms
