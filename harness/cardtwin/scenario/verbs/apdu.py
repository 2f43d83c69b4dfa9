"""``apdu``: send one command APDU."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cardtwin.events import because
from cardtwin.iso7816 import ResponseApdu
from cardtwin.pcsc import CardMuteError, CardRemovedError
from cardtwin.scenario.document import TextNode
from cardtwin.scenario.effects import READS, REMAKES, of_command
from cardtwin.scenario.matchers import HexMatcher
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.scenario.values import Hex, parse_hex
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from cardtwin.decode import Effect
    from cardtwin.scenario.document import MapNode
    from cardtwin.scenario.run import Run

__all__ = ["Apdu", "ApduExpectation"]


class ApduExpectation(Expectation):
    """What comes back: the status word (2 bytes), and the data before it."""

    main: ClassVar[str] = "sw"
    sw: HexMatcher | None = None
    data: HexMatcher | None = None


@verb("apdu", needs={Capability.APDU}, effects=READS)
class Apdu(Step):
    """Send one command APDU, given in hex. Without `expect`, the status word is 90xx or 61xx.

    Where the card gives no answer, because it is mute or is taken out meanwhile, `sw` is `absent`.
    """

    bound_result: ClassVar[str] = "data"
    apdu: Hex
    expect: ApduExpectation | None = None

    @classmethod
    def title(cls, argument: str) -> str:
        """Return the verb and the header: data may be a secret."""
        try:
            return f"apdu {parse_hex(argument)[:4].hex(' ').upper()}"
        except ValueError:
            return "apdu"

    @classmethod
    def effects(cls, written: MapNode) -> Effect:
        """Return what the command may do; one that is filled in during the run, everything that is known."""
        argument = written.get("apdu")

        try:
            return of_command(parse_hex(argument.text)) if isinstance(argument, TextNode) else REMAKES
        except ValueError:
            return REMAKES

    def run(self, run: Run) -> Observed:
        """Send the command."""
        process = run.process(self)

        with because(process):
            connection = run.bench.connection(process, run.reader(self))

            try:
                response = ResponseApdu.parse(connection.transmit(self.apdu))
            except (CardMuteError, CardRemovedError) as error:
                return Observed(success=False, note=str(error))

        return Observed(
            {"sw": response.sw.to_bytes(2), "data": response.data},
            success=response.sw.is_success,
            note=f"the card answers {response.sw}",
        )
