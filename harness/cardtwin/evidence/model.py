"""What the evidence of a run holds: one JSON document, whose format is versioned.

Bytes are hex in pairs with blanks between them. A key is added without another version; what a key means
stays.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "FORMAT",
    "Aspect",
    "CardSeen",
    "Commands",
    "EvidenceDocument",
    "FileChanged",
    "FileState",
    "FoundChange",
    "Permitted",
    "Reader",
    "Refused",
    "Scenario",
    "State",
    "StepDone",
    "TriesLeft",
    "TriesSpent",
    "Versions",
    "json_schema",
]

FORMAT: Final = 1

Hex = Annotated[str, Field(pattern=r"^([0-9A-F]{2}( [0-9A-F]{2})*)?$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class State(StrEnum):
    """How far the run has come."""

    RUNNING = "running"
    """It goes on, or its process was ended from outside: nothing is known of what happened later."""

    ENDED = "ended"
    INTERRUPTED = "interrupted"


class Scenario(_Part):
    """Which scenario was run."""

    id: str = Field(description="the instance, such as erase[cardos-4.4,burnt]")
    title: str
    file: str
    sha256: Sha256 | None = Field(description="of the scenario's file; null where it can't be read any more")


class Versions(_Part):
    """What was run with; null is not known."""

    cardtwin: str | None
    python: str
    system: str
    pyscard: str | None
    pcsc_lite: str | None = Field(description="of the pcscd that is installed, as it tells itself")


class Permitted(_Part):
    """What may be done to a physical card."""

    destructive: bool
    irreversible: tuple[str, ...]
    unverified: bool
    known_tries: int | dict[str, int] | None


class StepDone(_Part):
    """A step, and how it ended."""

    number: int
    title: str
    id: str
    proves: tuple[str, ...]
    verdict: str
    message: str


class CardSeen(_Part):
    """The card in a reader, as it tells itself to anybody."""

    model: str
    atr: Hex
    serial: Hex
    protocol: str
    life_cycle: str
    files: int = Field(description="how many were found")
    unread: tuple[str, ...] = Field(description="files that not anybody may read, or that can't be selected")
    unlisted: tuple[str, ...] = Field(description="DFs that don't list their files: others may be there")


class FileState(_Part):
    """A file, as far as anybody may see it."""

    kind: str
    size: int | None
    told_conditions: str = Field(description="the tags of the access conditions as the card tells them")
    active: bool
    read: str
    sha256: Sha256 | None = Field(
        description="of the content; null where not all of it was read without a login, or it holds a secret"
    )


class FileChanged(_Part):
    """A file that is otherwise after the run."""

    path: str
    change: Literal["created", "deleted", "changed"]
    before: FileState | None
    after: FileState | None


class Aspect(_Part):
    """Something else of the card that is otherwise: a property, a PIN, a key that is listed."""

    subject: str
    before: str
    after: str


class FoundChange(_Part):
    """What is otherwise after the run. What nobody may read isn't compared: see the commands for that."""

    files: tuple[FileChanged, ...]
    others: tuple[Aspect, ...]


class TriesLeft(_Part):
    """The tries that a PIN or key has left; null is not known."""

    credential: str
    told_by: Literal["card", "guard", "memory"] = Field(
        description="the card by VERIFY without data; the guard: the fewest that it was told during the run; "
        "the memory of an emulated card"
    )
    before: int | None
    after: int | None


class TriesSpent(_Part):
    """The tries that the ledger counts as spent and not given back."""

    credential: str
    before: int
    after: int


class Reader(_Part):
    """A reader of the scenario, and the card in it."""

    name: str
    service_name: str | None = Field(description="what the PC/SC service calls it; null for an emulated one")
    expected_model: str | None
    permitted: Permitted | None = Field(description="what was asked for, within the hardware file's limits")
    before: CardSeen | None
    after: CardSeen | None
    not_seen: tuple[str, ...] = Field(description="why there is no card before or after")
    tries_left: tuple[TriesLeft, ...]
    tries_spent: tuple[TriesSpent, ...]
    changed: FoundChange | None = Field(description="null where the card wasn't seen before and after")
    account: tuple[str, ...] = Field(
        description="of a physical card: what was sent that may change it, in order, with what came of it"
    )
    login_left: bool = Field(description="whether the card may have kept a login")


class Commands(_Part):
    """Commands of one kind that reached a card."""

    reader: str
    step: int | None = Field(description="in which step; null where it doesn't matter, or in none")
    sent_by: Literal["programs", "harness"]
    name: str
    effects: tuple[str, ...] = Field(description="what they do at worst, as decode tells it; none: they read")
    count: int
    not_successful: int = Field(description="how many were answered with another status than success")
    unanswered: int = Field(description="how many got no answer: they may have had their effect")


class Refused(_Part):
    """What the guard did not send."""

    reader: str
    step: int | None
    command: str
    meaning: str
    rule: str
    reason: str
    remedy: str


class EvidenceDocument(_Part):
    """The evidence of one scenario's run against one target."""

    format: Literal[1] = FORMAT
    state: State
    scenario: Scenario
    target: str
    begun: datetime
    ended: datetime | None
    verdict: str | None
    message: str
    steps: tuple[StepDone, ...]
    versions: Versions
    asked: Permitted | None = Field(description="what the run asked to be allowed; null: no physical card")
    readers: tuple[Reader, ...]
    commands: tuple[Commands, ...] = Field(description="all, by kind")
    changing: tuple[Commands, ...] = Field(description="those of them that do more than read, by step")
    refused: tuple[Refused, ...]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of evidence."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **EvidenceDocument.model_json_schema(mode="serialization"),
        "title": f"Evidence of a run, format {FORMAT}",
    }
