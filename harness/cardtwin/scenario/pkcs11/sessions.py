"""The PKCS#11 session that the harness keeps for each program and slot, for steps of several calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cardtwin.cryptoki.constants import Cka, Ckk, Cko, SessionFlag
from cardtwin.cryptoki.values import Attribute, Buffer, Query
from cardtwin.middleware import Ckr
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.pkcs11.publickeys import from_certificate, from_point, from_rsa_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.cryptoki.foreign import Returned
    from cardtwin.scenario.pkcs11.publickeys import PublicKey
    from cardtwin.targets import Program

__all__ = ["SLOTS", "AbsentError", "Key", "RefusedError", "TokenSession"]

SLOTS: Final = ("main", "signature")
"""The slots of one reader, in their order."""

_ENOUGH: Final = 1 << 12
_MOST: Final = 64
_DESCRIPTION: Final = 64
"""Bytes of a slot's description, which the reader's name is cut to."""

_GONE: Final = {Ckr.CKR_SESSION_HANDLE_INVALID, Ckr.CKR_CRYPTOKI_NOT_INITIALIZED, Ckr.CKR_DEVICE_REMOVED}


class RefusedError(Exception):
    """A function didn't return CKR_OK."""

    def __init__(self, name: str, returned: Returned) -> None:
        self.name = name
        self.returned = returned
        super().__init__(f"{name} returns {returned.name}")


class AbsentError(Exception):
    """There is no such slot or object to be seen."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key that was found.

    Attributes:
        handle: Its handle, good or stale.
        id: CKA_ID, which its public key and its certificate have as well.
    """

    handle: int
    id: bytes


class TokenSession:
    """One program's session with the token in one slot; it begins when it is used first.

    Handles of keys are kept as real programs keep them, also when a logout has made them stale; a login
    forgets them.
    """

    def __init__(self, program: Program, reader: str, slot: str) -> None:
        self._program = program
        self._reader = reader
        self._slot = slot
        self._handle: int | None = None
        self._keys: dict[tuple[int, bytes], Key] = {}

    def call(self, name: str, *arguments: object) -> tuple[Any, ...]:
        """Call a function and return its results.

        Raises:
            RefusedError: It doesn't return CKR_OK.
        """
        returned = self._program.call(name, arguments)

        if returned.rv != Ckr.CKR_OK:
            raise RefusedError(name, returned)

        return returned.results

    def in_session(self, name: str, *arguments: object) -> tuple[Any, ...]:
        """Call a function whose first argument is the session."""
        if self._handle is None:
            self._open()

        return self.call(name, self._handle, *arguments)

    def slot_id(self) -> int:
        """Return the slot's number.

        Raises:
            AbsentError: The library shows no such slot.
            RefusedError: It cannot be asked.
        """
        self._initialize()
        (found,) = self.call("C_GetSlotList", False, Buffer(_MOST))  # noqa: FBT003  # tokenPresent
        place = SLOTS.index(self._slot)
        slots = [slot for slot in found.content if self._is_of_reader(slot)]

        if place >= len(slots):
            raise AbsentError(f"the library shows {len(slots)} slots of {self._reader!r}")

        return int(slots[place])

    def renew(self) -> None:
        """Open the session anew if it is gone, and forget the keys."""
        self._keys.clear()

        if self._handle is None:
            return

        try:
            self.call("C_GetSessionInfo", self._handle)
        except RefusedError as error:
            if error.returned.rv in _GONE:
                self._handle = None

    def find(self, template: Sequence[Attribute]) -> tuple[int, ...]:
        """Return the handles of all objects with these attributes."""
        self.in_session("C_FindObjectsInit", tuple(template))
        found: list[int] = []

        try:
            while part := self.in_session("C_FindObjects", _MOST)[0]:
                found += part
        finally:
            self._program.call("C_FindObjectsFinal", (self._handle,))

        return tuple(found)

    def read(self, handle: int, *kinds: int) -> tuple[bytes, ...]:
        """Return the values of attributes, which all have to be there."""
        (found,) = self.in_session(
            "C_GetAttributeValue", handle, tuple(Query(each, _ENOUGH) for each in kinds)
        )
        return tuple(reading.value for reading in found)

    def key(self, kind: Cka, value: bytes) -> Key:
        """Return the private key of a label or an id: the one found before, or the one there is now.

        Raises:
            AbsentError: None is to be seen, or more than one.
            RefusedError: A function failed.
        """
        known = self._keys.get((kind, value))

        if known is None:
            found = self.find((Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY)), Attribute(kind, value)))

            if len(found) != 1:
                name = repr(value.decode(errors="replace")) if kind is Cka.CKA_LABEL else value.hex().upper()
                raise AbsentError(f"{len(found) or 'no'} private keys called {name} are to be seen")

            (id_,) = self.read(found[0], Cka.CKA_ID)
            known = self._keys[kind, value] = Key(found[0], id_)

        return known

    def public_key(self, key: Key) -> PublicKey:
        """Return the public key that the token shows for a private one, or the one in its certificate.

        Raises:
            UsageError: It shows neither.
            RefusedError: A function failed.
        """
        for kind, read in ((Cko.CKO_PUBLIC_KEY, self._public_key), (Cko.CKO_CERTIFICATE, self._certified)):
            found = self.find((Attribute.of(Cka.CKA_CLASS, int(kind)), Attribute(Cka.CKA_ID, key.id)))

            if found:
                return read(found[0])

        raise UsageError(
            "the token shows neither a public key nor a certificate for this private key: "
            "nothing can be checked"
        )

    def _public_key(self, handle: int) -> PublicKey:
        (kind,) = self.read(handle, Cka.CKA_KEY_TYPE)

        if int.from_bytes(kind, "little") == Ckk.CKK_RSA:
            return from_rsa_numbers(*self.read(handle, Cka.CKA_MODULUS, Cka.CKA_PUBLIC_EXPONENT))

        return from_point(*self.read(handle, Cka.CKA_EC_PARAMS, Cka.CKA_EC_POINT))

    def _certified(self, handle: int) -> PublicKey:
        return from_certificate(*self.read(handle, Cka.CKA_VALUE))

    def _initialize(self) -> None:
        returned = self._program.initialize()

        if returned.rv not in {Ckr.CKR_OK, Ckr.CKR_CRYPTOKI_ALREADY_INITIALIZED}:
            raise RefusedError("C_Initialize", returned)

    def _open(self) -> None:
        flags = SessionFlag.CKF_SERIAL_SESSION | SessionFlag.CKF_RW_SESSION
        (self._handle,) = self.call("C_OpenSession", self.slot_id(), int(flags))

    def _is_of_reader(self, slot: int) -> bool:
        (info,) = self.call("C_GetSlotInfo", slot)
        shown = self._reader.encode()[:_DESCRIPTION].decode(errors="ignore").rstrip()
        return bool(info.slot_description.startswith(shown))
