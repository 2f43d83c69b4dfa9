"""A program's way to the cards: readers in its sight, a connection for one call, what it keeps, its log."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardtwin.events import because
from cardtwin.middleware.channel import Channel, lost
from cardtwin.middleware.content import CardIdentity, ContentCache
from cardtwin.middleware.drivers import driver_for
from cardtwin.middleware.tokenreader import TokenReader
from cardtwin.pcsc import PcscError, UnknownReaderError
from cardtwin.provenance.middleware import CARD_ERASER_OBJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cardtwin.middleware.configuration import ClientConfiguration
    from cardtwin.middleware.content import Content
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.logfile import LogFile
    from cardtwin.pcsc import Context
    from cardtwin.plan import PinBlobCodec
    from cardtwin.provenance import Switches

__all__ = ["CardAccess"]


class CardAccess:
    """The cards as one program sees them, by its configuration."""

    def __init__(
        self,
        context: Context,
        configuration: ClientConfiguration,
        *,
        codec: PinBlobCodec,
        switches: Switches,
        now: Callable[[], datetime],
        log: LogFile,
    ) -> None:
        """Take what it works with.

        Args:
            context: The readers.
            configuration: Which readers are skipped, and how long content is kept.
            codec: The format of the encrypted PINs.
            switches: Whether the Card Eraser is shown.
            now: The time, by which content gets old.
            log: Where operations are told.
        """
        self._context = context
        self._configuration = configuration
        self._codec = codec
        self._switches = switches
        self._content = ContentCache(configuration.cache_validity, now)
        self.log = log

    def readers(self) -> tuple[str, ...]:
        """Return the readers' names, without those that SkipReader takes out of sight.

        Raises:
            CardLostError: There is no resource manager to ask.
        """
        try:
            names = self._context.readers()
        except PcscError as error:
            raise lost(error) from error

        return tuple(name for name in names if not self._configuration.skips(name))

    @contextmanager
    def channel(self, reader: str, what: str) -> Iterator[Channel]:
        """Hold the card in a reader for the block, in one transaction; `what` is the cause of what happens.

        Raises:
            CardLostError: There is no such reader in sight, no card in it, or it cannot be spoken to.
        """
        if self._configuration.skips(reader):
            raise lost(UnknownReaderError(reader, "SkipReader takes it out of sight"))

        try:
            with because(what), self._context.connect(reader) as connection, connection.transaction():
                yield Channel(connection)
        except PcscError as error:
            raise lost(error) from error

    @contextmanager
    def driver(self, reader: str, what: str) -> Iterator[CardDriver]:
        """Hold the card as channel(), and give its driver.

        Raises:
            CardNotRecognisedError: No driver knows the card.
            CardLostError: As channel().
        """
        with self.channel(reader, what) as channel:
            yield driver_for(channel)

    @contextmanager
    def operation(self, reader: str, what: str) -> Iterator[CardDriver]:
        """Hold the card as driver(), and tell the log how it ended."""
        with self.log.operation(what, reader), self.driver(reader, what) as driver:
            yield driver

    @contextmanager
    def changing(self, reader: str) -> Iterator[None]:
        """Change the card in the block: what is kept of its content counts no more, whatever comes of it."""
        try:
            yield
        finally:
            self.forget(reader)

    def forget(self, reader: str) -> None:
        """Forget what is kept of the content of the card in a reader."""
        self._content.forget(reader)

    def forget_private(self, reader: str) -> None:
        """Forget what was read of the card in a reader while somebody was logged in."""
        self._content.forget_private(reader)

    def keeps(self, reader: str, content: Content) -> bool:
        """Whether what was read of the card in a reader still counts, by the program's CacheValidity."""
        return self._content.holds(reader, content)

    def afresh(self, driver: CardDriver) -> TokenReader:
        """Return what reads the token, from the card itself."""
        return TokenReader(driver, self._codec, eraser=self.shows_eraser(driver))

    def view(self, reader: str, driver: CardDriver, *, logged_in: bool = False) -> TokenReader:
        """Return what reads the token as the program sees it: with what is kept of the card's content.

        Args:
            reader: The reader.
            driver: The driver of the card in it.
            logged_in: Whether the program is logged in to the card.
        """

        def identify() -> CardIdentity:
            insertions = self._context.state(reader).events
            return CardIdentity(driver.channel.atr, driver.chip_serial(), insertions)

        content = self._content.of(reader, identify)
        return TokenReader(
            driver, self._codec, eraser=self.shows_eraser(driver), content=content, logged_in=logged_in
        )

    def shows_eraser(self, driver: CardDriver) -> bool:
        """Whether such cards show the object 'Card Eraser'."""
        return driver.has_eraser and self._switches[CARD_ERASER_OBJECT] == "shown"
