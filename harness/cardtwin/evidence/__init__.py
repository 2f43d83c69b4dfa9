"""Evidence of runs: which card, what was allowed and sent, what is otherwise now. It holds no secrets."""

from cardtwin.evidence.model import FORMAT, EvidenceDocument, State, json_schema
from cardtwin.evidence.store import EvidenceFile, EvidenceFolder
from cardtwin.evidence.witness import RunWitness

__all__ = [
    "FORMAT",
    "EvidenceDocument",
    "EvidenceFile",
    "EvidenceFolder",
    "RunWitness",
    "State",
    "json_schema",
]
