"""``get_property``: C_GetProperty."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cardtwin.scenario.effects import READS
from cardtwin.scenario.matchers import TextMatcher
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.scenario.verbs.personalise import refusal
from cardtwin.targets import Capability, MiddlewareError

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run

__all__ = ["GetProperty", "PropertyExpectation"]


class PropertyExpectation(Expectation):
    """What comes of it: CKR_OK or another return value, and the property's value."""

    main: ClassVar[str] = "rv"
    rv: TextMatcher | None = None
    message: TextMatcher | None = None
    value: TextMatcher | None = None


@verb("get_property", needs={Capability.PERSONAL}, effects=READS)
class GetProperty(Step):
    """Ask the middleware for a property.

    There are chip_serial, card_number, family, profile_name, token_label and token_serial.
    """

    bound_result: ClassVar[str] = "value"

    get_property: str
    expect: PropertyExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Ask."""
        try:
            value = run.bench.client(run.process(self)).get_property(run.reader(self), self.get_property)
        except MiddlewareError as error:
            return refusal(error)

        return Observed({"rv": "CKR_OK", "value": value})
