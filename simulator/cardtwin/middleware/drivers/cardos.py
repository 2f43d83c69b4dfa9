"""CardOS: what the M4 and 5.x families have in common.

Command forms follow OpenSC's cardos driver and pkcs15-init, and other public clients; what differs by family
stands in the families' own modules.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from cardtwin.iso7816 import FileControl, ResponseApdu, StatusWord, Tlv, TlvFormatError
from cardtwin.middleware.channel import refused
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers import cardos_objects as objects
from cardtwin.middleware.drivers.base import FileInfo, KeySpec, KeyValue, Phase, PinSpec, PublicKey
from cardtwin.middleware.drivers.cardos_keys import CardOsKeys
from cardtwin.middleware.errors import CommandFailedError, MiddlewareError
from cardtwin.middleware.names import MF, name_of
from cardtwin.middleware.rights import OPEN, Right, Rights
from cardtwin.plan import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.middleware.pinpad import PinBlock

__all__ = ["DF_ORDER", "EF_ORDER", "MF_ORDER", "CardOs"]

# The order of the condition bytes. What has no right of its own here follows the one of equal weight.
MF_ORDER: Final = (
    Right.LIFE_CYCLE,
    Right.OBJECTS_UPDATE,
    Right.OBJECTS_CREATE,
    Right.DEACTIVATE,
    Right.ACTIVATE,
    Right.DELETE,
    Right.CHANGE_CONDITIONS,
    Right.CREATE,
    Right.CHANGE_CONDITIONS,  # EXECUTE, which loads packages
    Right.CHANGE_CONDITIONS,  # ALLOCATE
)
DF_ORDER: Final = MF_ORDER[:8]
EF_ORDER: Final = (
    Right.READ,
    Right.UPDATE,
    Right.UPDATE,  # APPEND
    Right.DEACTIVATE,
    Right.ACTIVATE,
    Right.DELETE,
    Right.CHANGE_CONDITIONS,
    Right.UPDATE,  # INCREASE
    Right.UPDATE,  # DECREASE
)

_PHASES: Final = {0x20: Phase.ADMINISTRATION, 0x10: Phase.OPERATIONAL}
_READABLE: Final = 0x8000
_DF_DESCRIPTOR: Final = 0x38
_DESCRIPTOR_KIND: Final = 0x3F  # without the bit that says shareable
_BACKTRACKING: Final = 0x80  # P2 bit: search the PIN in the current DF, then upwards
_KEY_FILE: Final = 0x7EAD
_KEY_FILE_SIZE: Final = 0x0200
_RECORD_BITS: Final = 1024  # the longest modulus that the card writes into records
_TLV_RECORDS: Final = 0x05
_TRANSPARENT: Final = 0x01


class CardOs(CardOsKeys):
    """The common part of the CardOS drivers."""

    pin_references: ClassVar[range] = range(1, 16)
    key_references: ClassVar[range] = range(1, 32)
    reserved_files: ClassVar[frozenset[int]] = frozenset({_KEY_FILE})
    max_file_size: ClassVar[int] = 0x7FFF
    has_eraser: ClassVar[bool] = True

    @abstractmethod
    def rights_of(self, control: FileControl) -> Rights | None:
        """Return the conditions that control information tells."""

    def phase(self) -> Phase:
        """Return the phase of the card's life (GET DATA 0183)."""
        told = self.channel.send("00CA0183", le=256, what="read the life cycle")
        return _PHASES.get(told[0] if told else 0, Phase.OTHER)

    def free_memory(self) -> int:
        """Return the free bytes of the EEPROM (GET DATA 018A)."""
        return int.from_bytes(self.channel.send("00CA018A", le=256, what="read the free memory"))

    def select(self, path: tuple[int, ...]) -> FileInfo | None:
        """Make a file the current one; None if it isn't there."""
        header, data = _by_path(path)
        return self._selected(self.channel.ask(f"{header}00", data, le=256), f"select {name_of(path)}")

    def enter(self, path: tuple[int, ...]) -> bool:
        """Make a file the current one without asking about it; False if it isn't there."""
        header, data = _by_path(path)
        response = self.channel.ask(f"{header}0C", data)
        return _is_there(response, f"select {name_of(path)}")

    def select_application(self, aid: bytes) -> FileInfo | None:
        """Select a DF by its name; None if there is none, or if the card doesn't select by name."""
        what = "select the application"
        response = self.channel.ask("00A40400", aid, le=256)
        return self._selected(response, what) if response.sw.is_success or response.sw.is_warning else None

    def _selected(self, response: ResponseApdu, what: str) -> FileInfo | None:
        if not _is_there(response, what):
            return None

        try:
            control = FileControl.parse(response.data)
        except TlvFormatError as error:
            raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, f"{what}: {error}") from error

        directory = (control.descriptor or 0) & _DESCRIPTOR_KIND == _DF_DESCRIPTOR
        return FileInfo(control.size, directory, self.rights_of(control), control.file_id)

    def children(self) -> tuple[int, ...]:
        """Return the identifiers of the files in the current DF (DIRECTORY), page by page."""
        found: list[int] = []
        page: int | None = 0

        while page is not None:
            told = self._listing(page)
            found += [int.from_bytes(entry.value) for entry in told if entry.tag == 0x86]
            following = [entry.value[0] for entry in told if entry.tag == 0x8A and entry.value]
            page = following[-1] if following and following[-1] > page else None

        return tuple(found)

    def _listing(self, page: int) -> list[Tlv]:
        what = "list the files"
        listing = self.channel.send(f"801602{page:02X}", le=256, what=what)

        try:
            return [told for entry in Tlv.parse_all(listing) for told in entry.children()]
        except TlvFormatError as error:
            raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, f"{what}: {error}") from error

    def read(self, size: int) -> bytes:
        """Return the first `size` bytes of the current EF (READ BINARY); fewer if the card gives fewer.

        What lies beyond the offsets that the command can say, 32 KiB, is left out.
        """
        content = b""
        size = min(size, _READABLE)

        while len(content) < size:
            response = self.channel.ask(f"00B0{len(content):04X}", le=min(256, size - len(content)))

            if response.sw not in {StatusWord.SUCCESS, StatusWord.END_OF_FILE_REACHED}:
                raise refused("read the file", response.sw)

            content += response.data

            if response.sw == StatusWord.END_OF_FILE_REACHED or not response.data:
                break

        return content

    def verify(self, reference: int, value: bytes) -> ResponseApdu:
        """Verify a PIN (VERIFY)."""
        return self.channel.ask(f"002000{reference | _BACKTRACKING:02X}", value)

    def change(self, reference: int, old: bytes, new: bytes) -> ResponseApdu:
        """Change a PIN (CHANGE REFERENCE DATA)."""
        return self.channel.ask(f"002400{reference | _BACKTRACKING:02X}", old + new)

    def unblock(
        self,
        reference: int,
        puk: bytes,
        new: bytes,
        *,
        puk_reference: int,  # noqa: ARG002  # the card knows it
    ) -> ResponseApdu:
        """Set a new PIN by its PUK (RESET RETRY COUNTER)."""
        return self.channel.ask(f"002C00{reference | _BACKTRACKING:02X}", puk + new)

    def verify_entered(self, reference: int, block: PinBlock) -> ResponseApdu:
        """Verify a PIN that is entered at the reader (VERIFY)."""
        return self.channel.verify_entered(f"002000{reference | _BACKTRACKING:02X}", block)

    def change_entered(self, reference: int, block: PinBlock) -> ResponseApdu:
        """Change a PIN by what is entered at the reader (CHANGE REFERENCE DATA)."""
        return self.channel.modify_entered(f"002400{reference | _BACKTRACKING:02X}", block, current=True)

    def unblock_entered(
        self,
        reference: int,
        puk: bytes | PinBlock,
        block: PinBlock,
        *,
        puk_reference: int,  # noqa: ARG002  # the card knows it
    ) -> ResponseApdu:
        """Set a new PIN that is entered at the reader, by its PUK (RESET RETRY COUNTER)."""
        return self.channel.unblock_entered(f"002C00{reference | _BACKTRACKING:02X}", puk, block)

    def logout(self) -> None:
        """Forget all verified credentials (LOGOUT, after SELECT of the MF)."""
        self.select((MF,))
        self.channel.send("80EA0000", what="log out")

    def phase_control(self) -> None:
        """Go from administration to operational, or back (PHASE CONTROL)."""
        self.channel.send("80100000", what="change the life cycle")

    def create_directory(self, file_id: int, size: int, aid: bytes, rights: Rights) -> None:
        """Create a DF in the current one (CREATE FILE)."""
        objects_ = [Tlv(0x81, size.to_bytes(2)), Tlv(0x82, bytes((_DF_DESCRIPTOR,)))]
        objects_ += [Tlv(0x83, file_id.to_bytes(2))] + ([Tlv(0x84, aid)] if aid else [])
        self._create([*objects_, Tlv(0x85, b"\0"), Tlv(0x86, _conditions(rights, DF_ORDER))], file_id)

    def create_file(self, file_id: int, size: int, rights: Rights) -> None:
        """Create a transparent EF in the current DF (CREATE FILE)."""
        self._create_file(file_id, size, _TRANSPARENT, rights)

    def _create_file(self, file_id: int, size: int, descriptor: int, rights: Rights) -> None:
        objects_ = [Tlv(0x80, size.to_bytes(2)), Tlv(0x82, bytes((descriptor,)))]
        objects_ += [Tlv(0x83, file_id.to_bytes(2)), Tlv(0x85, b"\0")]
        self._create([*objects_, Tlv(0x86, _conditions(rights, EF_ORDER))], file_id)

    def _create(self, control: list[Tlv], file_id: int) -> None:
        data = FileControl(0x62, tuple(control)).encode()
        self.channel.send("00E00000", data, what=f"create the file {file_id:04X}")

    def write(self, content: bytes, at: int = 0) -> None:
        """Write to the current EF from an offset on (UPDATE BINARY)."""
        step = self.channel.max_data

        for done in range(0, len(content), step):
            self.channel.send(f"00D6{at + done:04X}", content[done : done + step], what="write the file")

    def set_rights(self, path: tuple[int, ...], rights: Rights, *, directory: bool) -> None:
        """Give the current file other conditions (PUT DATA FCI)."""
        order = MF_ORDER if len(path) == 1 else DF_ORDER if directory else EF_ORDER
        conditions = _conditions(rights, order)
        data = bytes((0x86, len(conditions))) + conditions
        self.channel.send("00DA016F", data, what=f"set the conditions of {name_of(path)}")

    def delete(self, file_id: int) -> None:
        """Delete a file in the current DF (DELETE FILE)."""
        self.channel.send("00E40000", file_id.to_bytes(2), what=f"delete the file {file_id:04X}")

    def put_pin(self, pin: PinSpec) -> None:
        """Store a PIN in the current DF (PUT DATA OCI)."""
        self.channel.send("00DA016E", objects.pin_object(pin), what=f"store the PIN {pin.reference:02X}")

    def delete_pin(self, reference: int) -> bool:
        """Delete a PIN in the current DF; False if there was none."""
        return self._delete_object(objects.PIN_CLASS, reference, f"delete the PIN {reference:02X}")

    def delete_key(self, reference: int) -> bool:
        """Delete a private key in the current DF, component by component; False if there was none.

        Without one of its components a key is none: what the card refuses to delete of the rest is left.
        """
        what, deleted = f"delete the key {reference:02X}", False

        for class_ in objects.KEY_CLASSES:
            try:
                deleted |= self._delete_object(class_, reference, what)
            except CommandFailedError:
                if not deleted:
                    raise

        return deleted

    def _delete_object(self, class_: int, reference: int, what: str) -> bool:
        response = self.channel.ask("00DA016E", objects.no_object(class_, reference))

        if response.sw == StatusWord.REFERENCED_DATA_NOT_FOUND:
            return False

        if response.sw != StatusWord.SUCCESS:
            raise refused(what, response.sw)

        return True

    def put_key(self, key: KeySpec) -> None:
        """Store a key without a value in the current DF (PUT DATA OCI, once per component)."""
        for component in (*objects.key_components(key), *objects.key_lock(key)):
            self.channel.send("00DA016E", component, what=f"store the key {key.reference:02X}")

    def import_key(self, key: KeySpec, value: KeyValue) -> None:
        """Store a private key with its value in the current DF (PUT DATA OCI, once per component)."""
        for component in objects.key_components(key, value, guarded=True):
            self.channel.send("00DA016E", component, what=f"store the key {key.reference:02X}")

    def generate_key(self, key: KeySpec, *, guarded: bool = False) -> PublicKey:
        """Make a key pair in the current DF (GENERATE KEY PAIR).

        The card writes the public half into a file that exists for the time of it.
        """
        short = key.algorithm is KeyAlgorithm.RSA and key.size <= _RECORD_BITS
        self._create_file(_KEY_FILE, _KEY_FILE_SIZE, _TLV_RECORDS if short else _TRANSPARENT, OPEN)

        for component in objects.key_components(key, guarded=guarded):
            self.channel.send("00DA016E", component, what=f"store the key {key.reference:02X}")

        what = f"generate the key {key.reference:02X}"
        numbers = (
            bytes((objects.KEY_CLASS, key.reference)) + _KEY_FILE.to_bytes(2) + bytes.fromhex("00100020")
        )
        self.channel.send("00460000", numbers, what=what)
        content = self._key_records() if short else self.read(_KEY_FILE_SIZE)
        public = objects.public_key(key, content)

        for conditions in () if guarded else objects.key_lock(key):
            self.channel.send("00DA016E", conditions, what=f"set the conditions of key {key.reference:02X}")

        self.delete(_KEY_FILE)
        return public

    def tidy(self) -> None:
        """Delete the file of a generation of keys that broke off, if the current DF has one."""
        response = self.channel.ask("00E40000", _KEY_FILE.to_bytes(2))

        if response.sw not in {StatusWord.SUCCESS, StatusWord.FILE_NOT_FOUND}:
            raise refused(f"delete the file {_KEY_FILE:04X}", response.sw)

    def _key_records(self) -> bytes:
        first = self.channel.send("00B20104", le=256, what="read the modulus")
        return first + self.channel.send("00B20204", le=256, what="read the exponent")


def _conditions(rights: Rights, order: Sequence[Right]) -> bytes:
    return bytes(objects.condition_byte(rights[right]) if right in rights else 0xFF for right in order)


def _by_path(path: tuple[int, ...]) -> tuple[str, bytes]:
    """Return CLA, INS and P1 in hex, and the data, of a SELECT by path from the MF."""
    steps = b"".join(file_id.to_bytes(2) for file_id in path[1:])
    return ("00A408", steps) if steps else ("00A400", MF.to_bytes(2))


def _is_there(response: ResponseApdu, what: str) -> bool:
    """Whether a SELECT has found its file; raises CommandFailedError where it was refused."""
    if response.sw == StatusWord.FILE_NOT_FOUND:
        return False

    if not (response.sw.is_success or response.sw.is_warning):
        raise refused(what, response.sw)

    return True
