"""``erase``: the Card Eraser of the middleware, with a login of one's choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from cardtwin.scenario.effects import REMAKES
from cardtwin.scenario.step import Observed, Step, verb
from cardtwin.scenario.values import SecretText
from cardtwin.scenario.verbs.personalise import refusal
from cardtwin.scenario.verbs.pins import RvExpectation
from cardtwin.targets import Capability, Login, MiddlewareError, UserType

if TYPE_CHECKING:
    from cardtwin.scenario.run import Run

__all__ = ["Erase"]


@verb("erase", needs={Capability.PERSONAL}, effects=REMAKES)
class Erase(Step):
    """Erase the card by the object "Card Eraser", anonymously or as a user with a PIN.

    Without `expect`, the return value is CKR_OK.
    """

    erase: Literal["anonymous", "user", "so", "operator"]
    pin: SecretText | None = None
    expect: RvExpectation | None = None

    @model_validator(mode="after")
    def _pin_for_a_login(self) -> Self:
        if (self.erase == "anonymous") != (self.pin is None):
            raise ValueError("'pin' is for a login: all but 'erase: anonymous' need it")

        return self

    def run(self, run: Run) -> Observed:
        """Erase it."""
        eraser = run.bench.client(run.process(self)).card_eraser(run.reader(self))

        if eraser is None:
            return Observed({"rv": "absent"}, success=False, note="the card shows no Card Eraser")

        try:
            eraser.destroy(self._login())
        except MiddlewareError as error:
            return refusal(error)

        return Observed({"rv": "CKR_OK"})

    def _login(self) -> Login | None:
        return None if self.pin is None else Login(UserType[self.erase.upper()], self.pin)
