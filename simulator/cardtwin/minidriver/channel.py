"""The commands of a GIDS card, one method each; errors are this package's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.iso7816 import ApduFormatError, CommandApdu, ResponseApdu, StatusWord, Tlv, TlvFormatError
from cardtwin.minidriver.errors import CardLostError, CommandRefusedError, ContentError
from cardtwin.pcsc import PcscError, exchange

if TYPE_CHECKING:
    from cardtwin.pcsc import CardConnection

__all__ = ["APPLICATION", "Channel"]

APPLICATION: Final = bytes.fromhex("A00000039742544659")
"""The name of a GIDS card's application, without its version."""

_CHAINED: Final = 0x10
_SHORT: Final = 255
_ALL: Final = 256


class Channel:
    """Commands to one card over one connection.

    Args:
        connection: The connection.
    """

    def __init__(self, connection: CardConnection) -> None:
        self._connection = connection

    def ask(self, header: str, data: bytes = b"", le: int | None = None) -> ResponseApdu:
        """Send a command, chained where it is long, and return the last response, whatever its status is.

        Args:
            header: CLA, INS, P1, P2 in hex.
            data: The command's data.
            le: The number of bytes expected at most; None expects none.

        Raises:
            CardLostError: The card could not be spoken to, or answered no response APDU.
        """
        cla, ins, p1, p2 = bytes.fromhex(header)
        step = min(_SHORT, self._connection.max_command_data)
        links = [data[at : at + step] for at in range(0, len(data), step)] or [b""]

        for link in links[:-1]:
            response = self._send(CommandApdu(cla | _CHAINED, ins, p1, p2, link))

            if response.sw != StatusWord.SUCCESS:
                return response

        return self._send(CommandApdu(cla, ins, p1, p2, links[-1], le))

    def _send(self, command: CommandApdu) -> ResponseApdu:
        try:
            return exchange(self._connection.transmit, command)
        except PcscError as error:
            raise CardLostError(str(error)) from error
        except ApduFormatError as error:
            raise CardLostError(f"no response APDU: {error}") from error

    def do(self, header: str, data: bytes = b"", le: int | None = None, *, what: str) -> bytes:
        """Send a command and return the response's data; arguments and errors as in ask(), and more.

        Args:
            header: As in ask().
            data: As in ask().
            le: As in ask().
            what: What this does, for messages; never holds a secret.

        Raises:
            CommandRefusedError: The status word isn't 9000.
        """
        response = self.ask(header, data, le)

        if response.sw != StatusWord.SUCCESS:
            raise CommandRefusedError(what, response.sw)

        return response.data

    def select(self) -> None:
        """Select the application, which forgets who was verified."""
        self.do("00A40400", APPLICATION, _ALL, what="select the application")

    def get(self, file_id: int, tag: int) -> bytes | None:
        """Return the value of a data object in a file; None where the file or the object isn't there."""
        response = self.ask(f"00CB{file_id:04X}", Tlv(0x5C, tag.to_bytes(2)).encode(), _ALL)

        if response.sw in {StatusWord.REFERENCED_DATA_NOT_FOUND, StatusWord.FILE_NOT_FOUND}:
            return None

        if response.sw != StatusWord.SUCCESS:
            raise CommandRefusedError(f"read data object {tag:04X} of file {file_id:04X}", response.sw)

        try:
            found = Tlv.parse(response.data)
        except TlvFormatError:
            found = Tlv(0)

        if found.tag != tag:
            raise ContentError(f"the card answers no data object {tag:04X}")

        return found.value

    def put(self, file_id: int, tag: int, value: bytes) -> None:
        """Store a data object in a file."""
        what = f"write data object {tag:04X} of file {file_id:04X}"
        self.do(f"00DB{file_id:04X}", Tlv(tag, value).encode(), what=what)

    def create(self, control: Tlv, *, what: str) -> None:
        """Create a file and activate it."""
        self.do("00E00000", control.encode(), what=f"create {what}")
        self.do("00440000", what=f"activate {what}")

    def delete_file(self, file_id: int) -> None:
        """Delete a file, where it is there."""
        selected = self.ask("00A4000C", file_id.to_bytes(2))

        if selected.sw == StatusWord.FILE_NOT_FOUND:
            return

        self.do("00E40000", what=f"delete file {file_id:04X}")
