"""Containers: a key and its certificate, listed in cmapfile, as Windows' cryptographic service makes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.minidriver import files
from cardtwin.minidriver.errors import (
    CommandRefusedError,
    ContainerError,
    ContentError,
    FileMissingError,
)
from cardtwin.minidriver.formats import (
    ContainerFlags,
    ContainerRecord,
    KeySpec,
    compressed,
    decompressed,
    encode_containers,
    parse_containers,
)
from cardtwin.minidriver.layout import key_file, mechanism
from cardtwin.minidriver.tables import KeyEntry, KeyTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.minidriver.channel import Channel

__all__ = ["Container", "Containers"]

_FIRST_KEY: Final = 0xB081
_MOST: Final = 0x7F
_FILE_NAMES: Final = {KeySpec.EXCHANGE: "kxc", KeySpec.SIGNATURE: "ksc"}
_MODULUS, _EXPONENT = 0x81, 0x82


@dataclass(frozen=True, slots=True)
class Container:
    """A key on the card.

    Attributes:
        index: Its place in the container map.
        name: Its name.
        spec: What its key is for.
        bits: The size of its key.
        default: Whether it is the card's default container.
    """

    index: int
    name: str
    spec: KeySpec
    bits: int
    default: bool

    @property
    def file_id(self) -> int:
        """The key's file."""
        return _FIRST_KEY + self.index

    @property
    def reference(self) -> int:
        """The key's reference in commands."""
        return self.file_id & 0xFF

    @property
    def certificate_file(self) -> str:
        """The name of its certificate's file in the directory mscp."""
        return f"{_FILE_NAMES[self.spec]}{self.index:02X}"


class Containers:
    """The containers of a card."""

    def __init__(self, channel: Channel, file_system: files.FileSystem) -> None:
        self._channel = channel
        self._files = file_system

    def all(self) -> tuple[Container, ...]:
        """Return the containers in the order of their places."""
        return tuple(
            Container(index, record.name, record.spec, record.bits, record.is_default)
            for index, record in enumerate(self._records())
            if record.is_valid
        )

    def get(self, index: int) -> Container:
        """Return a container.

        Raises:
            ContainerError: There is none at that place.
        """
        found = next((container for container in self.all() if container.index == index), None)

        if found is None:
            raise ContainerError(f"the card has no container {index}")

        return found

    def _records(self) -> tuple[ContainerRecord, ...]:
        return parse_containers(self._files.read("mscp", "cmapfile"))

    def create(self, name: str, spec: KeySpec, bits: int, fill: Callable[[Container], object]) -> Container:
        """Create a container at the first free place: the key's file, the key by `fill`, the records.

        Where it comes to no end on the card, neither a container nor a key stays behind.

        Raises:
            ContainerError: The name is taken, or there is no free place.
            ContentError: The name is too long, or has a NUL in it.
        """
        records = self._records()
        made = _place(records, name, spec, bits)
        sizes = {KeySpec.SIGNATURE: (bits, 0), KeySpec.EXCHANGE: (0, bits)}[spec]
        flags = ContainerFlags.VALID | (ContainerFlags.DEFAULT if made.default else ContainerFlags.NONE)
        record = ContainerRecord(name, flags, *sizes)
        entry = KeyEntry(mechanism(bits), spec, made.file_id)

        # A key that no record names is left from something that came to no end.
        self._channel.delete_file(made.file_id)
        self._channel.create(
            key_file(made.file_id, spec, bits), what=f"the key file of container {made.index}"
        )

        try:
            fill(made)
            self._write(records, made.index, record, entry)
        except (CommandRefusedError, ContentError):
            self._channel.delete_file(made.file_id)
            raise

        return made

    def _write(
        self, records: tuple[ContainerRecord, ...], index: int, record: ContainerRecord, entry: KeyEntry
    ) -> None:
        """Write one record and the key's entry. The container map comes last: it says what there is."""
        changed = [*records, record] if index == len(records) else list(records)
        changed[index] = record
        table = self._channel.get(files.TABLES, files.KEYS)
        keys = KeyTable.parse(table) if table else KeyTable()
        self._files.touch(containers=1)
        keys = keys.with_entry(index, entry, len(changed))
        self._channel.put(files.TABLES, files.KEYS, keys.encode())
        self._files.write("mscp", "cmapfile", encode_containers(tuple(changed)))

    def make_default(self, container: Container) -> None:
        """Make a container the card's default one."""
        changed = (
            replace(record, flags=_flags(record, default=index == container.index))
            for index, record in enumerate(self._records())
        )
        self._files.touch(containers=1)
        self._files.write("mscp", "cmapfile", encode_containers(tuple(changed)))

    def delete(self, container: Container) -> None:
        """Delete a container: its record first, then the key, then its certificate."""
        self._write(self._records(), container.index, ContainerRecord(), KeyEntry())
        self._channel.delete_file(container.file_id)
        self._files.delete("mscp", container.certificate_file)

    def generate(self, container: Container) -> rsa.RSAPublicKey:
        """Generate the key of a container whose file is there."""
        values = (Tlv(0x80, bytes((mechanism(container.bits),))), Tlv(0x83, bytes((container.reference,))))
        data = Tlv.constructed(0xAC, values).encode()
        return _public_key(self._channel.do("00470000", data, 256, what="generate a key"))

    def fill(self, container: Container, key: rsa.RSAPrivateKey) -> None:
        """Import the key of a container whose file is there."""
        der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        value = Tlv.constructed(0xA5, (Tlv(0x83, b"\x02"), Tlv(0x84, b"\x00"), Tlv(0x87, der)))
        data = Tlv.constructed(0x70, (Tlv(0x84, bytes((container.reference,))), value))
        self._channel.do("00DB3FFF", data.encode(), what="import a key")

    def public_key(self, container: Container) -> rsa.RSAPublicKey:
        """Read the public key of a container."""
        wanted = Tlv(0xA5, bytes.fromhex("7F4980"))
        data = Tlv.constructed(0x70, (Tlv(0x84, bytes((container.reference,))), wanted)).encode()
        return _public_key(self._channel.do("00CB3FFF", data, 256, what="read a public key"))

    def certificate(self, container: Container) -> bytes | None:
        """Read the certificate of a container in DER; None where it has none."""
        try:
            data = self._files.read("mscp", container.certificate_file)
        except FileMissingError:
            return None

        return decompressed(data) if data else None

    def write_certificate(self, container: Container, certificate: bytes) -> None:
        """Write the certificate of a container, in the place of one that is there."""
        self._files.write("mscp", container.certificate_file, compressed(certificate))


def _flags(record: ContainerRecord, *, default: bool) -> ContainerFlags:
    kept = record.flags & ContainerFlags.VALID
    return kept | ContainerFlags.DEFAULT if default else kept


def _place(records: tuple[ContainerRecord, ...], name: str, spec: KeySpec, bits: int) -> Container:
    if any(record.is_valid and record.name == name for record in records):
        raise ContainerError(f"the card has a container {name!r} already")

    free = (index for index, record in enumerate(records) if not record.is_valid)
    index = next(free, len(records))

    if index >= _MOST:
        raise ContainerError(f"the card has its {_MOST} containers already")

    return Container(index, name, spec, bits, default=not any(record.is_default for record in records))


def _public_key(data: bytes) -> rsa.RSAPublicKey:
    try:
        values = {found.tag: int.from_bytes(found.value) for found in Tlv.parse(data).children()}
        return rsa.RSAPublicNumbers(values[_EXPONENT], values[_MODULUS]).public_key()
    except (TlvFormatError, KeyError, ValueError):
        raise ContentError("the card answers no public key") from None
