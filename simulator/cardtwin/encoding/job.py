"""What is to be done once: a description, and everything that the process gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.errors import MissingValueError, UnusableValueError
from cardtwin.encoding.process import FieldMapping, Process
from cardtwin.encoding.values import DialogAnswer, FieldRef, Literal, SecretLiteral
from cardtwin.middleware import Version
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.encoding.description import Description
    from cardtwin.encoding.values import Value
    from cardtwin.source import SourceText

__all__ = ["CURRENT_AND_NEW", "CURRENT_VERSION", "DialogEntry", "Job"]

CURRENT_VERSION: Final = Version.of("23.10.3")
"""The version of Identity Manager that the newest of the public pages is about."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half a character of UTF-16, which no other encoding can write (Unicode, D71 and following)."""

CURRENT_AND_NEW: Final = 3
"""The dialog that asks for the current PIN and a new one."""


@dataclass(frozen=True, slots=True)
class DialogEntry:
    """What the user enters in a dialog.

    Attributes:
        value: The PIN in dialog 1, the new one in dialogs 2 and 3.
        current: The current PIN, which dialog 3 asks for too.
        repeated: What is entered the second time in dialogs 2 and 3; None repeats the first.
    """

    value: Secret
    current: Secret | None = None
    repeated: Secret | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One run of an encoding.

    Attributes:
        description: What to do.
        attachments: Files that were added to the description, card profiles above all, by name.
        mapping: Targets of the description's fields, by field name.
        process: The variables and data pools that the targets lie in.
        dialog: What the user enters, by the dialog's number; a secret alone is an entry without more.
        reader: The reader with the card; None takes the only one, or the one that is selected by ICCSN.
        jre_bits: 32 or 64, the JRE that JAVA_HOME names; None where there is none. JPKIEncoder needs it.
        identity_manager: The version of Identity Manager.
        messaging_servers: The messaging servers that can be reached; None can reach all.
    """

    description: Description
    attachments: Mapping[str, SourceText] = field(default_factory=dict)
    mapping: Mapping[str, FieldMapping] = field(default_factory=dict)
    process: Process = field(default_factory=Process)
    dialog: Mapping[int, Secret | DialogEntry] = field(default_factory=dict)
    reader: str | None = None
    jre_bits: int | None = 32
    identity_manager: Version = CURRENT_VERSION
    messaging_servers: frozenset[str] | None = None

    def mapped(self, name: str) -> FieldMapping | None:
        """Return the mapping of a field, compared without regard to case."""
        folded = name.casefold()
        return next((found for key, found in self.mapping.items() if key.casefold() == folded), None)

    def attachment(self, name: str) -> SourceText | None:
        """Return the attached file of that name, compared without regard to case."""
        folded = name.casefold()
        return next((found for key, found in self.attachments.items() if key.casefold() == folded), None)

    def value(self, value: Value) -> str | Secret:
        """Return what a literal, a field or a dialog amounts to; an empty text where it has no value.

        Raises:
            MissingValueError: The field is not mapped or has no Write flag, its target doesn't exist,
                or the dialog wasn't answered.
            UnusableValueError: The field's value is no text.
        """
        match value:
            case Literal(text):
                return text
            case SecretLiteral(secret):
                return secret
            case DialogAnswer(number):
                return self._answer(number)
            case FieldRef(name):
                return self._field(name)
            case _:
                raise TypeError(f"{type(value).__name__} has no single value")

    def secret(self, value: Value) -> Secret:
        """Return the value as a secret; errors as in :meth:`value`."""
        found = self.value(value)
        return found if isinstance(found, Secret) else Secret.of(found)

    def text(self, value: Value) -> str:
        """Return the value as text; errors as in :meth:`value`."""
        found = self.value(value)
        return found if isinstance(found, str) else found.reveal().decode(errors="replace")

    def current(self, value: Value) -> Secret | None:
        """Return the current PIN that a dialog asks for beside the new one; None for all other values."""
        entry = self.dialog.get(value.number) if isinstance(value, DialogAnswer) else None
        return entry.current if isinstance(entry, DialogEntry) else None

    def _answer(self, number: int) -> Secret:
        if number not in self.dialog:
            raise MissingValueError(f"nobody answers dialog {number}", "give the dialog an answer")

        answer = self.dialog[number]
        entry = answer if isinstance(answer, DialogEntry) else DialogEntry(answer)

        if number == CURRENT_AND_NEW and entry.current is None:
            raise MissingValueError(
                f"the answer to dialog {number} lacks the current PIN", "give it the current and the new PIN"
            )

        if entry.repeated not in {None, entry.value}:
            raise MissingValueError(
                f"the two entries in dialog {number} are not the same", "enter the same value twice"
            )

        return entry.value

    def _field(self, name: str) -> str | Secret:
        mapping = self.mapped(name)

        if mapping is None:
            raise MissingValueError(f"field {name!r} is mapped to nothing", "map it")

        if not mapping.write:
            raise MissingValueError(f"field {name!r} is mapped without the Write flag", "set that flag")

        if (found := self.process.value(mapping.target)) is None:
            raise MissingValueError(
                f"field {name!r} is mapped to {mapping.target}, which doesn't exist",
                f"give the process {mapping.target}, or map the field to what it has",
            )

        if isinstance(found, str) and (place := _SURROGATE.search(found)):
            raise UnusableValueError(
                f"the value of field {name!r} is no text: half of a surrogate pair is its character "
                f"{place.start() + 1}",
                f"give {mapping.target} characters of Unicode: whatever made the value has cut one in two",
            )

        return found
