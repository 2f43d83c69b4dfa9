"""Cosmo V7 and V8.2 with IAS-ECC.

Command forms follow OpenSC's driver iasecc. How the vendor's middleware personalises such cards isn't public:
the forms that store PINs and change access rules are ours, as the emulated card has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from cardtwin.iso7816 import FileControl, ResponseApdu, StatusWord, Tlv, TlvFormatError
from cardtwin.middleware.channel import refused
from cardtwin.middleware.checks import MARK
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers import cosmo_objects as objects
from cardtwin.middleware.drivers.base import CardDriver, FileInfo, Phase, RsaValue
from cardtwin.middleware.drivers.registry import register
from cardtwin.middleware.errors import MiddlewareError
from cardtwin.middleware.names import MF, name_of
from cardtwin.middleware.rights import ANYBODY, Right
from cardtwin.plan import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cardtwin.middleware.channel import Channel
    from cardtwin.middleware.drivers.base import KeySpec, KeyValue, PinSpec, PublicKey
    from cardtwin.middleware.rights import Rights

__all__ = ["Cosmo"]

_LONGEST_READ: Final = 0xE5
_READABLE: Final = 0x8000
_CHALLENGE: Final = 8
_DF_DESCRIPTOR: Final = 0x38
_MEMORY: Final = 0x10000
_KNOWN_FILES: Final = (0x2F00, 0x5015, 0x5055, MARK)
_AUTHENTICATION, _CONFIDENTIALITY = 0xA4, 0xB8
_ALGORITHMS: Final = {_AUTHENTICATION: 0x02, _CONFIDENTIALITY: 0x1A}
_SHORTEST_FILLING: Final = 8


@register
class Cosmo(CardDriver):
    """The driver for Cosmo with IAS-ECC."""

    family: ClassVar[str] = "cosmo"
    title: ClassVar[str] = "Cosmo"
    atrs: ClassVar[frozenset[bytes]] = frozenset(
        bytes.fromhex(atr)
        for atr in (
            "3BDD18008131FE4580F9A000000077010800079000FE",
            "3BDD96008131FE4580F9A00000007701080007900070",
            "3BDB180080B1FE451F830031C064C7FC1000019000FA",
            "3BDB960080B1FE451F830031C064BAFC10000790000F",
            "3BDB960080B1FE451F830031C064BAFC10000F900007",
            "3BDF960080B1FE451F830012276F5741495242555331079000EA",
        )
    )
    versions: ClassVar[frozenset[bytes]] = frozenset()
    has_eraser: ClassVar[bool] = False
    key_sizes: ClassVar[Mapping[KeyAlgorithm, Collection[int]]] = {KeyAlgorithm.RSA: (1024, 2048)}
    max_file_size: ClassVar[int] = 0x7FFF
    reserved_files: ClassVar[frozenset[int]] = frozenset()
    pin_references: ClassVar[range] = range(1, 16)
    key_references: ClassVar[range] = range(1, 32)
    new_key_references: ClassVar[range] = range(1, 32)
    one_purpose: ClassVar[bool] = False
    raw_rsa: ClassVar[bool] = False
    paths_from_application: ClassVar[bool] = True

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._directory: tuple[int, ...] = ()
        self._template = _AUTHENTICATION

    # What the card tells

    def chip_serial(self) -> bytes:
        """Return the chip's serial number: the file of short identifier 1C, without its tag."""
        told = self.channel.send("00B09C00", le=0xC0, what="read the chip's serial number")

        try:
            return next(Tlv.walk(told))[0].value
        except (TlvFormatError, StopIteration) as error:
            raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, "the card told no serial number") from error

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

        directory = control.descriptor == _DF_DESCRIPTOR
        told = control.get(0xA1)
        rights = None if told is None else objects.rights_from(told, directory=directory)
        return FileInfo(control.size, directory, rights, control.file_id)

    def children(self) -> tuple[int, ...]:
        """Return which of the files that the middleware knows are in the current DF: the card lists none."""
        directory = self._directory or (MF,)
        found = tuple(file_id for file_id in _KNOWN_FILES if self.select((*directory, file_id)) is not None)
        self.select(directory)
        return found

    def read(self, size: int) -> bytes:
        """Return the first `size` bytes of the current EF (READ BINARY); fewer if the card gives fewer."""
        content = b""
        size = min(size, _READABLE)

        while len(content) < size:
            response = self.channel.ask(f"00B0{len(content):04X}", le=min(_LONGEST_READ, size - len(content)))

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

    def unblock(self, reference: int, puk: bytes, new: bytes, *, puk_reference: int) -> ResponseApdu:
        """Verify the PUK, set a new PIN (RESET RETRY COUNTER), and forget that the PUK was verified."""
        response = self.verify(puk_reference, puk)

        if response.sw == StatusWord.SUCCESS:
            response = self.channel.ask(f"002C02{reference:02X}", new)
            self.channel.ask(f"0020FF{puk_reference:02X}")

        return response

    def tries_left(self, reference: int) -> int | None:
        """Return what VERIFY without data tells: 63Cn, or 6983 for none."""
        response = self.channel.ask(f"002000{reference:02X}")
        return 0 if response.sw == StatusWord.AUTHENTICATION_METHOD_BLOCKED else response.sw.tries_left

    def logout(self) -> None:
        """Forget all verified credentials, one by one, with the MF selected."""
        self.select((MF,))

        for reference in self.pin_references:
            self.channel.ask(f"0020FF{reference:02X}")

    # Keys at work

    def choose_key(self, reference: int, *, decipher: bool = False) -> None:
        """Choose the key for the next operation (MANAGE SECURITY ENVIRONMENT SET)."""
        self._template = _CONFIDENTIALITY if decipher else _AUTHENTICATION
        data = bytes((0x84, 0x01, reference | 0x80, 0x80, 0x01, _ALGORITHMS[self._template]))
        self.channel.send(f"002241{self._template:02X}", data, what=f"choose the key {reference:02X}")

    def sign(self, data: bytes) -> bytes:
        """Sign with the key chosen (INTERNAL AUTHENTICATE). The card pads itself, as PKCS#1 v1.5 has it.

        Raises:
            MiddlewareError: CKR_MECHANISM_INVALID: the block is padded otherwise.
        """
        filling, _, content = data[2:].partition(b"\0")

        if data[:2] != b"\0\x01" or filling.strip(b"\xff") or len(filling) < _SHORTEST_FILLING or not content:
            raise MiddlewareError(
                Ckr.CKR_MECHANISM_INVALID, "a Cosmo signs with the padding of PKCS#1 v1.5 alone"
            )

        return self.channel.send_chained("00880000", content, le=256, what="sign")

    def decipher(self, cryptogram: bytes) -> bytes:
        """Return the plain block of a cryptogram (PSO DECIPHER).

        The card takes the padding off. Here it is put on again, with another filling than it had.
        """
        plain = self.channel.send_chained("002A8086", b"\x81" + cryptogram, le=256, what="decipher")
        return b"\0\x02" + b"\xff" * (len(cryptogram) - 3 - len(plain)) + b"\0" + plain

    def agree(self, point: bytes) -> bytes:  # noqa: ARG002  # the interface's argument
        """Refuse: there are no keys on elliptic curves.

        Raises:
            MiddlewareError: CKR_FUNCTION_NOT_SUPPORTED.
        """
        raise MiddlewareError(Ckr.CKR_FUNCTION_NOT_SUPPORTED, "a Cosmo has no keys on elliptic curves here")

    def challenge(self, count: int) -> bytes:
        """Return random bytes of the card (GET CHALLENGE), which gives eight at a time."""
        found = b""

        while len(found) < count:
            found += self.channel.send("00840000", le=_CHALLENGE, what="draw random bytes")

        return found[:count]

    # What changes the card

    def phase_control(self) -> None:
        """Do nothing: the MF's conditions alone tell a finished card from one that is being made."""

    def create_directory(self, file_id: int, size: int, aid: bytes, rights: Rights) -> None:  # noqa: ARG002  # no size in this form
        """Create a DF in the current one (CREATE FILE)."""
        name = (Tlv(0x84, aid),) if aid else ()
        head = (Tlv(0x82, bytes((_DF_DESCRIPTOR,))), Tlv(0x83, file_id.to_bytes(2)), *name)
        self._create((*head, objects.rules(rights, directory=True)), file_id)
        self._directory = (*self._directory, file_id)

    def create_file(self, file_id: int, size: int, rights: Rights) -> None:
        """Create a transparent EF in the current DF (CREATE FILE)."""
        head = (Tlv(0x80, size.to_bytes(2)), Tlv(0x82, b"\x01"), Tlv(0x83, file_id.to_bytes(2)), Tlv(0x88))
        self._create((*head, objects.rules(rights, directory=False)), file_id)

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
        data = Tlv.constructed(0x62, (objects.rules(rights, directory=directory),)).encode()
        self.channel.send("00DB3FFF", data, what=f"set the conditions of {name_of(path)}")

    def delete(self, file_id: int) -> None:
        """Delete a file in the current DF (DELETE FILE, which takes the current file)."""
        what = f"delete the file {file_id:04X}"
        directory = self._directory
        self.channel.send("00A4010C", file_id.to_bytes(2), what=what)
        self.channel.send("00E40000", what=what)
        self.select(directory)

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
            raise MiddlewareError(Ckr.CKR_FUNCTION_NOT_SUPPORTED, "a Cosmo takes RSA keys alone here")

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
