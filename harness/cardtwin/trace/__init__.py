"""Recordings of what happened: masked, and the same again for the same seed."""

from cardtwin.trace.masking import MaskedExchange, Masker, masked_exchanges
from cardtwin.trace.recorder import Recorder

__all__ = ["MaskedExchange", "Masker", "Recorder", "masked_exchanges"]
