"""The host's side of a card of the Generic Identity Device Specification: what Windows does with it.

:class:`MinidriverCard` is what Base CSP and minidriver are together: it initialises a card, makes containers
with keys and certificates, and uses them. The formats of a card's files are values of their own.
"""

from cardtwin.minidriver.adminkey import ADMIN_KEY_SIZE, answer
from cardtwin.minidriver.card import MinidriverCard, Padding
from cardtwin.minidriver.containers import Container
from cardtwin.minidriver.errors import (
    CardLostError,
    CommandRefusedError,
    ContainerError,
    ContentError,
    FileMissingError,
    MinidriverError,
    NotInitialisedError,
    PinError,
)
from cardtwin.minidriver.formats import (
    CardCache,
    ContainerFlags,
    ContainerRecord,
    KeySpec,
    compressed,
    decompressed,
    encode_containers,
    parse_containers,
)
from cardtwin.minidriver.tables import FileEntry, FileTable, KeyEntry, KeyTable

__all__ = [
    "ADMIN_KEY_SIZE",
    "CardCache",
    "CardLostError",
    "CommandRefusedError",
    "Container",
    "ContainerError",
    "ContainerFlags",
    "ContainerRecord",
    "ContentError",
    "FileEntry",
    "FileMissingError",
    "FileTable",
    "KeyEntry",
    "KeySpec",
    "KeyTable",
    "MinidriverCard",
    "MinidriverError",
    "NotInitialisedError",
    "Padding",
    "PinError",
    "answer",
    "compressed",
    "decompressed",
    "encode_containers",
    "parse_containers",
]
