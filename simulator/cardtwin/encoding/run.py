"""One encoding while it runs, and the table of its commands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.authority import ServerSide
from cardtwin.encoding.errors import ApplicationError
from cardtwin.encoding.values import FieldRef

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.encoding.applications.session import Program
    from cardtwin.encoding.checks.registry import Scope
    from cardtwin.encoding.description import Setting
    from cardtwin.encoding.job import Job
    from cardtwin.encoding.token import TokenMiddleware
    from cardtwin.plan import DecryptionKey, PinBlobCodec, Secret
    from cardtwin.provenance import Switches

__all__ = ["COMMANDS", "Block", "Command", "Run", "command"]

_IN_CERTIFICATES: Final = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]{1,64}")
"""What serialNumber (X.520) may be."""


class Block(Enum):
    """The blocks of an encoding, in the order in which they run."""

    INITIALISATION = 1
    CREDENTIALS = 2
    APPLICATIONS = 3
    FINALISATION = 4
    PRODUCTION = 5


@dataclass(frozen=True, slots=True)
class Run:
    """What a command works with.

    Attributes:
        job: What is to be done.
        scope: The checked description.
        middleware: The middleware that the description names.
        reader: The reader with the card.
        keys: Private keys for encrypted PINs.
        codec: The format of encrypted PINs.
        switches: Chosen behaviour.
        fields: What was read so far, by field.
        open_program: Starts a program that calls the middleware's PKCS#11 library; None where it has none.
        server: The systems behind the encoding.
    """

    job: Job
    scope: Scope
    middleware: TokenMiddleware
    reader: str
    keys: Sequence[DecryptionKey]
    codec: PinBlobCodec
    switches: Switches
    fields: dict[str, str | Secret] = field(default_factory=dict)
    open_program: Callable[[], Program] | None = None
    server: ServerSide = field(default_factory=ServerSide)

    def given(self, keyword: str) -> Secret | None:
        """Return a credential of [Description]; None where it is missing or empty."""
        setting = self.scope.setting(keyword)

        if setting is None:
            return None

        secret = self.job.secret(setting.value)
        return secret if len(secret) else None

    def value_of(self, setting: Setting) -> str:
        """Return the text of a setting; what this encoding has made or read counts before the process's."""
        name = setting.value.name if isinstance(setting.value, FieldRef) else ""
        known = self.fields.get(name)
        return known if isinstance(known, str) else self.job.text(setting.value)

    def serial_of(self, setting: Setting) -> str:
        """Return a card serial number; an empty field gets a new one from the authority, for all its uses.

        Raises:
            ApplicationError: It can't stand in a certificate, so nothing goes by it.
        """
        serial = self.value_of(setting).strip()

        if not serial and isinstance(setting.value, FieldRef) and self.server.authority is not None:
            serial = self.server.authority.new_serial()
            self.fields[setting.value.name] = serial

        if serial and not _IN_CERTIFICATES.fullmatch(serial):
            raise ApplicationError(
                f"the card serial number {serial!r} can't stand in a certificate: it is a PrintableString of "
                "64 characters at most (RFC 5280, A.1), such as one of digits and letters from A to Z"
            )

        return serial


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, its block, when it applies, and what it does."""

    name: str
    block: Block
    applies: Callable[[Run], bool]
    carry_out: Callable[[Run], None]


COMMANDS: Final[list[Command]] = []


def command(
    name: str, block: Block, applies: Callable[[Run], bool]
) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """Register a command; within a block, commands run in the order of entry."""

    def register(carry_out: Callable[[Run], None]) -> Callable[[Run], None]:
        COMMANDS.append(Command(name, block, applies, carry_out))
        return carry_out

    return register
