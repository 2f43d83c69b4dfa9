"""Cards in processes of their own, for other people's programs: started, used, taken down."""

from cardtwin.hosting.commands import CONTROL_VARIABLE, Commands, Control
from cardtwin.hosting.errors import (
    CardRefusedError,
    CommandRefusedError,
    HostingError,
    HostLostError,
    NoServerError,
    ProtocolError,
    UncleanEndError,
)
from cardtwin.hosting.hosted import HostedCard
from cardtwin.hosting.request import DEFAULT_READER, FIRST_SLOT, SPEEDS, CardRequest

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
    "HostedCard",
    "HostingError",
    "NoServerError",
    "ProtocolError",
    "UncleanEndError",
]
