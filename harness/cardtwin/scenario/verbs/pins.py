"""``verify_pin``, ``change_pin``, ``unblock_pin``: what the middleware does with PINs and PUKs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cardtwin.scenario.effects import CHANGES, PRESENTS
from cardtwin.scenario.matchers import NumberMatcher, TextMatcher
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.scenario.values import PinName, SecretText
from cardtwin.scenario.verbs.personalise import refusal
from cardtwin.targets import Capability, MiddlewareError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.middleware import PersonalDesktopClient
    from cardtwin.scenario.run import Run

__all__ = ["ChangePin", "RvExpectation", "UnblockPin", "VerifyPin"]


class RvExpectation(Expectation):
    """What comes of it: CKR_OK or another return value, and the tries left that the card tells."""

    main: ClassVar[str] = "rv"
    rv: TextMatcher | None = None
    message: TextMatcher | None = None
    tries_left: NumberMatcher | None = None


def _call(run: Run, step: Step, call: Callable[[PersonalDesktopClient, str], object]) -> Observed:
    try:
        call(run.bench.client(run.process(step)), run.reader(step))
    except MiddlewareError as error:
        return refusal(error)

    return Observed({"rv": "CKR_OK"})


@verb("verify_pin", needs={Capability.PERSONAL}, effects=PRESENTS)
class VerifyPin(Step):
    """Verify a PIN or PUK, named by its kind (user, signature, puk, operator) or its label.

    Without `pin` it is entered at the reader.
    """

    verify_pin: PinName
    pin: SecretText | None = None
    expect: RvExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Verify it."""
        return _call(
            run, self, lambda client, reader: client.verify_pin(reader, self.pin, pin=self.verify_pin)
        )


@verb("change_pin", needs={Capability.PERSONAL}, effects=CHANGES)
class ChangePin(Step):
    """Change a PIN or PUK, named by its kind or its label.

    Without `old` and `new` both are entered at the reader.
    """

    change_pin: PinName
    old: SecretText | None = None
    new: SecretText | None = None
    expect: RvExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Change it."""
        return _call(
            run,
            self,
            lambda client, reader: client.change_pin(reader, self.old, self.new, pin=self.change_pin),
        )


@verb("unblock_pin", needs={Capability.PERSONAL}, effects=CHANGES)
class UnblockPin(Step):
    """Set a new PIN by its PUK; the PIN is named by its kind or its label.

    Without `new` that is entered at the reader, and without `puk` the PUK is too.
    """

    unblock_pin: PinName
    puk: SecretText | None = None
    new: SecretText | None = None
    expect: RvExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Set it."""
        return _call(
            run,
            self,
            lambda client, reader: client.unblock_pin(reader, self.puk, self.new, pin=self.unblock_pin),
        )
