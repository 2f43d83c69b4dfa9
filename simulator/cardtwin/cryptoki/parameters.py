"""What the parameters of functions are: in C, on the socket, and in Python."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cardtwin.cryptoki.structures import Structure

__all__ = ["Kind", "Parameter"]


@unique
class Kind(Enum):
    """What a parameter is, in C and in Python.

    In: each gives the Python function one argument.
    Out: each gives it one argument where the caller's room is of interest (marked), and takes one result.
    """

    ULONG = "by value: int"
    BOOL = "CK_BBOOL by value: bool"
    DATA = "pointer and length: bytes. NULL with length 0 is empty"
    PIN = "pointer and length: Secret, or None for NULL with length 0 (protected authentication path)"
    LABEL = "pointer to 32 bytes padded with spaces: bytes"
    MECHANISM = "pointer to CK_MECHANISM: Mechanism"
    TEMPLATE = "pointer to CK_ATTRIBUTE and count: tuple[Attribute, ...]"
    VALUES = "pointer to cardtwin_value and count: tuple[NamedValue, ...]"
    RESERVED = "pointer that has to be NULL: no argument"
    IGNORED = "pointer that means nothing here: no argument"

    ULONG_OUT = "pointer to CK_ULONG. Result: int"
    STRUCTURE_OUT = "pointer to a structure. Result: its Python class"
    BUFFER_OUT = "pointer and pointer to length, two calls. Argument: Buffer. Result: Answer of bytes"
    LIST_OUT = "CK_ULONG array and pointer to count, two calls. Argument: Buffer. Result: Answer of ints"
    FOUND_OUT = "CK_ULONG array, its size, pointer to count. Argument: int. Result: sequence of ints"
    FILL_OUT = "pointer and length, to be filled. Argument: int. Result: bytes of that length"
    QUERY = "CK_ATTRIBUTEs to be filled. Argument: tuple[Query, ...]. Result: sequence of Reading"


_TWO_NAMES: Final = {
    Kind.DATA,
    Kind.PIN,
    Kind.TEMPLATE,
    Kind.VALUES,
    Kind.BUFFER_OUT,
    Kind.LIST_OUT,
    Kind.FILL_OUT,
    Kind.QUERY,
}
_NO_ARGUMENT: Final = {Kind.RESERVED, Kind.IGNORED, Kind.ULONG_OUT, Kind.STRUCTURE_OUT}
_RESULT: Final = {
    Kind.ULONG_OUT,
    Kind.STRUCTURE_OUT,
    Kind.BUFFER_OUT,
    Kind.LIST_OUT,
    Kind.FOUND_OUT,
    Kind.FILL_OUT,
    Kind.QUERY,
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function, or the few in C that belong together.

    Attributes:
        kind: What it is.
        names: The names in C, in C's order.
        c_type: The type of the first, where the kind alone doesn't tell.
        structure: For STRUCTURE_OUT.
    """

    kind: Kind
    names: tuple[str, ...]
    c_type: str = ""
    structure: Structure | None = None

    def __post_init__(self) -> None:
        expected = 3 if self.kind is Kind.FOUND_OUT else 2 if self.kind in _TWO_NAMES else 1

        if len(self.names) != expected:
            raise TypeError(f"{self.kind.name} has {expected} names in C, not {len(self.names)}")

    @property
    def is_argument(self) -> bool:
        """Whether the Python function has an argument for it."""
        return self.kind not in _NO_ARGUMENT

    @property
    def is_result(self) -> bool:
        """Whether the Python function gives a result for it."""
        return self.kind in _RESULT
