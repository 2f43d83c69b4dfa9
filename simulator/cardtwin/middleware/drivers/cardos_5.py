"""CardOS 5.0 to 5.4.

How such cards are personalised is not public. This driver takes CardOS M4's commands for it: that is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware.drivers.cardos import CardOs
from cardtwin.middleware.drivers.cardos_objects import CURVES
from cardtwin.middleware.drivers.registry import register
from cardtwin.middleware.rights import ANYBODY, NOBODY, Condition, Right
from cardtwin.plan import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from cardtwin.iso7816 import FileControl
    from cardtwin.middleware.rights import Rights

__all__ = ["CardOs5"]

# Access mode bits (ISO/IEC 7816-4:2020, 9.3.3.2) of DFs and EFs, as far as a right here corresponds.
_DF_MODES: Final = {
    0x40: Right.DELETE,
    0x10: Right.ACTIVATE,
    0x08: Right.DEACTIVATE,
    0x04: Right.CREATE,
    0x02: Right.CREATE,
}
_EF_MODES: Final = {
    0x40: Right.DELETE,
    0x10: Right.ACTIVATE,
    0x08: Right.DEACTIVATE,
    0x02: Right.UPDATE,
    0x01: Right.READ,
}


@register
class CardOs5(CardOs):
    """The driver for CardOS 5.x."""

    family: ClassVar[str] = "cardos-5"
    title: ClassVar[str] = "CardOS 5"
    atrs: ClassVar[frozenset[bytes]] = frozenset(
        bytes.fromhex(f"3BD218008131FE58C9{tail}") for tail in ("0114", "0217", "0316", "0411")
    )
    versions: ClassVar[frozenset[bytes]] = frozenset(bytes((0xC9, minor)) for minor in (1, 2, 3, 4))
    new_key_references: ClassVar[range] = range(0x01, 0x10)  # OpenSC takes a higher half for an algorithm
    one_purpose: ClassVar[bool] = False
    names_usage: ClassVar[bool] = True
    key_sizes: ClassVar[Mapping[KeyAlgorithm, Collection[int]]] = {
        KeyAlgorithm.RSA: range(512, 3073, 32),
        KeyAlgorithm.EC: tuple(CURVES),
    }

    def chip_serial(self) -> bytes:
        """Return the chip's serial number: all of GET DATA 0181."""
        return self.channel.send("00CA0181", le=256, what="read the chip's serial number")

    def tries_left(self, reference: int) -> int | None:
        """Return what VERIFY without data tells: 63Cn, or 6983 for none."""
        response = self.channel.ask(f"002000{reference | 0x80:02X}")
        return 0 if response.sw == 0x6983 else response.sw.tries_left

    def rights_of(self, control: FileControl) -> Rights | None:
        """Return the conditions of tag AB.

        Of a DF, the card tells neither who changes the life cycle nor who changes conditions. Initialisation
        gives them what it gives to DELETE, so that is taken for them (rule ``middleware.erase-condition``).
        """
        told = control.get(0xAB)

        if told is None:
            return None

        directory = control.get(0x81) is not None
        rights = dict(_rules(told, _DF_MODES if directory else _EF_MODES))

        if directory and Right.DELETE in rights:
            for untold in (
                Right.LIFE_CYCLE,
                Right.CHANGE_CONDITIONS,
                Right.OBJECTS_CREATE,
                Right.OBJECTS_UPDATE,
            ):
                rights[untold] = rights[Right.DELETE]

        return rights


def _rules(told: bytes, modes: Mapping[int, Right]) -> Iterator[tuple[Right, Condition]]:
    mode = 0

    try:
        for found in Tlv.parse_all(told):
            if found.tag == 0x80:
                mode = found.value[0] if found.value else 0
                continue

            condition = _condition(found)
            yield from ((right, condition) for bit, right in modes.items() if mode & bit)
    except TlvFormatError:
        return


def _condition(found: Tlv) -> Condition:
    if found.tag == 0x90:
        return ANYBODY

    reference = found.find(0x83) if found.tag == 0xA4 else None
    return Condition(reference=reference.value[0]) if reference and reference.value else NOBODY
