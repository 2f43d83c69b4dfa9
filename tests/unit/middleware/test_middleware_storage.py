"""Lists of a token that change while the card may be lost at any command."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin import pkcs15
from cardtwin.middleware import Ckr, MiddlewareError
from cardtwin.middleware.rights import ANYBODY, NOBODY, Condition
from cardtwin.middleware.storage import require
from cardtwin.middleware.storage.lists import EntryList, Lists
from cardtwin.middleware.storage.undo import taking_back
from cardtwin.pkcs15 import DirectoryKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.middleware.drivers import CardDriver

PATH = (0x3F00, 0x5015, 0x4471)


class FileOfACard:
    """A driver with one file, written in pieces; it keeps what the file held after each command."""

    max_data = 64

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.states = [content]
        self.channel = self

    def select(self, path: tuple[int, ...]) -> None:
        assert path == PATH

    def write(self, piece: bytes, at: int = 0) -> None:
        assert len(piece) <= self.max_data
        self.content = self.content[:at] + piece + self.content[at + len(piece) :]
        self.states.append(self.content)


def entry(number: int, length: int) -> bytes:
    return pkcs15.encode_object(pkcs15.DataObject(label=f"{number:03}" + "x" * length, path=b""))


entries = st.lists(st.builds(entry, st.integers(0, 999), st.integers(0, 90)), max_size=6)
fill = st.sampled_from([b"\0", b"\xff", b"\0\x30\x05stale"])


def changed(before: Sequence[bytes], after: Sequence[bytes], filling: bytes) -> FileOfACard:
    content = b"".join(before)
    content += (filling * 1500)[: 1500 - len(content)]
    file = FileOfACard(content)
    lists = Lists(cast("CardDriver", file), PATH[:-1], frozenset())
    lists.rewrite(EntryList(DirectoryKind.DATA_OBJECTS, PATH, content, ANYBODY), after)
    return file


@given(entries, entries, fill)
def test_a_list_holds_what_is_written_to_it(before: list[bytes], after: list[bytes], filling: bytes) -> None:
    assert list(pkcs15.elements(changed(before, after, filling).content)) == after


@given(entries, entries, fill)
def test_a_list_that_is_lost_in_between_holds_what_was_there_or_comes_or_ends_sooner(
    before: list[bytes], after: list[bytes], filling: bytes
) -> None:
    same = 0

    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1

    for state in changed(before, after, filling).states:
        assert list(pkcs15.elements(state)) in [before, after, before[:same]]


@given(entries, st.integers(0, 90), fill)
def test_a_new_entry_never_hides_the_others(before: list[bytes], length: int, filling: bytes) -> None:
    after = [*before, entry(1000, length)]

    for state in changed(before, after, filling).states:
        assert list(pkcs15.elements(state)) in [before, after]


@given(entries, fill)
def test_what_stays_is_not_written(before: list[bytes], filling: bytes) -> None:
    content = changed(before, before, filling).content
    assert len(changed(list(pkcs15.elements(content)), before, b"\0").states) == 1


def test_a_list_that_is_full_stays_as_it_is() -> None:
    content = entry(1, 10).ljust(40, b"\0")
    file = FileOfACard(content)
    lists = Lists(cast("CardDriver", file), PATH[:-1], frozenset())

    with pytest.raises(MiddlewareError) as failed:
        lists.rewrite(
            EntryList(DirectoryKind.DATA_OBJECTS, PATH, content, ANYBODY), [entry(1, 10), entry(2, 10)]
        )

    assert failed.value.rv is Ckr.CKR_DEVICE_MEMORY
    assert file.content == content


@pytest.mark.parametrize("condition", [None, ANYBODY, Condition(reference=1)])
def test_a_condition_that_is_met_or_not_told_stands_in_nobodys_way(condition: Condition | None) -> None:
    require(condition, {1}, "writing")


@pytest.mark.parametrize(
    ("condition", "rv"),
    [(Condition(reference=3), Ckr.CKR_USER_NOT_LOGGED_IN), (NOBODY, Ckr.CKR_TOKEN_WRITE_PROTECTED)],
)
def test_a_condition_says_why_it_is_not_met(condition: Condition, rv: Ckr) -> None:
    with pytest.raises(MiddlewareError) as failed:
        require(condition, {1}, "writing")

    assert failed.value.rv is rv


def test_what_fails_is_taken_back_the_last_step_first() -> None:
    undone: list[int] = []

    def refuse() -> None:
        raise MiddlewareError(Ckr.CKR_DEVICE_ERROR, "the card is out of order")

    def change() -> None:
        with taking_back() as undo:
            undo.append(lambda: undone.append(1))
            undo.append(refuse)
            undo.append(lambda: undone.append(2))
            raise KeyError

    with pytest.raises(KeyError):
        change()

    assert undone == [2, 1]
