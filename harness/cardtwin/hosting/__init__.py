"""Cards in processes of their own, for other people's programs: started, used, taken down."""

from cardtwin.hosting.commands import CONTROL_VARIABLE, Commands, Control, Inserted
from cardtwin.hosting.errors import (
    CardRefusedError,
    CommandRefusedError,
    HostingError,
    HostLostError,
    NoServerError,
    ProtocolError,
    UncleanEndError,
)
from cardtwin.hosting.hosted import HostedCards
from cardtwin.hosting.request import DEFAULT_READER, FIRST_SLOT, SPEEDS, CardRequest, HostRequest

__all__ = [
    "CONTROL_VARIABLE",
    "DEFAULT_READER",
    "FIRST_SLOT",
    "SPEEDS",
    "CardRefusedError",
    "CardRequest",
    "CommandRefusedError",
    "Commands",
    "Control",
    "HostLostError",
    "HostRequest",
    "HostedCards",
    "HostingError",
    "Inserted",
    "NoServerError",
    "ProtocolError",
    "UncleanEndError",
]
