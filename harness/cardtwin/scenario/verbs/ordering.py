"""``order_virtual_card``: a user gets a virtual smart card, in Identity Manager's Self-Service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from cardtwin.issuance.virtualcard import (
    CardRecord,
    CertificateKind,
    Options,
    OrderError,
    PinRefusedError,
    State,
    User,
    UserRefusedError,
    VirtualSmartCardSelfServiceProcGet,
    parse_options,
)
from cardtwin.scenario.effects import REMAKES
from cardtwin.scenario.matchers import NumberMatcher, TextListMatcher, TextMatcher
from cardtwin.scenario.ordering import Desktop
from cardtwin.scenario.step import Expectation, Observed, Refers, Step, verb
from cardtwin.scenario.texts import error_codes, source_text
from cardtwin.scenario.values import Name, SecretText, Value
from cardtwin.source import SourceError
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.scenario.ordering import Ordering
    from cardtwin.scenario.run import Run

__all__ = ["OrderExpectation", "OrderVirtualCard"]


class OrderExpectation(Expectation):
    """What comes of it.

    `result` is ``active`` or ``cancelled``, or ``refused`` where the user, the PIN or the options were, or
    ``failed`` where the card could not be made. `cards` are the states of all the user's cards then, and
    `valid` is how many certificates of the authority are valid. `years` is how long the card is valid.
    """

    main: ClassVar[str] = "result"
    result: TextMatcher | None = None
    message: TextMatcher | None = None
    codes: TextListMatcher | None = None
    warnings: TextListMatcher | None = None
    user_id: TextMatcher | None = None
    server_name: TextMatcher | None = None
    profile_name: TextMatcher | None = None
    certificates: TextListMatcher | None = None
    years: NumberMatcher | None = None
    cards: TextListMatcher | None = None
    valid: NumberMatcher | None = None


@verb("order_virtual_card", needs={Capability.APDU, Capability.DESK}, effects=REMAKES)
class OrderVirtualCard(Step):
    """Let a user run the process VirtualSmartCardSelfServiceProcGet. Without `expect`, the card is active.

    The card named by `which` comes into being in a reader that is empty. Where the first PIN is refused, the
    one in `again` is entered. `cancel` names the place at which the user cancels, `refuse` a kind of
    certificate that the authority refuses. `options` is the script VirtualSmartCardScriptOptions.
    """

    order_virtual_card: Name
    which: Annotated[Name, Refers("cards")]
    pin: SecretText
    again: SecretText | None = None
    state: str = "active"
    fields: dict[str, str] = Field(default_factory=dict)
    options: Annotated[Name | None, Refers("files")] = None
    cancel: Literal["confirmation", "desktop app", "pin", "details"] | None = None
    refuse: CertificateKind | None = None
    expect: OrderExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Run the process as the user does."""
        ordering = run.ordering
        ordering.authority.refuses = {self.refuse} if self.refuse else set()

        try:
            options, warnings = self._options(run)
        except SourceError as error:
            return self._observed(ordering, "refused", {"codes": error_codes(error)}, str(error))

        told: dict[str, Value] = {"warnings": warnings}

        try:
            process = self._process(run, options)
            self._walk(process)
        except (UserRefusedError, PinRefusedError) as error:
            return self._observed(ordering, "refused", told, str(error))
        except OrderError as error:
            return self._observed(ordering, "failed", told, str(error))

        return self._observed(ordering, process.state.value, told | _card(process.card), "")

    def _options(self, run: Run) -> tuple[Options, tuple[str, ...]]:
        if self.options is None:
            return Options(), ()

        options, diagnostics = parse_options(source_text(run, self.options))
        return options, tuple(warning.code for warning in diagnostics.warnings)

    def _process(self, run: Run, options: Options) -> VirtualSmartCardSelfServiceProcGet:
        ordering = run.ordering
        return VirtualSmartCardSelfServiceProcGet(
            User(self.order_virtual_card, self.state, self.fields),
            options,
            computer=Desktop(run.bench, run.setup, run.process(self), run.reader(self), self.which),
            issuer=ordering.authority,
            cards=ordering.cards,
            entropy=ordering.entropy,
            now=ordering.now,
        )

    def _walk(self, process: VirtualSmartCardSelfServiceProcGet) -> None:
        """Go on to the end, or to the place where the user cancels."""
        steps = {
            State.CONFIRMATION: process.next,
            State.DESKTOP_APP: process.open,
            State.PIN: lambda: self._enter_pin(process),
            State.DETAILS: process.next,
        }

        while process.state in steps and process.state.value != self.cancel:
            steps[process.state]()

        if process.state in steps:
            process.cancel()

    def _enter_pin(self, process: VirtualSmartCardSelfServiceProcGet) -> None:
        try:
            process.enter_pin(self.pin)
        except PinRefusedError:
            if self.again is None:
                process.cancel()
                raise

            process.enter_pin(self.again)

    def _observed(self, ordering: Ordering, result: str, told: Mapping[str, Value], note: str) -> Observed:
        values: dict[str, Value] = {
            "result": result,
            "message": note or None,
            "cards": tuple(card.state for card in ordering.cards.of(self.order_virtual_card)),
            "valid": len(ordering.authority.valid),
            **told,
        }
        return Observed(values, success=result == State.ACTIVE.value, note=note or f"the process is {result}")


def _card(card: CardRecord | None) -> dict[str, Value]:
    if card is None:
        return {}

    return {
        "user_id": card.user_id,
        "server_name": card.server_name,
        "profile_name": card.profile_name,
        "certificates": tuple(found.kind.value for found in card.certificates),
        "years": card.valid_to.year - card.valid_from.year,
    }
