"""One reader as one application sees it: its card, what was read of it, whether it is still there."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin import pkcs15
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.objects.shown import objects_of
from cardtwin.middleware import Ckr, MiddlewareError, ObjectClass, Token
from cardtwin.middleware.channel import lost
from cardtwin.middleware.connection import TokenConnection
from cardtwin.middleware.errors import CardLostError
from cardtwin.pcsc import Disposition, PcscError, UnknownReaderError
from cardtwin.provenance.cryptoki import PROTECTED_PATH, TRANSACTION_END

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from contextlib import AbstractContextManager

    from cardtwin.cryptoki.objects.model import CryptokiObject
    from cardtwin.middleware import TokenObject
    from cardtwin.middleware.access import CardAccess
    from cardtwin.middleware.content import Content
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.tokenreader import TokenReader
    from cardtwin.pcsc import Context
    from cardtwin.plan import KeyAlgorithm
    from cardtwin.provenance import Switches

__all__ = ["Bay", "Surroundings", "TokenView"]

_WITH_CONTENT = {ObjectClass.CERTIFICATE, ObjectClass.DATA, ObjectClass.PUBLIC_KEY}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all bays of an application work with.

    Attributes:
        context: The program's own PC/SC context.
        cards: The middleware's way to the cards, with what it keeps of their content.
        switches: Which rules hold.
    """

    context: Context
    cards: CardAccess
    switches: Switches


@dataclass(frozen=True, slots=True)
class TokenView:
    """What was read of a card at one moment.

    Attributes:
        token: What the middleware says.
        title: The card family's name.
        key_sizes: What keys the card takes.
        raw_rsa: Whether it does RSA with any padding, not that of PKCS#1 v1.5 alone.
        free_memory: Free bytes.
        pinpad: Whether the reader has a PIN pad, and it is used.
        objects: All objects, of both slots.
        content: What of the card's content it was made from.
    """

    token: Token
    title: str
    key_sizes: Mapping[KeyAlgorithm, Collection[int]]
    raw_rsa: bool
    free_memory: int
    pinpad: bool
    objects: tuple[CryptokiObject, ...] = field(repr=False)
    content: Content = field(repr=False)


class Bay:
    """One reader. Its card is known from the first look on, and lost with its removal."""

    def __init__(self, reader: str, around: Surroundings) -> None:
        self.reader = reader
        self.on_loss: Callable[[], None] = _nothing
        """Called when the card is found gone; the connection is closed by then."""

        self.on_reset: Callable[[], None] = _nothing
        """Called when the card is found reset: it has forgotten what was verified."""

        self.log_in: Callable[[CardDriver, Token], AbstractContextManager[bool]] = _nobody
        """Logs in for a block by the PINs that are kept, and out again; tells whether there are any."""

        self.failed: dict[int, Ckr] = {}
        """The PINs whose last verification by this program failed, by reference, and how."""

        self.extra: set[int] = set()
        """References of verified PINs that log nobody in: the operator's."""

        self._around = around
        self._connection: TokenConnection | None = None
        self._events: int | None = None
        self._resets = 0
        self._view: TokenView | None = None
        self._logged_in = False

    def present(self) -> bool:
        """Look into the reader; a card that was known and is gone, or was changed, is lost thereby."""
        try:
            state = self._around.context.state(self.reader)
        except UnknownReaderError:
            self._lose()
            return False
        except PcscError as error:
            raise lost(error) from error

        if self._events is not None and (state.events != self._events or not state.present):
            self._lose()

        if state.present:
            self._events = state.events

        return state.present

    @contextmanager
    def card(self) -> Iterator[CardDriver]:
        """Hold the card for the block, in one transaction.

        Raises:
            MiddlewareError: CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED, CKR_DEVICE_REMOVED,
                CKR_DEVICE_ERROR.
        """
        if not self.present():
            raise CryptokiError(Ckr.CKR_TOKEN_NOT_PRESENT, f"{self.reader} is empty")

        try:
            if self._connection is None:
                self._connection = self._connected()
                self._resets = 0

            with self._connection.card() as driver:
                self._note_reset(self._connection.resets)
                yield driver
        except CardLostError as error:
            if error.rv in {Ckr.CKR_DEVICE_REMOVED, Ckr.CKR_TOKEN_NOT_PRESENT}:
                self._lose()

            raise

    def _connected(self) -> TokenConnection:
        resets = self._around.switches[TRANSACTION_END] == "reset"
        disposition = Disposition.RESET if resets else Disposition.LEAVE
        return TokenConnection(self._around.context, self.reader, after_transaction=disposition)

    def view(self, *, latest: bool = False) -> TokenView:
        """Return what the card shows.

        Args:
            latest: What was read before must not be older than the settings let it.
        """
        self.present()
        view = self._view

        if view is None or (latest and not self._around.cards.keeps(self.reader, view.content)):
            view = self._view = self._read()

        return view

    def outdate(self) -> None:
        """Have the card read anew for the next view: this program has changed it."""
        self._around.cards.forget(self.reader)
        self._view = None

    def look_again(self, *, logged_in: bool) -> None:
        """Have the next view made anew, since a login has begun or ended: it shows more then, or less.

        Args:
            logged_in: Whether the program is still logged in, to any slot of the card.
        """
        self._logged_in = logged_in
        self._view = None

        if not logged_in:
            self._around.cards.forget_private(self.reader)

    def close(self) -> None:
        """Let go of the card."""
        connection, self._connection = self._connection, None
        self._view = None
        self._logged_in = False
        self._events = None
        self.failed.clear()
        self.extra.clear()

        if connection is not None:
            try:
                connection.close()
            except MiddlewareError:
                return  # a connection to a card that is gone is as good as closed

    def log_out(self, driver: CardDriver) -> None:
        """Have the card forget what was verified, whoever did."""
        driver.logout()
        self.extra.clear()

    def _read(self) -> TokenView:
        with self.card() as driver:
            reader = self._token_reader(driver)
            view = self._seen(driver, reader)

            if not reader.unreadable:
                return view

            with self.log_in(driver, view.token) as logged_in:
                return self._seen(driver, self._token_reader(driver)) if logged_in else view

    def _seen(self, driver: CardDriver, reader: TokenReader) -> TokenView:
        used = self._around.switches[PROTECTED_PATH] == "used"
        return _seen(driver, reader, pinpad=used and driver.channel.has_pinpad)

    def _token_reader(self, driver: CardDriver) -> TokenReader:
        return self._around.cards.view(self.reader, driver, logged_in=self._logged_in)

    def _note_reset(self, resets: int) -> None:
        if resets != self._resets:
            self._resets = resets
            self.on_reset()

    def _lose(self) -> None:
        known = self._events is not None
        self.close()

        if known:
            self.on_loss()


def _seen(driver: CardDriver, reader: TokenReader, *, pinpad: bool) -> TokenView:
    token = reader.token()
    listed = {each.entry.id for each in token.objects if isinstance(each.entry, pkcs15.PublicKey)}
    contents = [
        (found, reader.content_of(found) if _is_read(found, listed) else b"") for found in token.objects
    ]
    application = reader.application() if token.initialised else ()
    objects = objects_of(contents, application)
    return TokenView(
        token,
        driver.title,
        driver.key_sizes,
        driver.raw_rsa,
        reader.free_memory(),
        pinpad,
        objects,
        reader.content,
    )


def _is_read(found: TokenObject, public_keys: Collection[bytes]) -> bool:
    """Whether an object's file is read; of a private key its public half, where that isn't listed itself."""
    if isinstance(found.entry, pkcs15.PrivateKey):
        return found.entry.id not in public_keys

    return found.object_class in _WITH_CONTENT


@contextmanager
def _nobody(_driver: CardDriver, _token: Token) -> Iterator[bool]:
    """Log nobody in: no PIN is kept."""
    yield False


def _nothing() -> None:
    """Do nothing: nobody has asked to be told."""
