"""The key generation system: pre-personalises batches of cards. Where cards come from, a target says."""

from cardtwin.issuance.keygeneration.batch import ARCHIVE, Batch
from cardtwin.issuance.keygeneration.errors import (
    BatchBrokenError,
    BatchBusyError,
    BatchExistsError,
    CardFailedError,
    GenerationBrokenError,
    KeyGenerationError,
    OrderRefusedError,
    OtherBatchError,
)
from cardtwin.issuance.keygeneration.order import Assignment, BatchOrder
from cardtwin.issuance.keygeneration.production import ProducedCard, Station, pre_personalise
from cardtwin.issuance.keygeneration.records import CSV_COLUMNS, CardRecord, KeyRecord

__all__ = [
    "ARCHIVE",
    "CSV_COLUMNS",
    "Assignment",
    "Batch",
    "BatchBrokenError",
    "BatchBusyError",
    "BatchExistsError",
    "BatchOrder",
    "CardFailedError",
    "CardRecord",
    "GenerationBrokenError",
    "KeyGenerationError",
    "KeyRecord",
    "OrderRefusedError",
    "OtherBatchError",
    "ProducedCard",
    "Station",
    "pre_personalise",
]
