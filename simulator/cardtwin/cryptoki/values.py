"""The values that calls carry, as Python has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from cardtwin.cryptoki.constants import ARRAY_OF_ATTRIBUTES, UNAVAILABLE_INFORMATION, Cka, Ckm, name_of
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.cryptoki.structures import MechanismParams

__all__ = [
    "ULONG_SIZE",
    "Answer",
    "Attribute",
    "Buffer",
    "Mechanism",
    "NamedValue",
    "Query",
    "Reading",
]

ULONG_SIZE: Final = 8
"""Bytes of a CK_ULONG: the programs served are 64-bit ones."""

T = TypeVar("T", bound="bytes | Sequence[int]")
P = TypeVar("P", bound="MechanismParams")
ClassOf = type[P]


@dataclass(frozen=True, slots=True)
class Attribute:
    """CK_ATTRIBUTE: a type and the bytes of its value, which may be secret and are in no repr."""

    type: int
    value: bytes = field(repr=False)

    @classmethod
    def of(cls, kind: int, value: bool | int | str | bytes) -> Attribute:  # noqa: FBT001  # CK_BBOOL is a value
        """Return the attribute whose value is a CK_BBOOL, a CK_ULONG, a text in UTF-8, or those bytes."""
        match value:
            case bool():
                return cls(kind, b"\x01" if value else b"\x00")
            case int():
                return cls(kind, value.to_bytes(ULONG_SIZE, "little"))
            case str():
                return cls(kind, value.encode())
            case _:
                return cls(kind, value)

    @property
    def boolean(self) -> bool:
        """The value as CK_BBOOL.

        Raises:
            CryptokiError: CKR_ATTRIBUTE_VALUE_INVALID, it is none.
        """
        if len(self.value) != 1:
            raise self._invalid("a CK_BBOOL has one byte")

        return self.value != b"\x00"

    @property
    def ulong(self) -> int:
        """The value as CK_ULONG.

        Raises:
            CryptokiError: CKR_ATTRIBUTE_VALUE_INVALID, it is none.
        """
        if len(self.value) != ULONG_SIZE:
            raise self._invalid(f"a CK_ULONG has {ULONG_SIZE} bytes")

        return int.from_bytes(self.value, "little")

    @property
    def text(self) -> str:
        """The value as a text in UTF-8.

        Raises:
            CryptokiError: CKR_ATTRIBUTE_VALUE_INVALID, it is none.
        """
        try:
            return self.value.decode()
        except UnicodeDecodeError:
            raise self._invalid("it is not UTF-8") from None

    def _invalid(self, why: str) -> CryptokiError:
        name = name_of(Cka, self.type)
        return CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, f"{name} has {len(self.value)} bytes: {why}")


@dataclass(frozen=True, slots=True)
class Reading:
    """What C_GetAttributeValue answers for one attribute: made by a :class:`Query`.

    Attributes:
        length: What becomes ulValueLen.
        value: The bytes for the caller's buffer; None if nothing is copied.
        rv: CKR_OK, or the reason why nothing is.
    """

    length: int
    value: bytes | None = field(default=None, repr=False)
    rv: Ckr = Ckr.CKR_OK


@dataclass(frozen=True, slots=True)
class Query:
    """One attribute that C_GetAttributeValue asks for.

    Attributes:
        type: The attribute's type.
        capacity: The bytes of the caller's buffer; None where pValue is NULL and the length is asked for.
    """

    type: int
    capacity: int | None

    def answer(self, value: bytes) -> Reading:
        """Return the value; its length alone where that is asked for; CKR_BUFFER_TOO_SMALL without room."""
        if self.type in ARRAY_OF_ATTRIBUTES:
            return self.unavailable(Ckr.CKR_ATTRIBUTE_TYPE_INVALID)

        if self.capacity is None:
            return Reading(len(value))

        if self.capacity < len(value):
            return self.unavailable(Ckr.CKR_BUFFER_TOO_SMALL)

        return Reading(len(value), value)

    def unavailable(self, rv: Ckr) -> Reading:
        """Return that there is nothing: CKR_ATTRIBUTE_SENSITIVE or CKR_ATTRIBUTE_TYPE_INVALID."""
        return Reading(UNAVAILABLE_INFORMATION, None, rv)


@dataclass(frozen=True)  # no slots: Python 3.11 cannot make Answer[bytes](...) with them
class Answer(Generic[T]):
    """What is answered where the caller brought a buffer: made by a :class:`Buffer`.

    Attributes:
        length: What becomes the length (for a list, the count).
        content: What is copied; None if nothing is.
        rv: CKR_OK, or CKR_BUFFER_TOO_SMALL.
    """

    length: int
    content: T | None = field(default=None, repr=False)
    rv: Ckr = Ckr.CKR_OK


@dataclass(frozen=True)  # no slots, as with Answer
class Buffer(Generic[T]):
    """The room that the caller brought for an answer of bytes, or of CK_ULONGs.

    Two calls are the rule (clause 5.2): a length query and CKR_BUFFER_TOO_SMALL leave an operation as it was.
    So a function that does something asks first::

        if (early := signature.without_room(length)) is not None:
            return early

        return signature.answer(operation.finish(data))

    Attributes:
        capacity: Bytes (or elements) of room; None where the pointer is NULL and the length is asked for.
    """

    capacity: int | None

    @property
    def is_query(self) -> bool:
        """Whether the length alone is asked for."""
        return self.capacity is None

    def without_room(self, length: int) -> Answer[T] | None:
        """Return the answer to a query or a buffer shorter than `length`; None if there is room for it."""
        if self.capacity is None:
            return Answer(length)

        if self.capacity < length:
            return Answer(length, None, Ckr.CKR_BUFFER_TOO_SMALL)

        return None

    def answer(self, content: T) -> Answer[T]:
        """Return the content, or what :meth:`without_room` says where it doesn't fit."""
        return self.without_room(len(content)) or Answer(len(content), content)


@dataclass(frozen=True, slots=True)
class Mechanism:
    """CK_MECHANISM.

    Attributes:
        type: CKM_*.
        parameter: A structure, where the type has one and the length is that structure's; else the bytes,
            and none where pParameter is NULL.
    """

    type: int
    parameter: MechanismParams | bytes = field(default=b"", repr=False)

    @property
    def name(self) -> str:
        """The standard's name, or hex digits."""
        return name_of(Ckm, self.type)

    def params(self, structure: ClassOf[P]) -> P:
        """Return the parameter, which has to be that structure, such as RsaPkcsPssParams.

        Raises:
            CryptokiError: CKR_MECHANISM_PARAM_INVALID, it is something else.
        """
        if isinstance(self.parameter, structure):
            return self.parameter

        raise CryptokiError(Ckr.CKR_MECHANISM_PARAM_INVALID, f"{self.name} takes {structure.__name__}")

    def no_params(self) -> None:
        """See that there is no parameter.

        Raises:
            CryptokiError: CKR_MECHANISM_PARAM_INVALID, there is one.
        """
        if self.parameter:
            raise CryptokiError(Ckr.CKR_MECHANISM_PARAM_INVALID, f"{self.name} takes no parameter")


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A name and its value, for the functions that are ours."""

    name: str
    value: bytes = field(repr=False)
