"""Cards whose PINs and keys are IAS-ECC's data objects, or are kept in their form.

Command forms follow ISO/IEC 7816-4 and -9 and OpenSC's driver iasecc. How the vendors' middleware
personalises such cards isn't public: the forms that store PINs and change access rules are ours, as the
emulated cards have them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from cardtwin.iso7816 import FileControl, ResponseApdu, StatusWord, Tlv, TlvFormatError
from cardtwin.middleware.channel import refused
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers import data_objects as objects
from cardtwin.middleware.drivers.base import CardDriver, FileInfo, Phase, RsaValue
from cardtwin.middleware.errors import MiddlewareError
from cardtwin.middleware.names import MF, name_of
from cardtwin.middleware.rights import ANYBODY, Right
from cardtwin.plan import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cardtwin.middleware.channel import Channel
    from cardtwin.middleware.drivers.base import KeySpec, KeyValue, PinSpec, PublicKey
    from cardtwin.middleware.pinpad import PinBlock
    from cardtwin.middleware.rights import Rights

__all__ = ["DataObjectDriver", "padded_again", "unpadded"]

_READABLE: Final = 0x8000
_CHALLENGE: Final = 8
_DF_DESCRIPTOR: Final = 0x38
_MEMORY: Final = 0x10000
_FILE_REFERENCE: Final = 0x51
_SHORTEST_FILLING: Final = 8


class DataObjectDriver(CardDriver):
    """The common part of the drivers for such cards."""

    versions: ClassVar[frozenset[bytes]] = frozenset()
    key_sizes: ClassVar[Mapping[KeyAlgorithm, Collection[int]]] = {KeyAlgorithm.RSA: (1024, 2048)}
    max_file_size: ClassVar[int] = 0x7FFF
    reserved_files: ClassVar[frozenset[int]] = frozenset()
    pin_references: ClassVar[range] = range(1, 16)
    key_references: ClassVar[range] = range(1, 32)
    new_key_references: ClassVar[range] = range(1, 32)
    one_purpose: ClassVar[bool] = False
    raw_rsa: ClassVar[bool] = False
    paths_from_application: ClassVar[bool] = True

    longest_read: ClassVar[int]
    """The most bytes that one READ BINARY gives."""

    ef_objects: ClassVar[tuple[Tlv, ...]] = ()
    """What else an EF's control parameters have at creation."""

    delivered_files: ClassVar[frozenset[int]] = frozenset()
    """Identifiers of files that are on the card at delivery, and stay there."""

    tells_df_size: ClassVar[bool] = False
    """Whether a DF's control parameters tell its size at creation."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._directory: tuple[int, ...] = ()

    @abstractmethod
    def rules(self, rights: Rights, *, directory: bool) -> Tlv:
        """Return conditions as a file's control parameters have them."""

    @abstractmethod
    def rights_of(self, control: FileControl, *, directory: bool) -> Rights | None:
        """Return the conditions that control parameters tell; None where they tell none."""

    @abstractmethod
    def is_directory(self, control: FileControl) -> bool:
        """Whether control parameters are those of a DF."""

    # What the card tells

    def phase(self) -> Phase:
        """Return administration while anybody may create files in the MF: there is no life cycle to ask."""
        master = self.select((MF,))
        rights = master.rights if master else None
        is_open = rights is None or rights.get(Right.CREATE) == ANYBODY
        return Phase.ADMINISTRATION if is_open else Phase.OPERATIONAL

    def free_memory(self) -> int:
        """Return 64 KiB: the card doesn't tell, and refuses what has no room."""
        return _MEMORY

    def select(self, path: tuple[int, ...]) -> FileInfo | None:
        """Make a file the current one; None if it isn't there."""
        header, data = _by_path(path)
        found = self._selected(self.channel.ask(f"{header}04", data, le=256), f"select {name_of(path)}")

        if found is not None:
            self._directory = path if found.directory else path[:-1]

        return found

    def enter(self, path: tuple[int, ...]) -> bool:
        """Make a DF, or a file, the current one without asking about it; False if it isn't there."""
        return self.select(path) is not None

    def select_application(self, aid: bytes) -> FileInfo | None:
        """Select a DF by its name; None if there is none."""
        found = self._selected(self.channel.ask("00A40404", aid, le=256), "select the application")

        if found is not None and found.file_id is not None:
            self._directory = (MF,) if found.file_id == MF else (MF, found.file_id)

        return found

    def _selected(self, response: ResponseApdu, what: str) -> FileInfo | None:
        if response.sw == StatusWord.FILE_NOT_FOUND:
            return None

        if not (response.sw.is_success or response.sw.is_warning):
            raise refused(what, response.sw)

        try:
            control = FileControl.parse(response.data)
        except TlvFormatError as error:
            raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, f"{what}: {error}") from error

        directory = self.is_directory(control)
        rights = self.rights_of(control, directory=directory)
        return FileInfo(control.size, directory, rights, control.file_id)

    def children(self) -> tuple[int, ...]:
        """Return the identifiers of the files in the current DF, without those delivered with the card."""
        return tuple(file_id for file_id in self.files() if file_id not in self.delivered_files)

    def files(self) -> tuple[int, ...]:
        """Return the identifiers of all files in the current DF (GET DATA with an empty tag list)."""
        what = "list the files"
        told = self.channel.send("00CB3FFF", b"\x5c\x00", le=256, what=what)

        try:
            found = Tlv.parse_all(told)
        except TlvFormatError as error:
            raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, f"{what}: {error}") from error

        return tuple(int.from_bytes(each.value) for each in found if each.tag == _FILE_REFERENCE)

    def read(self, size: int) -> bytes:
        """Return the first `size` bytes of the current EF (READ BINARY); fewer if the card gives fewer."""
        content = b""
        size = min(size, _READABLE)

        while len(content) < size:
            response = self.channel.ask(
                f"00B0{len(content):04X}", le=min(self.longest_read, size - len(content))
            )

            if response.sw not in {StatusWord.SUCCESS, StatusWord.END_OF_FILE_REACHED}:
                raise refused("read the file", response.sw)

            content += response.data

            if response.sw == StatusWord.END_OF_FILE_REACHED or not response.data:
                break

        return content

    # Credentials

    def verify(self, reference: int, value: bytes) -> ResponseApdu:
        """Verify a PIN (VERIFY)."""
        return self.channel.ask(f"002000{reference:02X}", value)

    def change(self, reference: int, old: bytes, new: bytes) -> ResponseApdu:
        """Change a PIN or PUK (CHANGE REFERENCE DATA)."""
        return self.channel.ask(f"002400{reference:02X}", old + new)

    def verify_entered(self, reference: int, block: PinBlock) -> ResponseApdu:
        """Verify a PIN that is entered at the reader (VERIFY)."""
        return self.channel.verify_entered(f"002000{reference:02X}", block)

    def change_entered(self, reference: int, block: PinBlock) -> ResponseApdu:
        """Change a PIN by what is entered at the reader (CHANGE REFERENCE DATA)."""
        return self.channel.modify_entered(f"002400{reference:02X}", block, current=True)

    def tries_left(self, reference: int) -> int | None:
        """Return what VERIFY without data tells: 63Cn, or 6983 for none."""
        response = self.channel.ask(f"002000{reference:02X}")
        return 0 if response.sw == StatusWord.AUTHENTICATION_METHOD_BLOCKED else response.sw.tries_left

    def logout(self) -> None:
        """Forget all verified credentials, one by one, with the MF selected."""
        self.select((MF,))

        for reference in self.pin_references:
            self.channel.ask(f"0020FF{reference:02X}")

    def agree(self, point: bytes) -> bytes:  # noqa: ARG002  # the interface's argument
        """Refuse: there are no keys on elliptic curves.

        Raises:
            MiddlewareError: CKR_FUNCTION_NOT_SUPPORTED.
        """
        raise MiddlewareError(
            Ckr.CKR_FUNCTION_NOT_SUPPORTED, f"a {self.title} has no keys on elliptic curves here"
        )

    def challenge(self, count: int) -> bytes:
        """Return random bytes of the card (GET CHALLENGE), which gives eight at a time."""
        found = b""

        while len(found) < count:
            found += self.channel.send("00840000", le=_CHALLENGE, what="draw random bytes")

        return found[:count]

    # What changes the card

    def phase_control(self) -> None:
        """Do nothing: the MF's conditions alone tell a finished card from one that is being made."""

    def create_directory(self, file_id: int, size: int, aid: bytes, rights: Rights) -> None:
        """Create a DF in the current one (CREATE FILE)."""
        name = (Tlv(0x84, aid),) if aid else ()
        told = (Tlv(0x81, size.to_bytes(2)),) if self.tells_df_size else ()
        head = (*told, Tlv(0x82, bytes((_DF_DESCRIPTOR,))), Tlv(0x83, file_id.to_bytes(2)), *name)
        self._create((*head, self.rules(rights, directory=True)), file_id)
        self._directory = (*self._directory, file_id)

    def create_file(self, file_id: int, size: int, rights: Rights) -> None:
        """Create a transparent EF in the current DF (CREATE FILE)."""
        head = (Tlv(0x80, size.to_bytes(2)), Tlv(0x82, b"\x01"), Tlv(0x83, file_id.to_bytes(2)))
        self._create((*head, *self.ef_objects, self.rules(rights, directory=False)), file_id)

    def _create(self, control: tuple[Tlv, ...], file_id: int) -> None:
        data = FileControl(0x62, control).encode()
        self.channel.send("00E00000", data, what=f"create the file {file_id:04X}")

    def write(self, content: bytes, at: int = 0) -> None:
        """Write to the current EF from an offset on (UPDATE BINARY)."""
        step = self.channel.max_data

        for done in range(0, len(content), step):
            self.channel.send(f"00D6{at + done:04X}", content[done : done + step], what="write the file")

    def set_rights(self, path: tuple[int, ...], rights: Rights, *, directory: bool) -> None:
        """Give the current file other conditions (PUT DATA, a form of ours)."""
        data = Tlv.constructed(0x62, (self.rules(rights, directory=directory),)).encode()
        self.channel.send("00DB3FFF", data, what=f"set the conditions of {name_of(path)}")

    def put_pin(self, pin: PinSpec) -> None:
        """Store a PIN in the current DF (PUT DATA)."""
        self._put((objects.pin_object(pin),), f"store the PIN {pin.reference:02X}")

    def delete_pin(self, reference: int) -> bool:
        """Delete a PIN in the current DF; False if there was none."""
        return self._delete_object(objects.PIN, reference, f"delete the PIN {reference:02X}")

    def put_key(self, key: KeySpec) -> None:
        """Store a key without a value in the current DF (PUT DATA, once for each half)."""
        self._put(objects.key_objects(key, guarded=True), f"store the key {key.reference:02X}")

    def generate_key(self, key: KeySpec, *, guarded: bool = False) -> PublicKey:
        """Make a key pair in the current DF (GENERATE KEY PAIR)."""
        self._put(objects.key_objects(key, guarded=guarded), f"store the key {key.reference:02X}")
        what = f"generate the key {key.reference:02X}"
        told = self.channel.send("00470000", objects.generation(key.reference), le=256, what=what)
        public = objects.public_key(told)

        if not guarded:
            self._put(objects.key_conditions(key), f"set the conditions of key {key.reference:02X}")

        return public

    def has_key(self, reference: int) -> bool:
        """Whether a key of that number is found from the current DF (GET DATA)."""
        response = self.channel.ask("00CB3FFF", objects.parameters_of(objects.PRIVATE, reference), le=256)

        if response.sw in {StatusWord.SUCCESS, StatusWord.REFERENCED_DATA_NOT_FOUND}:
            return response.sw == StatusWord.SUCCESS

        raise refused(f"look for the key {reference:02X}", response.sw)

    def import_key(self, key: KeySpec, value: KeyValue) -> None:
        """Store a private key with its value in the current DF (PUT DATA, component by component)."""
        if not isinstance(value, RsaValue):
            raise MiddlewareError(Ckr.CKR_FUNCTION_NOT_SUPPORTED, f"a {self.title} takes RSA keys alone here")

        what = f"store the key {key.reference:02X}"
        self._put(objects.key_objects(key, guarded=True), what)
        self._put(objects.key_components(key, value), what)
        self._put(objects.public_components(key, value), what)

    def delete_key(self, reference: int) -> bool:
        """Delete both halves of a key in the current DF; False if there was none."""
        what = f"delete the key {reference:02X}"
        self._delete_object(objects.PUBLIC, reference, what)
        return self._delete_object(objects.PRIVATE, reference, what)

    def tidy(self) -> None:
        """Do nothing: no operation makes files for the time of it."""

    def _put(self, data: Iterable[bytes], what: str) -> None:
        for each in data:
            self.channel.send_chained("00DB3FFF", each, what=what)

    def _delete_object(self, class_: int, reference: int, what: str) -> bool:
        response = self.channel.ask("00DB3FFF", objects.put(class_, reference))

        if response.sw not in {StatusWord.SUCCESS, StatusWord.REFERENCED_DATA_NOT_FOUND}:
            raise refused(what, response.sw)

        return response.sw == StatusWord.SUCCESS


def _by_path(path: tuple[int, ...]) -> tuple[str, bytes]:
    """Return CLA, INS and P1 in hex, and the data, of a SELECT by path from the MF."""
    steps = b"".join(file_id.to_bytes(2) for file_id in path[1:])
    return ("00A408", steps) if steps else ("00A400", MF.to_bytes(2))


def unpadded(block: bytes, title: str) -> bytes:
    """Return what is padded in a block of PKCS#1 v1.5 that is to be signed.

    Raises:
        MiddlewareError: CKR_MECHANISM_INVALID: the block is padded otherwise.
    """
    filling, _, content = block[2:].partition(b"\0")

    if block[:2] != b"\0\x01" or filling.strip(b"\xff") or len(filling) < _SHORTEST_FILLING or not content:
        raise MiddlewareError(
            Ckr.CKR_MECHANISM_INVALID, f"a {title} signs with the padding of PKCS#1 v1.5 alone"
        )

    return content


def padded_again(plain: bytes, size: int) -> bytes:
    """Return a plain text in a block as it was enciphered, with another filling than it had."""
    return b"\0\x02" + b"\xff" * (size - 3 - len(plain)) + b"\0" + plain
