"""Gemalto's IDClassic cards with IAS Classic.

Command forms follow OpenSC's drivers gemsafeV1 and idprime and clients of national cards with the applet;
what makes PINs, keys and access rules is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers import data_objects as objects
from cardtwin.middleware.drivers.data_object_driver import DataObjectDriver, padded_again, unpadded
from cardtwin.middleware.drivers.registry import refuse, register
from cardtwin.middleware.errors import MiddlewareError

if TYPE_CHECKING:
    from cardtwin.iso7816 import FileControl, ResponseApdu
    from cardtwin.middleware.pinpad import PinBlock
    from cardtwin.middleware.rights import Rights

__all__ = ["Gemalto"]

_RULES: Final = 0x8C
_SIGNATURE, _CONFIDENTIALITY = 0xB6, 0xB8
_ALGORITHMS: Final = {_SIGNATURE: 0x02, _CONFIDENTIALITY: 0x1A}
_CPLC: Final = 0x9F7F
_SERIAL: Final = slice(10, 18)


@register
class Gemalto(DataObjectDriver):
    """The driver for IDClassic."""

    family: ClassVar[str] = "idclassic"
    title: ClassVar[str] = "Gemalto IDClassic"
    atrs: ClassVar[frozenset[bytes]] = frozenset(
        bytes.fromhex(atr)
        for atr in (
            "3B7D96000080318065B0830201F383009000",
            "3B7D96000080318065B0831100C883009000",
        )
    )
    has_eraser: ClassVar[bool] = True
    longest_read: ClassVar[int] = 0xFF
    tells_df_size: ClassVar[bool] = True

    def rules(self, rights: Rights, *, directory: bool) -> Tlv:
        """Return conditions as access rules: 8C."""
        return objects.bare_rules(rights, directory=directory)

    def rights_of(self, control: FileControl, *, directory: bool) -> Rights | None:
        """Return the conditions that access rules tell."""
        told = control.get(_RULES)
        return None if told is None else objects.rights_from(Tlv(_RULES, told).encode(), directory=directory)

    def is_directory(self, control: FileControl) -> bool:
        """Whether there is no file descriptor: a DF's control parameters have none."""
        return control.descriptor is None

    def chip_serial(self) -> bytes:
        """Return date, number and batch of the chip, as the production life cycle data tell them."""
        told = self.channel.send("00CA9F7F", le=256, what="read the chip's serial number")

        try:
            found = Tlv.parse(told)
        except TlvFormatError as error:
            raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, "the card told no production data") from error

        if found.tag != _CPLC or len(found.value[_SERIAL]) < _SERIAL.stop - _SERIAL.start:
            raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, "the card told no serial number")

        return found.value[_SERIAL]

    def unblock(
        self,
        reference: int,
        puk: bytes,
        new: bytes,
        *,
        puk_reference: int,  # noqa: ARG002  # the card knows it
    ) -> ResponseApdu:
        """Set a new PIN by its PUK (RESET RETRY COUNTER)."""
        return self.channel.ask(f"002C00{reference:02X}", puk + new)

    def unblock_entered(
        self,
        reference: int,
        puk: bytes | PinBlock,
        block: PinBlock,
        *,
        puk_reference: int,  # noqa: ARG002  # the card knows it
    ) -> ResponseApdu:
        """Set a new PIN that is entered at the reader, by its PUK (RESET RETRY COUNTER)."""
        return self.channel.unblock_entered(f"002C00{reference:02X}", puk, block)

    def choose_key(self, reference: int, *, decipher: bool = False) -> None:
        """Choose the key for the next operation (MANAGE SECURITY ENVIRONMENT SET)."""
        template = _CONFIDENTIALITY if decipher else _SIGNATURE
        data = bytes((0x80, 0x01, _ALGORITHMS[template], 0x84, 0x01, reference))
        self.channel.send(f"002241{template:02X}", data, what=f"choose the key {reference:02X}")

    def sign(self, data: bytes) -> bytes:
        """Sign with the key chosen (PSO HASH, which takes the DigestInfo over, and PSO COMPUTE SIGNATURE).

        The card pads itself, as PKCS#1 v1.5 has it.

        Raises:
            MiddlewareError: CKR_MECHANISM_INVALID: the block is padded otherwise.
        """
        taken = Tlv(0x90, unpadded(data, self.title)).encode()
        self.channel.send("002A90A0", taken, what="hand over the digest")
        return self.channel.send("002A9E9A", le=256, what="sign")

    def decipher(self, cryptogram: bytes) -> bytes:
        """Return the plain block of a cryptogram (PSO DECIPHER).

        The card takes the padding off. Here it is put on again, with another filling than it had.
        """
        plain = self.channel.send_chained("002A8086", b"\x81" + cryptogram, le=256, what="decipher")
        return padded_again(plain, len(cryptogram))

    def delete(self, file_id: int) -> None:
        """Delete a file in the current DF (DELETE FILE)."""
        self.channel.send("00E40000", file_id.to_bytes(2), what=f"delete the file {file_id:04X}")


refuse(
    "3B7F96..0080318065B0........120FFE829000",
    "an IDPrime has no PKCS#15 token: it is for Gemalto's own middleware and the minidriver of Windows",
)
