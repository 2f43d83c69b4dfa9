"""Readers of the system, real or virtual, through pyscard: what programs see of PC/SC, seen from here."""

from cardtwin.readers.physical.changes import ReaderChanges
from cardtwin.readers.physical.connection import PhysicalConnection
from cardtwin.readers.physical.context import PhysicalContext
from cardtwin.readers.physical.passed import PassedCard, PassedReader

__all__ = ["PassedCard", "PassedReader", "PhysicalConnection", "PhysicalContext", "ReaderChanges"]
