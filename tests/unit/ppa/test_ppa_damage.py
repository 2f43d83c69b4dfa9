"""Profiles with something wrong in them: whatever it is, it is told, and nothing else happens."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from cardtwin import ppa
from cardtwin.plan import Plan
from cardtwin.ppa.vocabulary import FUNCTIONS, STATEMENTS, load_vocabulary
from cardtwin.source import SourceError, SourceText
from support.profiles import environment

PROFILES = Path(__file__).parents[3] / "profiles"
TEXTS = {path.name: path.read_text("utf-8").replace("\\\n", "") for path in PROFILES.glob("*.cpf")}

load_vocabulary()
WORDS = sorted(
    {word for text in TEXTS.values() for word in re.findall(r"[\w']+|0x\{[^}]*\}", text)}
    | {*STATEMENTS.names(), *FUNCTIONS.names(), "0x{}", "''", "0", "65536", "auto", "never", "MasterFile"}
)


def outcome(text: str) -> Plan | SourceError:
    try:
        return ppa.evaluate(ppa.parse(SourceText("x.cpf", text)), environment())
    except SourceError as error:
        return error


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Lines left out, doubled, moved; words exchanged for others."""
    lines = TEXTS[draw(st.sampled_from(sorted(TEXTS)))].split("\n")

    for _ in range(draw(st.integers(1, 4))):
        at, to = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "double", "move", "word", "word", "word"])):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(to, lines[at])
            case "move":
                lines.insert(to, lines.pop(at))
            case _:
                words = re.split(r"([\w']+)", lines[at])
                place = draw(st.integers(0, len(words) - 1))
                words[place] = draw(st.sampled_from(WORDS))
                lines[at] = "".join(words)

    return "\n".join(lines)


@given(damaged())
@example(TEXTS["cardos-4.4-full.cpf"].replace("MasterFile", "File", 1))
def test_a_damaged_profile_gives_a_plan_or_places_of_mistakes(text: str) -> None:
    found = outcome(text)

    if isinstance(found, Plan):
        ppa.describe(found)
        return

    lines = text.split("\n")
    assert found.diagnostics

    for each in found.diagnostics:
        assert 1 <= each.span.line <= len(lines)
        assert 1 <= each.span.column <= len(lines[each.span.line - 1]) + 1
        assert each.message
        assert str(each.span) in each.render()


@given(damaged())
def test_checking_tells_no_more_than_evaluating(text: str) -> None:
    try:
        profile = ppa.parse(SourceText("x.cpf", text))
    except SourceError:
        return

    checked = {(each.code, str(each.span)) for each in ppa.check(profile, environment()).errors}
    found = outcome(text)
    told = set() if isinstance(found, Plan) else {(each.code, str(each.span)) for each in found.diagnostics}
    assert checked <= told
