"""The Personal Desktop Client, as far as encodings and personalisation use it, over any PC/SC context."""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cardtwin import ppa
from cardtwin.middleware.access import CardAccess
from cardtwin.middleware.cardstate import CardState, card_state
from cardtwin.middleware.checks import check_family, check_state, prepare
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.configuration import load, usable_certificate
from cardtwin.middleware.credentials import Credentials, Login, UserType
from cardtwin.middleware.eraser import CardEraser, erase, occupied
from cardtwin.middleware.errors import (
    EraseRefusedError,
    MiddlewareError,
    ProfileRefusedError,
)
from cardtwin.middleware.initialisation import Initialisation, Initialised
from cardtwin.middleware.journal import Journal
from cardtwin.middleware.logfile import PERSONAL_LOG, LogFile
from cardtwin.middleware.names import name_of, path_of
from cardtwin.middleware.properties import CARD_NUMBER, CHIP_SERIAL, check_readers, property_reader
from cardtwin.middleware.pukchange import require_changeable
from cardtwin.middleware.serial import serial_bytes
from cardtwin.middleware.storage import write_serial
from cardtwin.middleware.tokenreader import application_of
from cardtwin.middleware.tokens import TokenState
from cardtwin.provenance import Switches
from cardtwin.provenance.middleware import ERASE_REFUSED
from cardtwin.source import Diagnostics, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cryptography.x509 import Certificate

    from cardtwin.entropy import Entropy
    from cardtwin.middleware.configuration import ClientConfiguration, Installation
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.tokens import Token
    from cardtwin.pcsc import Context
    from cardtwin.plan import PinBlobCodec, Plan, Secret, SecretName
    from cardtwin.source import SourceText

__all__ = ["PersonalDesktopClient"]

_PROGRAM: Final = "cardtwin"
"""What a program is called that says no name."""


class PersonalDesktopClient:
    """The middleware. One object per program; each call takes a connection of its own, in one transaction."""

    def __init__(
        self,
        context: Context,
        installation: Installation,
        *,
        entropy: Entropy,
        codec: PinBlobCodec,
        switches: Switches | None = None,
        now: Callable[[], datetime] | None = None,
        configuration: ClientConfiguration | None = None,
    ) -> None:
        """Take what it works with.

        Args:
            context: The readers.
            installation: What is installed.
            entropy: Where profiles draw random secrets from.
            codec: The format of the encrypted PINs.
            switches: Which rules hold where the sources leave a choice.
            now: The time, for the dates of certificates, for what is kept of cards, and for the log; the
                system's if not given.
            configuration: Personal.cfg as the program sees it; the defaults if not given.
        """
        self._installation = installation
        self._entropy = entropy
        self._codec = codec
        self._switches = switches = switches or Switches()
        self._now = now = now or _system_time
        self._configuration = configuration or load(None, None, _PROGRAM, Diagnostics(), switches=switches)
        self._cards = CardAccess(
            context, self._configuration, codec=codec, switches=switches, now=now, log=self._opened_log()
        )

    def _opened_log(self) -> LogFile:
        log = LogFile(self._installation.log_folder, PERSONAL_LOG, self._configuration.program, self._now)

        for warning in self._configuration.warnings:
            log.write("Personal.cfg", "warning", detail=warning)

        return log

    def with_installation(self, installation: Installation) -> PersonalDesktopClient:
        """Return a client of the same program with something else installed; both keep the same content."""
        other = copy(self)
        other._installation = installation  # noqa: SLF001  # a copy of this very object
        return other

    @property
    def installation(self) -> Installation:
        """What is installed."""
        return self._installation

    @property
    def configuration(self) -> ClientConfiguration:
        """Personal.cfg as the program sees it."""
        return self._configuration

    @property
    def log(self) -> LogFile:
        """The program's log file."""
        return self._cards.log

    @property
    def cards(self) -> CardAccess:
        """The program's way to the cards, with what it keeps of them."""
        return self._cards

    def readers(self) -> tuple[str, ...]:
        """Return the readers' names, without those that SkipReader takes out of sight.

        Raises:
            CardLostError: There is no resource manager to ask.
        """
        return self._cards.readers()

    def atr(self, reader: str) -> bytes:
        """Return the ATR of the card in a reader."""
        with self._cards.log.operation("ATR", reader), self._cards.channel(reader, "ATR") as channel:
            return channel.atr

    def chip_serial(self, reader: str) -> bytes:
        """Return the chip's serial number, by C_GetProperty; errors as there."""
        return bytes.fromhex(self.get_property(reader, CHIP_SERIAL))

    def card_number(self, reader: str) -> str:
        """Return the serial number by which the card goes, by C_GetProperty; errors as there."""
        return self.get_property(reader, CARD_NUMBER)

    def get_property(self, reader: str, name: str) -> str:
        """Return a property of the card in a reader (C_GetProperty).

        Args:
            reader: The reader.
            name: ``chip_serial`` (in hex), ``card_number`` (that, unless the token overrides it), ``family``,
                ``profile_name``, ``token_label`` or ``token_serial`` (in hex).

        Raises:
            MiddlewareError: CKR_ARGUMENTS_BAD: there is no such property. CKR_GENERAL_ERROR: a virtual smart
                card's reader is in sight (MW-05).
            CardLostError: The card could not be spoken to.
        """
        with self._cards.log.operation("C_GetProperty", reader):
            read = property_reader(name)
            check_readers(self.readers(), self._switches)

            with self._cards.driver(reader, "C_GetProperty") as driver:
                return read(driver, lambda: self._cards.view(reader, driver))

    def forget(self, reader: str) -> None:
        """Read the card's content anew at the next need: the program has changed it by other ways."""
        self._cards.forget(reader)

    def card_state(self, reader: str) -> CardState:
        """Return what the card tells about its life; changes nothing."""
        with self._cards.operation(reader, "card state") as driver:
            return card_state(driver, self._cards.afresh(driver))

    def token(self, reader: str) -> Token:
        """Return what the card shows without a login."""
        with self._cards.operation(reader, "token") as driver:
            return self._cards.view(reader, driver).token()

    def encrypted_pins(self, reader: str) -> bytes | None:
        """Return the encrypted PINs, up to the end of their file; None if the card has none."""
        with self._cards.operation(reader, "encrypted PINs") as driver:
            return self._cards.view(reader, driver).blob()

    def read_file(self, reader: str, path: str) -> bytes:
        """Return the content of a transparent EF, such as ``3F00/5015/5031``.

        Raises:
            MiddlewareError: CKR_ARGUMENTS_BAD: it is no path, or no such EF is there.
            CommandFailedError: The card doesn't let it be read.
        """
        file_ids = path_of(path)

        with self._cards.operation(reader, "read file") as driver:
            info = driver.select(file_ids)

            if info is None or info.directory:
                raise MiddlewareError(Ckr.CKR_ARGUMENTS_BAD, f"the card has no file {name_of(file_ids)}")

            return driver.read(info.size or 0)

    def init_token(
        self,
        reader: str,
        profile: SourceText,
        *,
        parameters: Mapping[str, bytes] | None = None,
        secrets: Mapping[SecretName, Secret] | None = None,
        label: str | None = None,
    ) -> Plan:
        """Put a card profile on a card (InitTokenPPA), and return its plan; see :meth:`initialise`."""
        return self.initialise(reader, profile, parameters=parameters, secrets=secrets, label=label).plan

    def initialise(
        self,
        reader: str,
        profile: SourceText | ppa.Profile,
        *,
        parameters: Mapping[str, bytes] | None = None,
        secrets: Mapping[SecretName, Secret] | None = None,
        label: str | None = None,
    ) -> Initialised:
        """Put a card profile on a card (InitTokenPPA), and return what has become of it.

        Args:
            reader: Where the card is.
            profile: The card profile; whoever puts one on many cards parses it once.
            parameters: Values of the profile's variables, decoded.
            secrets: Values that an encoding's keywords carry.
            label: The token label that an encoding asks for.

        Raises:
            InstallationError: This installation cannot initialise cards; no command was sent.
            ProfileRefusedError: The profile is wrong, or doesn't fit the card; the card is as it was.
            CardMismatchError: It is for another card family; only its version word was read.
            EraseRefusedError: The card isn't empty, and may not be erased; it is as it was.
            HalfDoneError: The card was lost, or refused a command, in the middle.
            CardLostError: The card could not be spoken to; it is as it was.
        """
        with self._cards.log.operation("InitTokenPPA", reader):
            return self._init_token(reader, profile, parameters or {}, secrets or {}, label)

    def _init_token(
        self,
        reader: str,
        profile: SourceText | ppa.Profile,
        parameters: Mapping[str, bytes],
        secrets: Mapping[SecretName, Secret],
        label: str | None,
    ) -> Initialised:
        certificate = usable_certificate(self._installation, self._switches, self._now)
        plan = self._evaluate(profile, certificate, parameters, secrets, label)

        with self._cards.driver(reader, "InitTokenPPA") as driver, self._cards.changing(reader):
            check_family(plan, driver)
            serial = driver.chip_serial()
            state, _ = self._cards.afresh(driver).state()
            check_state(driver, state, self._switches)
            free = driver.free_memory() + (0 if state is TokenState.BLANK else occupied(driver))
            blueprint = prepare(plan, driver, serial, free, self._switches)
            journal = Journal()

            with journal.whole("initialise the card"):
                if state is not TokenState.BLANK:
                    erase(driver, frozenset(), journal, self._erase_refused)

                return Initialised(plan, Initialisation(driver, blueprint, serial, journal).run())

    def _evaluate(
        self,
        profile: SourceText | ppa.Profile,
        certificate: Certificate,
        parameters: Mapping[str, bytes],
        secrets: Mapping[SecretName, Secret],
        label: str | None,
    ) -> Plan:
        environment = ppa.Environment(
            entropy=self._entropy,
            codec=self._codec,
            certificate=certificate,
            parameters=parameters,
            secrets=secrets,
            label=label,
            switches=self._switches,
        )

        try:
            parsed = profile if isinstance(profile, ppa.Profile) else ppa.parse(profile)
            return ppa.evaluate(parsed, environment)
        except SourceError as error:
            # Without the lines of the text: a profile may hold a PIN.
            problems = [str(finding) for finding in error.diagnostics]
            raise ProfileRefusedError(problems, error.diagnostics) from None

    @property
    def _erase_refused(self) -> Ckr:
        return Ckr[self._switches[ERASE_REFUSED]]

    def card_eraser(self, reader: str) -> CardEraser | None:
        """Return the virtual object 'Card Eraser'; None where the middleware shows none for such cards."""
        with self._cards.operation(reader, "card eraser") as driver:
            return CardEraser(self, reader) if self._cards.shows_eraser(driver) else None

    def erase(self, reader: str, login: Login | None = None) -> None:
        """Erase a card by its own conditions; see :meth:`CardEraser.destroy`."""
        with self._cards.operation(reader, "Card Eraser") as driver, self._cards.changing(reader):
            verified = frozenset() if login is None else frozenset({self._log_in(reader, driver, login)})

            try:
                erase(driver, verified, Journal(), self._erase_refused)
            except EraseRefusedError:
                if verified:
                    driver.logout()

                raise

    def login(self, reader: str, user: UserType, secret: Secret) -> None:
        """Log in: verify the user's credential. The card forgets it at the end of the call.

        Raises:
            CredentialError: The credential is wrong (a try is gone) or blocked.
            MiddlewareError: CKR_USER_PIN_NOT_INITIALIZED, CKR_USER_TYPE_INVALID, CKR_PIN_LEN_RANGE.
        """
        with self._cards.operation(reader, "login") as driver:
            self._log_in(reader, driver, Login(user, secret))
            driver.logout()

    def verify_pin(self, reader: str, secret: Secret | None, *, pin: str = "user") -> None:
        """Verify a PIN by kind (``user``, ``signature``, ``puk``, ``operator``) or label, and log out again.

        None has it entered at the reader, here and in the two that follow: see :class:`Credentials`, also for
        what may come of that. Errors as login().
        """
        with self._credentials(reader, "verify PIN") as credentials:
            credentials.verify(credentials.named(pin), secret)

    def change_pin(self, reader: str, old: Secret | None, new: Secret | None, *, pin: str = "user") -> None:
        """Change a PIN or PUK.

        Errors as login(), and CKR_FUNCTION_NOT_SUPPORTED: this version changes no PUK on such a card.
        """
        with self._cards.operation(reader, "change PIN") as driver:
            credentials = Credentials(driver, self._cards.view(reader, driver).token())
            info = credentials.named(pin)
            require_changeable(info, driver, self._installation, self._switches)
            credentials.change(info, old, new)
            driver.logout()

    def set_serial(self, reader: str, serial: str, login: Login | None = None) -> None:
        """Give the token a serial number in place of its chip's, after that login.

        Errors as login(), and CKR_USER_NOT_LOGGED_IN: it takes another login. CKR_ARGUMENTS_BAD: it is no
        serial number.
        """
        value = serial_bytes(serial)

        with self._cards.operation(reader, "set serial number") as driver, self._cards.changing(reader):
            verified = frozenset() if login is None else frozenset({self._log_in(reader, driver, login)})

            try:
                write_serial(driver, application_of(driver), verified, value)
            finally:
                driver.logout()

    def unblock_pin(self, reader: str, puk: Secret | None, new: Secret | None, *, pin: str = "user") -> None:
        """Set a new PIN by its PUK.

        Errors as login(), and CKR_FUNCTION_NOT_SUPPORTED: nothing resets that PIN.
        """
        with self._credentials(reader, "unblock PIN") as credentials:
            credentials.unblock(credentials.named(pin), puk, new)

    def tries_left(self, reader: str, *, pin: str = "user") -> int | None:
        """Return the tries that a PIN has left; None where the card doesn't tell."""
        with self._credentials(reader, "tries left") as credentials:
            return credentials.tries_left(credentials.named(pin))

    def _log_in(self, reader: str, driver: CardDriver, login: Login) -> int:
        credentials = Credentials(driver, self._cards.view(reader, driver).token())
        return credentials.verify(credentials.of_user(login.user), login.secret)

    @contextmanager
    def _credentials(self, reader: str, what: str) -> Iterator[Credentials]:
        with self._cards.operation(reader, what) as driver:
            yield Credentials(driver, self._cards.view(reader, driver).token())
            driver.logout()


def _system_time() -> datetime:
    return datetime.now(UTC)
