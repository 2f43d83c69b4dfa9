"""A socket that speaks pcsc-lite's protocol, so that other programs reach the readers without root."""

from cardtwin.readers.pcsclite.server import ENVIRONMENT_VARIABLE, PcscLiteServer

__all__ = ["ENVIRONMENT_VARIABLE", "PcscLiteServer"]
