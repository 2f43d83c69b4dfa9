"""What a reader's driver says of the reader (PC/SC part 10, 2.2 and 2.6)."""

from __future__ import annotations

from typing import Final

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.pcsc import Feature, PcscError
from cardtwin.readers.physical.scard import called, scard

__all__ = ["features_of", "max_apdu_data"]

_GET_FEATURE_REQUEST: Final = 3400
_MAX_APDU_DATA_SIZE: Final = 0x0A
_USABLE: Final = {0x100: 0xFF, 0x10000: 0xFFFF}


def features_of(reader: str, handle: int) -> dict[Feature, int]:
    """Return features that are known here, with their control codes; none where the driver says nothing."""
    try:
        told = Tlv.parse_all(_control(reader, handle, scard.SCARD_CTL_CODE(_GET_FEATURE_REQUEST)))
    except (PcscError, TlvFormatError):
        return {}

    return {Feature(each.tag): int.from_bytes(each.value) for each in told if each.tag in set(Feature)}


def max_apdu_data(reader: str, handle: int) -> int:
    """Return how many bytes of data the reader carries; 0 where its driver says nothing.

    A driver says 256 for short length and 65536 for extended length, of which Le makes use; the data of a
    command has one byte less.
    """
    code = features_of(reader, handle).get(Feature.GET_TLV_PROPERTIES)

    try:
        properties = b"" if code is None else _control(reader, handle, code)
        size = _found(properties, _MAX_APDU_DATA_SIZE)
    except (PcscError, TlvFormatError):
        return 0

    told = int.from_bytes(size or b"", "little")
    return _USABLE.get(told, told)


def _control(reader: str, handle: int, code: int) -> bytes:
    (answer,) = called(reader, scard.SCardControl, handle, code, [])
    return bytes(answer)


def _found(objects: bytes, tag: int) -> bytes | None:
    return next((found.value for found in Tlv.parse_all(objects) if found.tag == tag), None)
