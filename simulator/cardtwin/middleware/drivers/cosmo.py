"""Cosmo V7 and V8.2 with IAS-ECC, in the commands of OpenSC's driver iasecc."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers import data_objects as objects
from cardtwin.middleware.drivers.data_object_driver import DataObjectDriver, padded_again, unpadded
from cardtwin.middleware.drivers.registry import register
from cardtwin.middleware.errors import MiddlewareError

if TYPE_CHECKING:
    from cardtwin.iso7816 import FileControl, ResponseApdu
    from cardtwin.middleware.channel import Channel
    from cardtwin.middleware.pinpad import PinBlock
    from cardtwin.middleware.rights import Rights

__all__ = ["Cosmo"]

_DF_DESCRIPTOR: Final = 0x38
_EF_ATR: Final = 0x2F01
_RULES: Final = 0xA1
_AUTHENTICATION, _CONFIDENTIALITY = 0xA4, 0xB8
_ALGORITHMS: Final = {_AUTHENTICATION: 0x02, _CONFIDENTIALITY: 0x1A}


@register
class Cosmo(DataObjectDriver):
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
    has_eraser: ClassVar[bool] = False
    longest_read: ClassVar[int] = 0xE5
    ef_objects: ClassVar[tuple[Tlv, ...]] = (Tlv(0x88),)
    delivered_files: ClassVar[frozenset[int]] = frozenset({_EF_ATR})

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._template = _AUTHENTICATION

    def rules(self, rights: Rights, *, directory: bool) -> Tlv:
        """Return conditions as access rules: A1, in it 8C for the contacts."""
        return Tlv.constructed(_RULES, (objects.bare_rules(rights, directory=directory),))

    def rights_of(self, control: FileControl, *, directory: bool) -> Rights | None:
        """Return the conditions that access rules tell."""
        told = control.get(_RULES)
        return None if told is None else objects.rights_from(told, directory=directory)

    def is_directory(self, control: FileControl) -> bool:
        """Whether the file descriptor is a DF's."""
        return control.descriptor == _DF_DESCRIPTOR

    def chip_serial(self) -> bytes:
        """Return the chip's serial number: the file of short identifier 1C, without its tag."""
        told = self.channel.send("00B09C00", le=0xC0, what="read the chip's serial number")

        try:
            return next(Tlv.walk(told))[0].value
        except (TlvFormatError, StopIteration) as error:
            raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, "the card told no serial number") from error

    def unblock(self, reference: int, puk: bytes, new: bytes, *, puk_reference: int) -> ResponseApdu:
        """Verify the PUK, set a new PIN (RESET RETRY COUNTER), and forget that the PUK was verified."""
        response = self.verify(puk_reference, puk)

        if response.sw == StatusWord.SUCCESS:
            response = self.channel.ask(f"002C02{reference:02X}", new)
            self.channel.ask(f"0020FF{puk_reference:02X}")

        return response

    def unblock_entered(
        self, reference: int, puk: bytes | PinBlock, block: PinBlock, *, puk_reference: int
    ) -> ResponseApdu:
        """Verify the PUK, set a new PIN that is entered at the reader, and forget the PUK again."""
        if isinstance(puk, bytes):
            response = self.verify(puk_reference, puk)
        else:
            response = self.verify_entered(puk_reference, puk)

        if response.sw == StatusWord.SUCCESS:
            response = self.channel.modify_entered(f"002C02{reference:02X}", block, current=False)
            self.channel.ask(f"0020FF{puk_reference:02X}")

        return response

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
        return self.channel.send_chained("00880000", unpadded(data, self.title), le=256, what="sign")

    def decipher(self, cryptogram: bytes) -> bytes:
        """Return the plain block of a cryptogram (PSO DECIPHER).

        The card takes the padding off. Here it is put on again, with another filling than it had.
        """
        plain = self.channel.send_chained("002A8086", b"\x81" + cryptogram, le=256, what="decipher")
        return padded_again(plain, len(cryptogram))

    def delete(self, file_id: int) -> None:
        """Delete a file in the current DF (DELETE FILE, which takes the current file)."""
        what = f"delete the file {file_id:04X}"
        directory = self._directory
        self.channel.send("00A4010C", file_id.to_bytes(2), what=what)
        self.channel.send("00E40000", what=what)
        self.select(directory)
