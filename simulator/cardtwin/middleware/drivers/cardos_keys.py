"""CardOS: private keys at work, and random numbers. Forms follow OpenSC's cardos driver."""

from __future__ import annotations

from typing import ClassVar, Final

from cardtwin.iso7816 import StatusWord, Tlv
from cardtwin.middleware.channel import refused
from cardtwin.middleware.drivers.base import CardDriver

__all__ = ["CardOsKeys"]

_SIGNATURE: Final = 0xB6
_CONFIDENTIALITY: Final = 0xB8
_USAGE: Final = 0x40
_PLAIN_CRYPTOGRAM: Final = b"\x00"
_PEER_KEY: Final = b"\x9c"
_LONGEST_CHALLENGE: Final = 256


class CardOsKeys(CardDriver):
    """What needs a key, or the card's random numbers."""

    names_usage: ClassVar[bool]
    """Whether MANAGE SECURITY ENVIRONMENT names the usage beside the key."""

    def choose_key(self, reference: int, *, decipher: bool = False) -> None:
        """Choose the key for the next operation (MANAGE SECURITY ENVIRONMENT SET)."""
        template = _CONFIDENTIALITY if decipher else _SIGNATURE
        data = self._chosen(reference)
        self.channel.send(f"002241{template:02X}", data, what=f"choose the key {reference:02X}")

    def _chosen(self, reference: int) -> bytes:
        number = bytes((reference,))

        if self.names_usage:
            return Tlv(0x84, number).encode() + Tlv(0x95, bytes((_USAGE,))).encode()

        return Tlv(0x83, number).encode()

    def has_key(self, reference: int) -> bool:
        """Whether a key of that number is found from the current DF: whether it can be chosen."""
        response = self.channel.ask(f"002241{_SIGNATURE:02X}", self._chosen(reference))

        if response.sw in {StatusWord.SUCCESS, StatusWord.REFERENCED_DATA_NOT_FOUND}:
            return response.sw == StatusWord.SUCCESS

        raise refused(f"look for the key {reference:02X}", response.sw)

    def sign(self, data: bytes) -> bytes:
        """Sign with the key chosen (PSO COMPUTE DIGITAL SIGNATURE)."""
        return self.channel.send_chained("002A9E9A", data, le=256, what="sign")

    def decipher(self, cryptogram: bytes) -> bytes:
        """Return the plain block of a cryptogram (PSO DECIPHER), zeros at its beginning included."""
        block = self.channel.send_chained("002A8086", _PLAIN_CRYPTOGRAM + cryptogram, le=256, what="decipher")
        return block.rjust(len(cryptogram), b"\0")

    def agree(self, point: bytes) -> bytes:
        """Return the X coordinate shared with a peer's point X || Y (PSO, key agreement)."""
        data = _PEER_KEY + bytes((len(point),)) + point
        return self.channel.send_chained("002A80A6", data, le=256, what="agree on a key")

    def challenge(self, count: int) -> bytes:
        """Return random bytes of the card (GET CHALLENGE)."""
        found = b""

        while len(found) < count:
            le = min(_LONGEST_CHALLENGE, count - len(found))
            more = self.channel.send("00840000", le=le, what="draw random bytes")[:le]
            found += more

            if not more:
                break

        return found
