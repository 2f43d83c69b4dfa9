from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.encoding import PERSONAL_DESKTOP_CLIENT, LibraryEntry, LibraryTable

TABLE = LibraryTable.default()
PATH = "C:/Program Files (x86)/Personal/bin/personal.dll"


@pytest.mark.parametrize(
    "path",
    [
        PATH,
        PATH.upper(),
        PATH.replace("/", "\\"),
        PATH.replace("/", "\\\\"),
        "c:\\program files (x86)/Personal//bin/PERSONAL.dll",
    ],
)
def test_paths_compare_as_windows_compares_them(path: str) -> None:
    found = TABLE.find(path)
    assert found is not None
    assert (found.product, found.bits) == (PERSONAL_DESKTOP_CLIENT, 32)


@given(st.sampled_from(list(TABLE)), st.data())
def test_neither_case_nor_slashes_matter(entry: LibraryEntry, data: st.DataObject) -> None:
    spelt = "".join(
        data.draw(st.sampled_from(["/", "\\"]))
        if sign == "/"
        else data.draw(st.sampled_from([sign, sign.swapcase()]))
        for sign in entry.path
    )
    assert TABLE.find(spelt) == entry


@pytest.mark.parametrize("path", ["", "personal.dll", "Personal/bin/personal.dll", f"/{PATH}", f"{PATH}x"])
def test_another_path_is_not_found(path: str) -> None:
    assert TABLE.find(path) is None


def test_a_path_that_is_nearly_right_gets_the_right_one_as_remedy() -> None:
    assert PATH in TABLE.remedy("C:\\Program Files\\Personal\\bin\\personal.dll")
    assert "library table" in TABLE.remedy("/usr/lib/nothing.so")


def test_the_64_bit_library_is_known_as_such() -> None:
    found = TABLE.find("C:/Program Files (x86)/Personal/bin64/personal64.dll")
    assert found is not None
    assert (found.is_personal, found.bits) == (True, 64)


def test_a_table_is_extended_without_changing_the_one_it_came_from() -> None:
    mine = LibraryEntry("D:/Test/personal.dll", PERSONAL_DESKTOP_CLIENT, 32, "5.7.1")
    older = LibraryEntry(PATH, PERSONAL_DESKTOP_CLIENT, 32, "5.7.1")
    extended = TABLE.extended(mine, older)
    assert extended.find("d:\\test\\PERSONAL.DLL") == mine
    assert extended.find(PATH) == older
    assert TABLE.find("D:/Test/personal.dll") is None
