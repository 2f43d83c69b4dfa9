"""ISO/IEC 7816 as syntax, without meaning: APDUs, status words, BER-TLV, control parameters, the ATR."""

from cardtwin.iso7816.apdu import ApduFormatError, CommandApdu, ResponseApdu
from cardtwin.iso7816.atr import Atr, AtrFormatError
from cardtwin.iso7816.fcp import FileControl
from cardtwin.iso7816.status import StatusWord
from cardtwin.iso7816.tlv import Tlv, TlvFormatError

__all__ = [
    "ApduFormatError",
    "Atr",
    "AtrFormatError",
    "CommandApdu",
    "FileControl",
    "ResponseApdu",
    "StatusWord",
    "Tlv",
    "TlvFormatError",
]
