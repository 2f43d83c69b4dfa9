"""A card as Windows' Base CSP and minidriver use it."""

from __future__ import annotations

from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError
from cardtwin.minidriver import layout
from cardtwin.minidriver.adminkey import check_admin_key, is_mutual_answer, mutual_answer
from cardtwin.minidriver.channel import Channel
from cardtwin.minidriver.containers import Container, Containers
from cardtwin.minidriver.errors import (
    CardLostError,
    CommandRefusedError,
    ContentError,
    MinidriverError,
    NotInitialisedError,
    PinError,
)
from cardtwin.minidriver.files import FileSystem
from cardtwin.minidriver.formats import KeySpec
from cardtwin.pcsc import PcscError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric import rsa

    from cardtwin.entropy import Entropy
    from cardtwin.iso7816 import ResponseApdu
    from cardtwin.minidriver.formats import CardCache
    from cardtwin.pcsc import CardConnection
    from cardtwin.plan import Secret

__all__ = ["MinidriverCard", "Padding"]

_CARD_ID: Final = 16
_ALL: Final = 256
_CHALLENGE, _RESPONSE = 0x81, 0x82
_MUTUAL: Final = 16
_SIGN_PADDED, _SIGN_BLOCK = 0x50, 0x10


class Padding(Enum):
    """How the padding of a cryptogram comes off; the card does it."""

    NONE = 0x00
    PKCS1 = 0x40
    OAEP = 0x80


class MinidriverCard:
    """A card of the Generic Identity Device Specification, in the hands of who holds a connection to it.

    Each function holds the card for itself while it runs. The card's security status is the card's: it lasts
    until forget(), or until somebody resets the card.

    Args:
        connection: The connection; the card's application is selected on it.
        entropy: Where challenges and names come from.

    Raises:
        CommandRefusedError: The card has no such application.
        CardLostError: The card could not be spoken to; so may every function.
    """

    def __init__(self, connection: CardConnection, *, entropy: Entropy) -> None:
        self._connection = connection
        self._entropy = entropy
        self._channel = Channel(connection)
        self._files = FileSystem(self._channel)
        self._containers = Containers(self._channel, self._files)

        with self._held():
            self._channel.select()

    @contextmanager
    def _held(self) -> Iterator[None]:
        try:
            with self._connection.transaction():
                yield
        except PcscError as error:
            raise CardLostError(str(error)) from error

    @property
    def is_initialised(self) -> bool:
        """Whether the card has its files."""
        with self._held():
            return self._files.exists

    def initialise(self, pin: Secret, admin_key: Secret, *, card_id: bytes | None = None) -> None:
        """Give an empty card PIN, admin key and files, and activate it: it is the user's then.

        Where that comes to no end, it can be done once more.

        Args:
            pin: The PIN.
            admin_key: 24 bytes.
            card_id: The card's identifier, 16 bytes; random without one.

        Raises:
            NotInitialisedError: The card has files already.
            CommandRefusedError: The card refused something, such as a PIN of that length.
            MinidriverError: The admin key or the identifier has another length.
        """
        check_admin_key(admin_key)
        card_id = self._entropy.bytes(_CARD_ID) if card_id is None else card_id

        if len(card_id) != _CARD_ID:
            raise MinidriverError(f"a card identifier has {_CARD_ID} bytes, not {len(card_id)}")

        with self._held():
            if self._channel.ask("00200080").sw != StatusWord.SUCCESS:
                raise NotInitialisedError("the card is activated already: it isn't empty")

            self._channel.do("00240180", pin.reveal(), what="set the PIN")
            layout.create_files(self._channel, card_id, admin_key)
            self._channel.do("00A4000C", b"\x3f\xff", what="select the application")
            self._channel.do("00440000", what="activate the application")

    @property
    def card_id(self) -> bytes:
        """The card's identifier (file cardid)."""
        with self._held():
            return self._files.read("", "cardid")

    @property
    def cache(self) -> CardCache:
        """The counters of changes (file cardcf)."""
        with self._held():
            return self._files.cache()

    @property
    def file_names(self) -> tuple[str, ...]:
        r"""The files, such as ``mscp\cmapfile``."""
        with self._held():
            return tuple(entry.path for entry in self._files.table().entries if entry.name)

    def read_file(self, directory: str, name: str) -> bytes:
        """Return a file's content.

        Raises:
            FileMissingError: The card has no such file.
        """
        with self._held():
            return self._files.read(directory, name)

    def write_file(self, directory: str, name: str, data: bytes) -> None:
        """Write a file, such as mscp's msroots; it is created where it isn't there. Needs the PIN.

        Everybody reads a file that is created so, and the user writes it.

        Raises:
            ContentError: A name is too long, or the card's table of files is full.
            CommandRefusedError: The PIN isn't verified, or the card has no room.
        """
        with self._held():
            self._files.write(directory, name, data)

    def delete_file(self, directory: str, name: str) -> None:
        """Delete a file, where it is there. Needs the PIN."""
        with self._held():
            self._files.delete(directory, name)

    @property
    def tries_left(self) -> int:
        """How many tries the PIN has left."""
        with self._held():
            data = self._channel.do("00CB3FFF", bytes.fromhex("5C027F71"), _ALL, what="read the PIN's state")

        found = _child(data, 0x7F71, 0x97)
        return int.from_bytes(found)

    def verify(self, pin: Secret) -> None:
        """Verify the PIN.

        Raises:
            PinError: It is wrong, or blocked.
        """
        with self._held():
            _require(self._channel.ask("00200080", pin.reveal()), "verify the PIN")

    def forget(self) -> None:
        """Forget that PIN or admin key were verified."""
        with self._held():
            self._channel.do("00200082", what="forget the PIN")

    def change_pin(self, old: Secret, new: Secret) -> None:
        """Change the PIN; it counts as verified then.

        Raises:
            PinError: The old one is wrong, or blocked.
            CommandRefusedError: The card doesn't take the new one.
        """
        with self._held():
            # By itself first: where one PIN ends and the other begins, the card could see otherwise.
            _require(self._channel.ask("00200080", old.reveal()), "verify the PIN")
            # Before the change: whatever fails then, the PIN is the one that the error says.
            self._files.touch(pins=1)
            _require(self._channel.ask("00240080", old.reveal() + new.reveal()), "change the PIN")

    def challenge(self) -> bytes:
        """Return a challenge of 8 bytes, which the holder of the admin key answers: see answer()."""
        with self._held():
            self._choose_admin_key()
            return self._authenticate(_CHALLENGE, b"", _CHALLENGE)

    def unblock(self, answer: bytes, new: Secret) -> None:
        """Set a new PIN with all its tries, by the answer to the last challenge().

        Whatever comes of it, the admin key doesn't count as proved afterwards.

        Raises:
            CommandRefusedError: The answer is wrong, or the card doesn't take the PIN.
        """
        with self._held():
            self._authenticate(_RESPONSE, answer)

            try:
                self._files.touch(pins=1)
                self._channel.do("002C0280", new.reveal(), what="unblock the PIN")
            except CommandRefusedError:
                self._channel.do("00200082", what="forget the admin key")
                raise

    def authenticate_admin(self, key: Secret) -> None:
        """Prove to have the admin key, and see that the card has it too.

        Raises:
            CommandRefusedError: The card's admin key is another one.
            ContentError: The card doesn't prove to have it.
        """
        check_admin_key(key)
        ours = self._entropy.bytes(_MUTUAL)

        with self._held():
            self._choose_admin_key()
            theirs = self._authenticate(_CHALLENGE, ours, _CHALLENGE)
            cryptogram = mutual_answer(key, theirs, ours, self._entropy)
            answered = self._authenticate(_RESPONSE, cryptogram, _RESPONSE)

        if not is_mutual_answer(key, theirs, ours, answered):
            self.forget()
            raise ContentError("the card doesn't prove to have the admin key")

    def change_admin_key(self, old: Secret, new: Secret) -> None:
        """Change the admin key; who was verified is forgotten then. Errors as in authenticate_admin()."""
        check_admin_key(new)
        self.authenticate_admin(old)

        with self._held():
            layout.put_admin_key(self._channel, new)

        self.forget()

    def _choose_admin_key(self) -> None:
        reference = Tlv(0x83, bytes((layout.ADMIN_REFERENCE,)))
        self._channel.do("002281A4", reference.encode(), what="choose the admin key")

    def _authenticate(self, step: int, value: bytes, answered: int | None = None) -> bytes:
        """Take one step of GENERAL AUTHENTICATE and return what comes back under a tag."""
        data = Tlv.constructed(0x7C, (Tlv(step, value),)).encode()
        response = self._channel.do("00870000", data, _ALL, what="prove to have the admin key")
        return _child(response, 0x7C, answered) if answered else b""

    @property
    def containers(self) -> tuple[Container, ...]:
        """The containers."""
        with self._held():
            return self._containers.all()

    def generate(
        self, *, spec: KeySpec = KeySpec.EXCHANGE, bits: int = 2048, name: str | None = None
    ) -> Container:
        """Create a container with a new key. Needs the PIN.

        Args:
            spec: What the key is for.
            bits: The size of the key.
            name: The container's name; a random GUID without one.

        Raises:
            ContainerError: The name is taken, there is no free place, or no key has that size.
            ContentError: The name has more than 39 characters, or a NUL in it.
            CommandRefusedError: The PIN isn't verified, or the card has no room.
        """
        with self._held():
            return self._containers.create(name or self._guid(), spec, bits, self._containers.generate)

    def import_key(
        self, key: rsa.RSAPrivateKey, *, spec: KeySpec = KeySpec.EXCHANGE, name: str | None = None
    ) -> Container:
        """Create a container with a key that is given. Needs the PIN; the rest as in generate()."""
        with self._held():
            return self._containers.create(
                name or self._guid(), spec, key.key_size, lambda made: self._containers.fill(made, key)
            )

    def _guid(self) -> str:
        """Return a random GUID (RFC 9562, 5.4) as Windows writes it."""
        value = bytearray(self._entropy.bytes(16))
        value[6], value[8] = value[6] & 0x0F | 0x40, value[8] & 0x3F | 0x80
        text = value.hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def delete(self, index: int) -> None:
        """Delete a container with its key and certificate. Needs the PIN.

        Raises:
            ContainerError: There is none at that place.
        """
        with self._held():
            self._containers.delete(self._containers.get(index))

    def make_default(self, index: int) -> None:
        """Make a container the card's default one. Needs the PIN; errors as in delete()."""
        with self._held():
            self._containers.make_default(self._containers.get(index))

    def public_key(self, index: int) -> rsa.RSAPublicKey:
        """Return the public key of a container. Errors as in delete()."""
        with self._held():
            return self._containers.public_key(self._containers.get(index))

    def certificate(self, index: int) -> bytes | None:
        """Return the certificate of a container in DER, or None. Errors as in delete()."""
        with self._held():
            return self._containers.certificate(self._containers.get(index))

    def write_certificate(self, index: int, certificate: bytes) -> None:
        """Write the certificate of a container, in DER. Needs the PIN; errors as in delete()."""
        with self._held():
            self._containers.write_certificate(self._containers.get(index), certificate)

    def sign(self, index: int, digest_info: bytes) -> bytes:
        """Sign a DigestInfo, which the card pads (PKCS#1 v1.5). Needs the PIN.

        Raises:
            ContainerError: There is none at that place.
            CommandRefusedError: The PIN isn't verified, or the key doesn't take the data.
        """
        return self._sign(index, _SIGN_PADDED, digest_info)

    def sign_block(self, index: int, block: bytes) -> bytes:
        """Sign a block as long as the modulus, which is padded already. Otherwise as sign()."""
        return self._sign(index, _SIGN_BLOCK, block)

    def _sign(self, index: int, padding: int, data: bytes) -> bytes:
        with self._held():
            self._choose("002241B6", self._containers.get(index), padding)
            return self._channel.do("002A9E9A", data, _ALL, what="sign")

    def decrypt(self, index: int, cryptogram: bytes, padding: Padding = Padding.PKCS1) -> bytes:
        """Decipher with the key of a container, which must be one for exchange. Errors as in sign()."""
        with self._held():
            self._choose("002241B8", self._containers.get(index), padding.value)
            return self._channel.do("002A8086", cryptogram, _ALL, what="decipher")

    def _choose(self, header: str, container: Container, padding: int) -> None:
        algorithm = padding | layout.mechanism(container.bits)
        values = (Tlv(0x80, bytes((algorithm,))), Tlv(0x84, bytes((container.reference,))))
        self._channel.do(header, b"".join(value.encode() for value in values), what="choose a key")


def _require(response: ResponseApdu, what: str) -> None:
    """Raise the error for a status word of a command with a PIN."""
    if response.sw.tries_left is not None:
        raise PinError(response.sw.tries_left)

    if response.sw == StatusWord.AUTHENTICATION_METHOD_BLOCKED:
        raise PinError(0)

    if response.sw != StatusWord.SUCCESS:
        raise CommandRefusedError(what, response.sw)


def _child(data: bytes, template: int, tag: int) -> bytes:
    try:
        outer = Tlv.parse(data)
        found = outer.find(tag) if outer.tag == template else None
    except TlvFormatError:
        found = None

    if found is None:
        raise ContentError(f"the card answers no data object {tag:02X} in {template:02X}")

    return found.value
