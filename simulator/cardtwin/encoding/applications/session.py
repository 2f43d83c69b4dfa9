"""PKCS#11 as an encoding uses it: a program's sessions with the slots of one reader."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from cardtwin.cryptoki.constants import Cka, Cku, SessionFlag
from cardtwin.cryptoki.values import Attribute, Buffer, Query
from cardtwin.encoding.errors import ApplicationError, FunctionFailedError
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardtwin.cryptoki.foreign import Returned
    from cardtwin.cryptoki.values import Mechanism

__all__ = ["MAIN", "SIGNATURE", "Program", "SlotSession", "opened"]

MAIN, SIGNATURE = 0, 1
"""The slots of one reader, in their order."""

_MOST_SLOTS: Final = 64
_MOST_OBJECTS: Final = 256
_LONGEST_VALUE: Final = 1 << 15
_LONGEST_SIGNATURE: Final = 1 << 10
_DESCRIPTION: Final = 64
"""Bytes of a slot's description, to which a reader's name is cut."""

_MOST_TRIES: Final = 255


class Program(Protocol):
    """A program that calls the functions of a PKCS#11 library, by their names in C."""

    def initialize(self) -> Returned:
        """Call C_Initialize."""

    def finalize(self) -> Returned:
        """Call C_Finalize."""

    def call(self, name: str, arguments: Sequence[object]) -> Returned:
        """Call another function with the arguments that its Python function takes."""


class SlotSession:
    """A session with the token in one slot. Every method may raise FunctionFailedError.

    Attributes:
        decrypts: Whether keys that are made here are for decrypting too; those of the signature slot are not.
    """

    def __init__(self, program: Program, slot: int, *, decrypts: bool = True) -> None:
        self.decrypts = decrypts
        self._program = program
        self._slot = slot
        flags = int(SessionFlag.CKF_RW_SESSION | SessionFlag.CKF_SERIAL_SESSION)
        (self._handle,) = _called(program, "C_OpenSession", slot, flags)
        self._pin: Secret | None = None

    def call(self, name: str, *arguments: object) -> tuple[Any, ...]:
        """Call a function in the session and return its results."""
        return _called(self._program, name, self._handle, *arguments)

    def log_in(self, pin: Secret) -> None:
        """Log in as user."""
        self.call("C_Login", int(Cku.CKU_USER), pin)
        self._pin = pin

    def find(self, *template: Attribute) -> list[int]:
        """Return the handles of the objects that have these attributes."""
        self.call("C_FindObjectsInit", template)

        try:
            (found,) = self.call("C_FindObjects", _MOST_OBJECTS)
        finally:
            self.call("C_FindObjectsFinal")

        return list(found)

    def read(self, handle: int, kind: Cka) -> bytes:
        """Return an attribute of an object; empty where it has no such attribute."""
        try:
            ((reading,),) = self.call("C_GetAttributeValue", handle, (Query(kind, _LONGEST_VALUE),))
        except FunctionFailedError as error:
            if error.rv in {Ckr.CKR_ATTRIBUTE_TYPE_INVALID, Ckr.CKR_ATTRIBUTE_SENSITIVE}:
                return b""

            raise

        return reading.value or b""

    def create(self, template: Sequence[Attribute]) -> int:
        """Make an object and return its handle."""
        (handle,) = self.call("C_CreateObject", tuple(template))
        return int(handle)

    def destroy(self, handle: int) -> None:
        """Destroy an object."""
        self.call("C_DestroyObject", handle)

    def generate(
        self, mechanism: Mechanism, public: Sequence[Attribute], private: Sequence[Attribute]
    ) -> tuple[int, int]:
        """Have a key pair made and return the handles of the public and the private key."""
        ours, theirs = self.call("C_GenerateKeyPair", mechanism, tuple(public), tuple(private))
        return ours, theirs

    def sign(self, mechanism: Mechanism, key: int, data: bytes) -> bytes:
        """Sign; a key that wants the PIN for each signature gets it."""
        self.call("C_SignInit", mechanism, key)

        if self.read(key, Cka.CKA_ALWAYS_AUTHENTICATE) == b"\x01" and self._pin is not None:
            self.call("C_Login", int(Cku.CKU_CONTEXT_SPECIFIC), self._pin)

        (signature,) = self.call("C_Sign", data, Buffer(_LONGEST_SIGNATURE))
        return bytes(signature.content)

    def block(self) -> None:
        """Present wrong PINs until the user's is locked."""
        (info,) = _called(self._program, "C_GetTokenInfo", self._slot)
        wrong = _Wrong(max(info.min_pin_len, 1), self._pin)

        with suppress(FunctionFailedError):
            self.call("C_Logout")

        for _ in range(_MOST_TRIES):
            try:
                self.call("C_Login", int(Cku.CKU_USER), wrong.pin)
            except FunctionFailedError as error:
                if error.rv is Ckr.CKR_PIN_LOCKED:
                    return

                if error.rv is not Ckr.CKR_PIN_INCORRECT:
                    raise
            else:
                self.call("C_Logout")
                wrong.next()

        raise ApplicationError("the PIN is not locked by wrong ones")


class _Wrong:
    """A PIN that is surely wrong, or turns out to be right and is replaced by another."""

    def __init__(self, length: int, right: Secret | None) -> None:
        self._length = length
        self._digit = 0
        self.pin = self._made()

        if right is not None and self.pin == right:
            self.next()

    def next(self) -> None:
        """Take another."""
        self._digit += 1
        self.pin = self._made()

    def _made(self) -> Secret:
        return Secret.of(str(self._digit % 10) * self._length)


@contextmanager
def opened(program: Program, reader: str) -> Iterator[dict[int, SlotSession]]:
    """Let a program use the slots of a reader for the block: MAIN and, where there is one, SIGNATURE.

    Raises:
        ApplicationError: The library shows no slot of that reader.
        FunctionFailedError: It cannot be asked.
    """
    if rv := program.initialize().rv:
        raise FunctionFailedError("C_Initialize", rv)

    try:
        yield {
            place: SlotSession(program, slot, decrypts=place == MAIN)
            for place, slot in enumerate(_slots(program, reader))
        }
    finally:
        program.finalize()


def _slots(program: Program, reader: str) -> list[int]:
    (listed,) = _called(program, "C_GetSlotList", True, Buffer(_MOST_SLOTS))  # noqa: FBT003  # tokenPresent
    found = [slot for slot in listed.content if _is_of(program, slot, reader)]

    if not found:
        raise ApplicationError(f"the library shows no token in {reader!r}")

    return found


def _is_of(program: Program, slot: int, reader: str) -> bool:
    (info,) = _called(program, "C_GetSlotInfo", slot)
    return bool(_cut(info.slot_description) == _cut(reader))


def _cut(name: str) -> bytes:
    return name.encode()[:_DESCRIPTION].rstrip()


def _called(program: Program, name: str, *arguments: object) -> tuple[Any, ...]:
    returned = program.call(name, arguments)

    if returned.rv != Ckr.CKR_OK:
        raise FunctionFailedError(name, returned.rv)

    return returned.results
