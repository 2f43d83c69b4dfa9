"""``personalise``: a bare card profile for one card, as the key generation system does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, PlainValidator, WithJsonSchema

from cardtwin.plan import SecretName
from cardtwin.scenario.effects import REMAKES
from cardtwin.scenario.matchers import TextListMatcher, TextMatcher
from cardtwin.scenario.step import Expectation, Observed, Refers, Step, verb
from cardtwin.scenario.texts import error_codes, source_text
from cardtwin.scenario.values import SCALAR, Name, SecretText, parse_hex
from cardtwin.targets import Capability, MiddlewareError

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run

__all__ = ["Personalise", "PersonaliseExpectation"]


class PersonaliseExpectation(Expectation):
    """What comes of it: CKR_OK or another return value, its message, the codes of findings in the profile."""

    main: ClassVar[str] = "rv"
    rv: TextMatcher | None = None
    message: TextMatcher | None = None
    codes: TextListMatcher | None = None


def _parse_parameter(value: Any) -> bytes:
    match value:
        case str():
            return value.encode()
        case {"hex": str() as digits, **rest} if not rest:
            return parse_hex(digits)
        case _:
            raise ValueError("a parameter is a text, or {hex: ...}")


Parameter = Annotated[
    bytes,
    PlainValidator(_parse_parameter),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": SCALAR},
                {
                    "type": "object",
                    "properties": {"hex": {"type": SCALAR}},
                    "required": ["hex"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


@verb("personalise", needs={Capability.PERSONAL}, effects=REMAKES)
class Personalise(Step):
    """Carry out a card profile (.cpf) on a card. Without `expect`, the return value is CKR_OK.

    The PIN encryption certificate is `certificate`, or else the one that the program's iD2ppa.cfg names.
    """

    personalise: Annotated[Name, Refers("files")]
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    secrets: dict[SecretName, SecretText] = Field(default_factory=dict)
    certificate: Annotated[Name | None, Refers("files")] = None
    label: str | None = None
    expect: PersonaliseExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Carry it out."""
        client = run.bench.client(run.process(self), self.certificate)

        try:
            client.init_token(
                run.reader(self),
                source_text(run, self.personalise),
                parameters=self.parameters,
                secrets=self.secrets,
                label=self.label,
            )
        except MiddlewareError as error:
            return refusal(error)

        return Observed({"rv": "CKR_OK", "codes": ()})


def refusal(error: MiddlewareError) -> Observed:
    """Return what an error of the middleware looks like in a scenario."""
    return Observed(
        {
            "rv": error.rv.name,
            "message": error.message,
            "codes": error_codes(error),
            "tries_left": getattr(error, "tries_left", None),
        },
        success=False,
        note=str(error),
    )
