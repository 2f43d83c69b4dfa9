"""CardOS M4, versions 4.3B and 4.4."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cardtwin.middleware.drivers.cardos import DF_ORDER, EF_ORDER, MF_ORDER, CardOs
from cardtwin.middleware.drivers.registry import register
from cardtwin.middleware.names import MF
from cardtwin.middleware.rights import ANYBODY, NOBODY, Condition
from cardtwin.plan import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cardtwin.iso7816 import FileControl
    from cardtwin.middleware.rights import Rights

__all__ = ["CardOs43B", "CardOs44", "CardOsM4"]


class CardOsM4(CardOs):
    """What the drivers for CardOS M4 have in common."""

    new_key_references: ClassVar[range] = range(0x10, 0x20)  # as pkcs15-init's profile has them
    one_purpose: ClassVar[bool] = True
    names_usage: ClassVar[bool] = False
    key_sizes: ClassVar[Mapping[KeyAlgorithm, Collection[int]]] = {KeyAlgorithm.RSA: range(512, 2049, 32)}

    def chip_serial(self) -> bytes:
        """Return the chip's serial number: bytes 10 to 15 of GET DATA 0181."""
        return self.channel.send("00CA0181", le=256, what="read the chip's serial number")[10:16]

    def tries_left(self, reference: int) -> int | None:  # noqa: ARG002  # the interface's argument
        """Return None: this family doesn't tell."""
        return None

    def rights_of(self, control: FileControl) -> Rights | None:
        """Return the conditions of tag 86; bytes that are missing mean never."""
        told = control.get(0x86)

        if told is None:
            return None

        order = EF_ORDER if control.get(0x81) is None else MF_ORDER if control.file_id == MF else DF_ORDER
        # Reversed, so that of operations that share a right the first one counts: UPDATE before INCREASE.
        pairs = reversed(tuple(zip(order, told, strict=False)))
        return {right: _condition(byte) for right, byte in pairs}


@register
class CardOs43B(CardOsM4):
    """The driver for CardOS 4.3B."""

    family: ClassVar[str] = "cardos-4.3b"
    title: ClassVar[str] = "CardOS 4.3B"
    atrs: ClassVar[frozenset[bytes]] = frozenset({bytes.fromhex("3BF2180002C10A31FE58C80874")})
    versions: ClassVar[frozenset[bytes]] = frozenset({bytes.fromhex("C808")})


@register
class CardOs44(CardOsM4):
    """The driver for CardOS 4.4."""

    family: ClassVar[str] = "cardos-4.4"
    title: ClassVar[str] = "CardOS 4.4"
    atrs: ClassVar[frozenset[bytes]] = frozenset({bytes.fromhex("3BD21802C10A31FE58C80D51")})
    versions: ClassVar[frozenset[bytes]] = frozenset({bytes.fromhex("C80D")})


def _condition(byte: int) -> Condition:
    if byte in {0x00, 0xFF}:
        return NOBODY if byte else ANYBODY

    return Condition(reference=byte)
