"""Traces in the forms of other programs."""

from cardtwin.trace.exports.forms import FORMS, Form, export_traces
from cardtwin.trace.exports.packets import ExportError, Packet, packets_of

__all__ = ["FORMS", "ExportError", "Form", "Packet", "export_traces", "packets_of"]
