"""Text with positions, and what can be said about it: the error side of every language of cardtwin.

A parser keeps a :class:`Span` on each node. What is wrong becomes a :class:`Diagnostic`; several are
collected in :class:`Diagnostics`, so that one run tells all mistakes it can find.
"""

from cardtwin.source.diagnostics import (
    Diagnostic,
    Diagnostics,
    Note,
    Severity,
    SourceError,
    closest,
)
from cardtwin.source.ini import IniFile, IniItem, IniSection, parse_ini
from cardtwin.source.text import SourceText, Span
from cardtwin.source.zipped import BrokenZipError, zip_to_read

__all__ = [
    "BrokenZipError",
    "Diagnostic",
    "Diagnostics",
    "IniFile",
    "IniItem",
    "IniSection",
    "Note",
    "Severity",
    "SourceError",
    "SourceText",
    "Span",
    "closest",
    "parse_ini",
    "zip_to_read",
]
