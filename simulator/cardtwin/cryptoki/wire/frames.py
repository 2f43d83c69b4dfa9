"""What a frame is: a greeting, or the call of a function."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.errors import MalformedFrameError
from cardtwin.cryptoki.functions import FUNCTIONS, sum_of_table

if TYPE_CHECKING:
    from cardtwin.cryptoki.functions import Function

__all__ = ["LONGEST_FRAME", "NUMBER", "Greeting", "function_of"]

LONGEST_FRAME: Final = 1 << 28
"""Bytes that a frame has at most, either way; what is longer is refused in C with CKR_ARGUMENTS_BAD."""

NUMBER: Final = Struct("<H")
"""The number of the function, at the beginning of a call."""

_GREETING: Final = Struct("<8sIQ?")
_MAGIC: Final = b"cardtwin"


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first frame of a connection.

    Attributes:
        instance: The same in all connections of one C_Initialize.
        control: Whether it is the first of them, which carries C_Initialize and C_Finalize and lasts as
            long as the program does.
    """

    instance: int
    control: bool

    @classmethod
    def parse(cls, body: bytes) -> Greeting:
        """Parse the frame, its length apart.

        Raises:
            MalformedFrameError: It is none, or that of a library built from another table.
        """
        if len(body) != _GREETING.size:
            raise MalformedFrameError("the first frame is no greeting")

        magic, table, instance, control = _GREETING.unpack(body)

        if magic != _MAGIC:
            raise MalformedFrameError("the first frame is no greeting")

        if table != sum_of_table():
            raise MalformedFrameError("the library was built by another version of cardtwin; build it anew")

        return cls(instance, control)


def function_of(body: bytes) -> Function:
    """Return the function that a call's frame names.

    Raises:
        MalformedFrameError: It names none that is carried.
    """
    if len(body) < NUMBER.size:
        raise MalformedFrameError("a call without a function")

    number = NUMBER.unpack_from(body)[0]

    if number >= len(FUNCTIONS) or not FUNCTIONS[number].carried:
        raise MalformedFrameError(f"there is no function {number}")

    return FUNCTIONS[number]
