"""A card as its own commands show it: files by their paths, and keys by their numbers.

Nothing here is the middleware's or OpenSC's: the commands are those of the cards' public descriptions.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.pcsc import Disposition
from support.rig import READER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardtwin.pcsc import Context

OK, NO_SUCH_FILE, NO_SUCH_KEY = "9000", "6A82", "6A88"
_PIN_ROOM: Final = 8


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family has a key decipher.

    Attributes:
        before: What stands before the key's number in MANAGE SECURITY ENVIRONMENT SET.
        behind: What stands behind it.
        indicator: The byte before the cryptogram.
        number: The bits that the key's number has beside it.
        verify: The bits that VERIFY has beside the PIN's number.
    """

    before: str
    behind: str
    indicator: str
    number: int
    verify: int


DIALECTS: Final[Mapping[str, Dialect]] = {
    "cardos-4": Dialect("8301", "", indicator="00", number=0x00, verify=0x80),
    "cardos-5": Dialect("8401", "950140", indicator="00", number=0x00, verify=0x80),
    "cosmo-": Dialect("8401", "80011A", indicator="81", number=0x80, verify=0x00),
}
"""By how the names of the models begin."""


class RawCard:
    """The card in the reader, for a program that knows nothing but commands. It resets it when it goes."""

    def __init__(self, context: Context, model: str) -> None:
        self._context = context
        self._dialect = next(found for begin, found in DIALECTS.items() if model.startswith(begin))

    def status(self, path: str) -> str:
        """Return what SELECT answers for a file: OK or NO_SUCH_FILE."""
        with self._commands() as send:
            return send(_select(path))[1]

    def content(self, path: str, length: int) -> bytes:
        """Return what a file holds at its beginning."""
        with self._commands() as send:
            assert send(_select(path))[1] == OK
            return send(f"00B00000{length:02X}")[0]

    def deciphering(self, directory: str, reference: int, cryptogram: bytes, *, pin: tuple[int, str]) -> str:
        """Return what becomes of a cryptogram: OK, or what is answered to the first command that is refused.

        Args:
            directory: The path of the key's DF.
            reference: The key's number there.
            cryptogram: As long as its modulus.
            pin: The number and the digits of the PIN that guards it; they are filled up with 00.
        """
        number, digits = pin
        value = digits.encode().ljust(_PIN_ROOM, b"\0")
        dialect = self._dialect
        commands = (
            _select(directory),
            f"002000{number | dialect.verify:02X}{len(value):02X}{value.hex()}",
            self._choose(reference),
            f"002A808600{len(cryptogram) + 1:04X}{dialect.indicator}{cryptogram.hex()}0000",
        )

        with self._commands() as send:
            answers = (send(command)[1] for command in commands)
            return next((answer for answer in answers if answer != OK), OK)

    def choosing(self, directory: str, reference: int) -> str:
        """Return what is answered to the choice of a key: OK or NO_SUCH_KEY. The DF has to be there."""
        with self._commands() as send:
            assert send(_select(directory))[1] == OK
            return send(self._choose(reference))[1]

    def _choose(self, reference: int) -> str:
        dialect = self._dialect
        data = f"{dialect.before}{reference | dialect.number:02X}{dialect.behind}"
        return f"002241B8{len(data) // 2:02X}{data}"

    @contextmanager
    def _commands(self) -> Iterator[Callable[[str], tuple[bytes, str]]]:
        connection = self._context.connect(READER)

        def send(command: str) -> tuple[bytes, str]:
            response = connection.transmit(bytes.fromhex(command))
            return response[:-2], response[-2:].hex().upper()

        try:
            yield send
        finally:
            connection.disconnect(Disposition.RESET)


def _select(path: str) -> str:
    steps = path.removeprefix("3F00")
    return f"00A40800{len(steps) // 2:02X}{steps}" if steps else "00A40000023F00"
