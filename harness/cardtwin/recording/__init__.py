"""Record what programs do with cards, replay it against a card, and as a card."""

from cardtwin.recording.answers import AnswersByState, AnswersInOrder
from cardtwin.recording.card import CardReplay, TracedCard
from cardtwin.recording.client import (
    ANYTHING,
    READING,
    ClientReplay,
    LeftOut,
    Replayed,
    fetches_itself,
    matched_readers,
)
from cardtwin.recording.errors import RecordingError, RecordingRefusedError, ReplayRefusedError
from cardtwin.recording.physical import reader_to_pass
from cardtwin.recording.record import Recording, TraceOutput
from cardtwin.recording.secrets import HiddenSecrets, is_secret_name

__all__ = [
    "ANYTHING",
    "READING",
    "AnswersByState",
    "AnswersInOrder",
    "CardReplay",
    "ClientReplay",
    "HiddenSecrets",
    "LeftOut",
    "Recording",
    "RecordingError",
    "RecordingRefusedError",
    "ReplayRefusedError",
    "Replayed",
    "TraceOutput",
    "TracedCard",
    "fetches_itself",
    "is_secret_name",
    "matched_readers",
    "reader_to_pass",
]
