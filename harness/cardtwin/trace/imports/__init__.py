"""Traces out of the logs that other programs write."""

from cardtwin.trace.imports.form import Form
from cardtwin.trace.imports.forms import FORMS, import_log, import_traces

__all__ = ["FORMS", "Form", "import_log", "import_traces"]
