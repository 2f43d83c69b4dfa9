"""The guard of one physical card: every command passes it, or is refused.

It knows the commands as bytes alone, whatever sends them: the middleware, a step with an APDU of its own, or
a reader's PIN pad. What it can't judge, it refuses. After a refusal nothing goes to the card any more but
the end of a login.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NoReturn

from cardtwin.decode import HARMLESS, masked
from cardtwin.events import CommandRefused, because
from cardtwin.iso7816 import StatusWord
from cardtwin.middleware import CardLostError, MiddlewareError
from cardtwin.middleware.drivers import driver_for
from cardtwin.targets.errors import TargetError
from cardtwin.targets.hardware import judging, tries
from cardtwin.targets.hardware.account import Account, meaning_of
from cardtwin.targets.hardware.judging import Judge
from cardtwin.targets.hardware.refusal import CommandRefusedError, Refusal, Rule
from cardtwin.targets.hardware.tries import Chain, Counters, credential_of, tells_tries
from cardtwin.targets.looking import GUARD
from cardtwin.targets.takeover.channel import ReadingChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.decode import Effect
    from cardtwin.events import Hub
    from cardtwin.pcsc import CardConnection
    from cardtwin.targets.hardware.judging import Judged
    from cardtwin.targets.hardware.ledger import Ledger
    from cardtwin.targets.hardware.permissions import ExpectedCard, Permissions
    from cardtwin.targets.hardware.tries import Credential

__all__ = ["CAUSE", "Guard"]

CAUSE: Final = GUARD
"""The cause of the guard's own commands."""

_LOOKS: Final = "look at the card and the reader; then run again"


class Guard:
    """The guard of the card in one reader.

    Args:
        reader: The reader's name.
        card: The card that has to be in it.
        allowed: What may be done to the card.
        ledger: Where spent tries are kept.
        hub: Told what is refused.
    """

    def __init__(
        self, reader: str, card: ExpectedCard, allowed: Permissions, ledger: Ledger, hub: Hub
    ) -> None:
        self.reader = reader
        self._card = card
        self._allowed = allowed
        self._ledger = ledger
        self._hub = hub
        self._lock = threading.RLock()
        self._judge = Judge(card.model, tells_tries=tells_tries(card.model))
        self._declared = HARMLESS
        self._serial = card.serial
        self._counters: Counters | None = None
        self._chain: Chain | None = None
        self._refusal: Refusal | None = None
        self._account = Account()
        self._logged_in = False
        self._ended = False
        self._contexts = 0

    # What others tell it, and ask it

    def declare(self, effects: Effect) -> None:
        """Take note of what the step that begins now has declared; what only reads needs no declaration."""
        with self._lock:
            self._declared = effects

    @property
    def model(self) -> str:
        """The model that the card has to be of."""
        return self._card.model

    @property
    def allowed(self) -> Permissions:
        """What may be done to the card."""
        return self._allowed

    @property
    def told(self) -> Mapping[str, int]:
        """The fewest tries that the card has told the guard of each credential."""
        with self._lock:
            return {} if self._counters is None else dict(self._counters.told)

    @property
    def refusal(self) -> Refusal | None:
        """Why something was refused, the first time; None if nothing was."""
        return self._refusal

    @property
    def logged_in(self) -> bool:
        """Whether a credential was presented and the card may not have forgotten it."""
        return self._logged_in

    @property
    def serial(self) -> bytes | None:
        """The card's serial number, once it is known."""
        return self._serial

    @property
    def account(self) -> tuple[str, ...]:
        """What was sent that may have changed the card, in order, each with what came of it."""
        with self._lock:
            return self._account.lines

    @property
    def state(self) -> str:
        """The state in which the card is left, for people: which it is, and what may have changed on it."""
        which = "of unknown serial number" if self._serial is None else _hex(self._serial)
        login = "; a login may be left" if self._logged_in else ""
        changed = "".join(f"\n  {line}" for line in self.account)
        what = f"sent to it, in this order:{changed}" if changed else "nothing was sent that changes it"
        return f"{self.reader}: card {which}{login}; {what}"

    @property
    def has_to_log_out(self) -> bool:
        """Whether a login may be left that nobody has a use for any more."""
        return self._logged_in and (self._refusal is not None or self._ended or not self._contexts)

    def enter(self) -> None:
        """Take note that a program begins to use the card."""
        with self._lock:
            self._contexts += 1

    def leave(self) -> None:
        """Take note that a program has done with the card."""
        with self._lock:
            self._contexts -= 1

    def was_reset(self) -> None:
        """Take note that the card was reset, or may have been: it has forgotten what a reset clears."""
        with self._lock:
            self._judge.reset()
            self._chain = None

    def let_go(self) -> None:
        """Take note that a transaction has ended: others may send commands."""
        with self._lock:
            if self._chain is not None:
                self._chain = replace(self._chain, alone=False)

    def forgot(self) -> None:
        """Take note that the card has forgotten all credentials."""
        self._logged_in = False

    def end(self) -> None:
        """Let nothing pass any more."""
        self._ended = True

    # What goes to the card

    def check_atr(self, atr: bytes) -> None:
        """See that an ATR is the card's.

        Raises:
            CommandRefusedError: It is another card's.
        """
        if atr != self._card.atr:
            self._refuse_card(f"the card's ATR is {_hex(atr)}, and {_hex(self._card.atr)} is expected")

    def check_card(self, connection: CardConnection) -> None:
        """See that the card is the expected one; of commands, only such that read are sent.

        Raises:
            CommandRefusedError: It is another one, or doesn't tell.
            PcscError: The card can't be spoken to.
        """
        with self._lock:
            self._check_passable()
            self.check_atr(connection.atr)
            serial = self._told_serial(connection)

            if not serial:
                self._refuse_card("the card tells an empty serial number")

            if self._serial is not None and serial != self._serial:
                self._refuse_card(
                    f"the card's serial number is {_hex(serial)}, and {_hex(self._serial)} is expected"
                )

            self._serial = serial

            if self._counters is None:
                self._counters = Counters(serial, self._allowed, self._ledger)

    def check_open(self) -> None:
        """See that commands are sent to the card at all.

        Raises:
            TargetError: Something was refused before, or all is over.
        """
        if self._refusal is not None:
            raise TargetError(f"after a refusal nothing is sent any more: {self._refusal.reason}")

        if self._ended:
            raise TargetError("the run has ended, and nothing is sent any more")

    def would_pass(self, command: bytes) -> bool:
        """Tell whether a command that only reads would pass; one that wouldn't is no refusal yet."""
        judge = Judge(self._card.model, tells_tries=tells_tries(self._card.model))
        judged = judge.read(command)
        return not judged.spends_tries and not judging.refusal_of(judged, HARMLESS, self._allowed)

    def carry(
        self, connection: CardConnection, command: bytes, send: Callable[[], bytes] | None = None
    ) -> bytes:
        """Send a command, if it may be sent, and return the response.

        Args:
            connection: In a transaction, or exclusive: nothing comes between a question for tries and a try.
            command: The command.
            send: Sends it; None transmits it by the connection.

        Raises:
            CommandRefusedError: It may not.
            PcscError: The card can't be spoken to.
        """
        with self._lock:
            judged = self._judge.read(command)
            return self._passed(connection, judged, command, send or (lambda: connection.transmit(command)))

    def carry_entry(self, connection: CardConnection, command: bytes, enter: Callable[[], bytes]) -> bytes:
        """Let a PIN be entered at the reader and put into a command, if that may be sent.

        Args:
            connection: As in carry().
            command: The command, with or without places for the PIN.
            enter: Has the reader do it, and returns the answer.

        Raises:
            CommandRefusedError: It may not.
            PcscError: The card can't be spoken to.
        """
        with self._lock:
            # What is entered makes it longer: it presents a credential whatever stands there now.
            judged = self._judge.read_entry(command)
            return self._passed(connection, judged, command, enter, entered=True)

    def refuse_control(self, code: int) -> CommandRefusedError:
        """Take note that a control code of unknown meaning is refused, and return the error to be raised."""
        reason = f"nobody knows what the reader does with the control code {code:#x}"
        return self.refuse(Refusal(Rule.READER_COMMAND, reason, "do without it"), "", f"control {code:#x}")

    def refuse(self, refusal: Refusal, command: str, meaning: str) -> CommandRefusedError:
        """Take note of a refusal, tell of it, and return the error to be raised."""
        if self._refusal is None:
            self._refusal = refusal

        self._hub.emit(
            CommandRefused(
                reader=self.reader,
                command=command,
                meaning=meaning,
                rule=refusal.rule.value,
                reason=refusal.reason,
                remedy=refusal.remedy,
            )
        )
        return CommandRefusedError(self.reader, refusal)

    # How it decides

    def _passed(
        self,
        connection: CardConnection,
        judged: Judged,
        command: bytes,
        send: Callable[[], bytes],
        *,
        entered: bool = False,
    ) -> bytes:
        self._check_passable(judged)

        if refusal := judging.refusal_of(judged, self._declared, self._allowed):
            raise self._refused(judged, command, refusal)

        chain, self._chain = self._chain, None
        credential = self._checked_tries(connection, judged, command, chain) if judged.spends_tries else None

        # A piece of a chain as well: a card that doesn't know of chains takes it for the whole.
        if credential is not None:
            self._known().spend(credential)
            self._logged_in = True

        answer = self._account.sent(judged, send)
        status = StatusWord(int.from_bytes(answer[-2:]))

        if credential is not None:
            self._known().settle(credential, status, entered=entered)

        if not status.is_success:
            self._chain = None

        if judged.decoded.name == "LOGOUT" and status.is_success:
            self.forgot()

        return answer

    def _check_passable(self, judged: Judged | None = None) -> None:
        """See that the guard lets things pass at all.

        Raises:
            CommandRefusedError: It has refused something before, or all is over; a login's end may pass.
        """
        if self._refusal is None and not self._ended:
            return

        wrong_card = self._refusal is not None and self._refusal.rule is Rule.WRONG_CARD

        if judged is not None and judged.ends_a_login and not wrong_card:
            return

        if self._refusal is None:
            raise CommandRefusedError(self.reader, Refusal(Rule.ENDED, "the run has ended", "start another"))

        first = f"after a refusal nothing is sent any more: {self._refusal.reason}"
        raise CommandRefusedError(self.reader, Refusal(Rule.AFTER_REFUSAL, first, self._refusal.remedy))

    def _checked_tries(
        self, connection: CardConnection, judged: Judged, command: bytes, chain: Chain | None
    ) -> Credential:
        credential = credential_of(judged, self._card.model)
        left = self._left(connection, judged, command, credential, chain)

        if refusal := tries.refusal_of(credential, left, str(self._ledger.path(self._serial or b""))):
            raise self._refused(judged, command, refusal)

        return credential

    def _left(
        self,
        connection: CardConnection,
        judged: Judged,
        command: bytes,
        credential: Credential,
        chain: Chain | None,
    ) -> int | None:
        """Return the tries left; asked for before a chain begins, since a question would end it."""
        assert judged.apdu is not None, "a malformed command presents no credential"
        header = judged.apdu.header[1:]

        if chain is None or chain.header != header:
            left = self._known().left(credential, self._asked(connection, credential))
        elif chain.alone or credential.question is None:
            left = chain.left
        else:
            raise self._refused(judged, command, tries.others_between(credential))

        if judged.chained and left is not None:
            self._chain = Chain(header, left)

        return left

    def _asked(self, connection: CardConnection, credential: Credential) -> StatusWord | None:
        if credential.question is None:
            return None

        with because(CAUSE):
            return StatusWord(int.from_bytes(connection.transmit(credential.question)[-2:]))

    def _told_serial(self, connection: CardConnection) -> bytes:
        try:
            with because(CAUSE):
                return driver_for(ReadingChannel(connection)).chip_serial()
        except CardLostError as error:
            raise error.__cause__ or error from None
        except MiddlewareError as error:
            self._refuse_card(f"the card doesn't tell its serial number: {error.message}")

    def _refuse_card(self, reason: str) -> NoReturn:
        refusal = Refusal(Rule.WRONG_CARD, reason, _LOOKS)
        raise self.refuse(refusal, "", "any command")

    def _refused(self, judged: Judged, command: bytes, refusal: Refusal) -> CommandRefusedError:
        return self.refuse(refusal, masked(command), meaning_of(judged))

    def _known(self) -> Counters:
        assert self._counters is not None, "the card is checked before anything is sent"
        return self._counters


def _hex(value: bytes) -> str:
    return value.hex(" ").upper() or "none"
