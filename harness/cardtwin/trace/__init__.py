"""Recordings of what happened: masked, and the same again for the same seed."""

from cardtwin.trace.file import TraceWriter, read_traces, write_traces
from cardtwin.trace.lines import json_schema
from cardtwin.trace.masking import MaskedExchange, Masker, masked_exchanges
from cardtwin.trace.recorder import Recorder, Trace
from cardtwin.trace.statistics import Statistics

__all__ = [
    "MaskedExchange",
    "Masker",
    "Recorder",
    "Statistics",
    "Trace",
    "TraceWriter",
    "json_schema",
    "masked_exchanges",
    "read_traces",
    "write_traces",
]
