"""PINs that are entered at a reader's own keys (PC/SC part 10): the program never has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from cardtwin.iso7816 import CommandApdu
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import MiddlewareError
from cardtwin.pcsc import Confirmation, PinModification, PinVerification
from cardtwin.pkcs15 import PinType

if TYPE_CHECKING:
    from cardtwin.middleware.tokens import PinInfo

__all__ = ["PinBlock", "modification", "verification"]

_ASCII_AT_THE_LEFT: Final = 0x82
"""bmFormatString: ASCII from the block's first byte on."""

_LARGEST_BLOCK: Final = 15
_DEFAULT_MESSAGES: Final = 0xFF
_CHARACTERS: Final = {PinType.ASCII_NUMERIC, PinType.UTF8}


@dataclass(frozen=True, slots=True)
class PinBlock:
    """How a PIN that somebody enters stands in a command.

    Attributes:
        min_digits: The fewest digits.
        max_digits: The most digits.
        fillers: The bytes that the digits overwrite; none where a PIN is not padded.
    """

    min_digits: int
    max_digits: int
    fillers: bytes = b""

    @classmethod
    def of(cls, pin: PinInfo) -> Self:
        """Return the block of a PIN on a token.

        Raises:
            MiddlewareError: CKR_FUNCTION_NOT_SUPPORTED: no reader's keys give what the card stores.
        """
        entry = pin.entry

        if entry.type not in _CHARACTERS or (entry.pad is not None and entry.stored_length > _LARGEST_BLOCK):
            raise MiddlewareError(
                Ckr.CKR_FUNCTION_NOT_SUPPORTED, f"{pin.label} is stored as no PIN pad gives it"
            )

        fillers = b"" if entry.pad is None else bytes((entry.pad,)) * entry.stored_length
        return cls(entry.min_length, entry.max_length or entry.stored_length, fillers)

    def beside(self, other: PinBlock) -> Self:
        """Return the block for a command that takes this PIN and another one.

        Raises:
            MiddlewareError: CKR_FUNCTION_NOT_SUPPORTED: the two are not padded in one way.
        """
        if self.fillers != other.fillers:
            raise MiddlewareError(
                Ckr.CKR_FUNCTION_NOT_SUPPORTED, "a PIN pad takes two PINs for a command in one format alone"
            )

        return type(self)(
            min(self.min_digits, other.min_digits),
            max(self.max_digits, other.max_digits),
            self.fillers,
        )


def verification(header: str, block: PinBlock) -> bytes:
    """Return what has a reader ask for a PIN, and put it into a command of that header.

    Args:
        header: CLA, INS, P1, P2 in hex.
        block: How the PIN stands in it.
    """
    return PinVerification(
        format_string=_ASCII_AT_THE_LEFT,
        pin_block_string=len(block.fillers),
        min_digits=block.min_digits,
        max_digits=block.max_digits,
        number_message=_DEFAULT_MESSAGES,
        command=_command(header, block.fillers),
    ).encode()


def modification(header: str, block: PinBlock, *, current: bool, before: bytes = b"") -> bytes:
    """Return what has a reader ask for a new PIN, twice, and put it into a command of that header.

    Args:
        header: CLA, INS, P1, P2 in hex.
        block: How each PIN stands in it.
        current: Whether the reader asks for the old PIN, or for the PUK, before.
        before: Data that stand before the PINs, such as a PUK that the program has.
    """
    asked = block.fillers if current else b""
    return PinModification(
        format_string=_ASCII_AT_THE_LEFT,
        pin_block_string=len(block.fillers),
        insertion_offset_old=len(before),
        insertion_offset_new=len(before + asked),
        min_digits=block.min_digits,
        max_digits=block.max_digits,
        confirmation=Confirmation.NEW_PIN_AGAIN | (Confirmation.CURRENT_PIN if current else 0),
        number_message=_DEFAULT_MESSAGES,
        command=_command(header, before + asked + block.fillers),
    ).encode()


def _command(header: str, data: bytes) -> bytes:
    cla, ins, p1, p2 = bytes.fromhex(header)
    return CommandApdu(cla, ins, p1, p2, data).encode()
