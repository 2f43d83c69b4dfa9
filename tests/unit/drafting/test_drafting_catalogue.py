"""The catalogue of causes of CKR_USER_NOT_LOGGED_IN: recorded, drafted from the trace, and run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cardtwin.scenario import Verdict, load
from support.drafts import circumstances_of, drafted, made_card, ran

pytestmark = pytest.mark.thorough

FOLDER = Path(__file__).parents[3] / "scenarios" / "not-logged-in"
MODEL = "cardos-5.3"
INSTANCES = {i.id: i for path in sorted(FOLDER.iterdir()) for i in load(path) if f"[{MODEL}," in i.id}
OWN_CARD = f"nli-11[{MODEL},with]"
"""Its card has no PIN, as none has that a shipped profile makes: the draft takes its memory."""


@pytest.mark.parametrize("name", sorted(INSTANCES))
def test_a_draft_of_the_catalogue_passes_and_every_call_returns_the_same(name: str, tmp_path: Path) -> None:
    recorded = ran(INSTANCES[name])
    assert recorded.result.verdict is Verdict.PASSED, recorded.failure

    circumstances = circumstances_of(INSTANCES[name], tmp_path)

    if name == OWN_CARD:
        circumstances = replace(circumstances, image=made_card(INSTANCES[name], tmp_path))

    again = ran(drafted(recorded.trace, tmp_path, circumstances))

    assert again.failure == ""
    assert again.calls == recorded.calls


@pytest.mark.parametrize(
    "cause", ["nli-01", "nli-02", "nli-03", "nli-06", "nli-08", "nli-10", "nli-12", "nli-15"]
)
def test_a_draft_fails_where_the_fault_is_away(cause: str, tmp_path: Path) -> None:
    recorded = ran(INSTANCES[f"{cause}[{MODEL},with]"])
    healthy = INSTANCES[f"{cause}[{MODEL},without]"]
    assert ran(drafted(recorded.trace, tmp_path, circumstances_of(healthy, tmp_path))).failure
