"""A third, independent reading of the bytes: what a command is called, what it does, where its secrets lie.

Written from the standards and from what is known of the card systems, not from the card's or the middleware's
code, so that it can tell people, recorders and guards what goes over the wire without sharing their mistakes.
What it doesn't know it calls unknown, and hides.
"""

from cardtwin.decode.decoder import (
    Decoder,
    Reading,
    decode,
    explain,
    logical_channel,
    masked,
    masked_response,
    secrets_in_response,
)
from cardtwin.decode.forms import Details, Form, Table
from cardtwin.decode.model import HARMLESS, Decoded, Effect, in_words

__all__ = [
    "HARMLESS",
    "Decoded",
    "Decoder",
    "Details",
    "Effect",
    "Form",
    "Reading",
    "Table",
    "decode",
    "explain",
    "in_words",
    "logical_channel",
    "masked",
    "masked_response",
    "secrets_in_response",
]
