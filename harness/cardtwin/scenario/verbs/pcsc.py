"""``pcsc``: what a program does with its own connection to a card, beside sending commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import model_validator

from cardtwin.events import because
from cardtwin.pcsc import Disposition, PcscError, ShareMode
from cardtwin.scenario.effects import READS
from cardtwin.scenario.matchers import TextMatcher
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.pcsc import CardConnection
    from cardtwin.scenario.run import Run

__all__ = ["Pcsc", "PcscExpectation"]

_SUCCESS = "SCARD_S_SUCCESS"


class PcscExpectation(Expectation):
    """What comes of it: SCARD_S_SUCCESS, or the name of another code."""

    main: ClassVar[str] = "code"
    code: TextMatcher | None = None


@verb("pcsc", needs={Capability.APDU}, effects=READS)
class Pcsc(Step):
    """Connect a program to the card, reconnect or disconnect it, or hold the card for a transaction.

    The connection is shared with others, and `apdu` steps of the program use it. `disposition` is what
    happens to the card at the end. Without `expect`, the code is SCARD_S_SUCCESS.
    """

    pcsc: Literal["connect", "reconnect", "disconnect", "transaction"]
    disposition: Literal["leave", "reset", "unpower", "eject"] = "leave"
    share: Literal["shared", "exclusive"] = "shared"
    expect: PcscExpectation | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.pcsc == "connect" and "disposition" in self.model_fields_set:
            raise ValueError("'disposition' is for what ends, and a connection begins here")

        if self.pcsc != "reconnect" and "share" in self.model_fields_set:
            raise ValueError("'share' is for 'pcsc: reconnect'")

        return self

    def run(self, run: Run) -> Observed:
        """Do it."""
        process = run.process(self)

        try:
            with because(process):
                connection = run.bench.connection(process, run.reader(self))
                _ACTIONS[self.pcsc](
                    connection, Disposition[self.disposition.upper()], ShareMode[self.share.upper()]
                )
        except PcscError as error:
            return Observed({"code": error.name}, success=False, note=str(error))

        return Observed({"code": _SUCCESS})


def _transaction(connection: CardConnection, disposition: Disposition, _: ShareMode) -> None:
    with connection.transaction(disposition):
        pass


_ACTIONS: dict[str, Callable[[CardConnection, Disposition, ShareMode], None]] = {
    "connect": lambda _connection, _disposition, _share: None,
    "reconnect": lambda connection, disposition, share: connection.reconnect(disposition, share=share),
    "disconnect": lambda connection, disposition, _: connection.disconnect(disposition),
    "transaction": _transaction,
}
