"""What the steps have in common that use a token by the session that the harness keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import PlainValidator, WithJsonSchema

from cardtwin.cryptoki.constants import Cka
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.matchers import TextMatcher
from cardtwin.scenario.pkcs11.results import CallExpectation
from cardtwin.scenario.pkcs11.sessions import AbsentError, RefusedError
from cardtwin.scenario.step import Observed, Step
from cardtwin.scenario.values import SCALAR, parse_hex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.scenario.pkcs11.sessions import TokenSession
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value

__all__ = ["KeyName", "ObjectName", "SlotStep", "UseExpectation", "UseStep"]


class UseExpectation(CallExpectation):
    """What comes of it: the return value of the last function, and which one that was.

    `rv` is ``absent`` where there is no such slot or object to be seen.
    """

    call: TextMatcher | None = None


class UseStep(Step):
    """A step that calls several functions in the session of a program with one slot."""

    def which_slot(self) -> str:
        """Return which of the reader's slots the step is about."""
        raise NotImplementedError

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:
        """Do it, and return what there is to see.

        Raises:
            RefusedError: A function failed.
            AbsentError: What the step names is not to be seen.
        """
        raise NotImplementedError

    def run(self, run: Run) -> Observed:
        """Do it; the first function that doesn't return CKR_OK ends it."""
        try:
            return Observed({"rv": "CKR_OK", **self.use(run.token_session(self, self.which_slot()), run)})
        except RefusedError as error:
            return Observed({"rv": error.returned.name, "call": error.name}, success=False, note=str(error))
        except AbsentError as error:
            return Observed({}, success=False, note=str(error))
        except CryptokiError as error:
            raise UsageError(str(error)) from None  # what the harness itself has to check or encrypt


class SlotStep(UseStep):
    """Such a step that says by ``slot`` which one it is about."""

    slot: Literal["main", "signature"] = "main"

    def which_slot(self) -> str:
        """Return which of the reader's slots the step is about."""
        return self.slot


@dataclass(frozen=True, slots=True)
class ObjectName:
    """What an object is called by: the attribute, and its value."""

    kind: Cka
    value: bytes


def _parse_key_name(value: Any) -> ObjectName:
    match value:
        case str() if value:
            return ObjectName(Cka.CKA_LABEL, value.encode())
        case {"id": str() as digits, **rest} if not rest:
            return ObjectName(Cka.CKA_ID, parse_hex(digits))
        case _:
            raise ValueError("a key is called by its label, or by {id: ...} in hex")


KeyName = Annotated[
    Any,
    PlainValidator(_parse_key_name),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": SCALAR, "description": "the key's label"},
                {
                    "type": "object",
                    "properties": {"id": {"type": SCALAR}},
                    "required": ["id"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
