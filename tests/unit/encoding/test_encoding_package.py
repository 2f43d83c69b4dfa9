"""Zipped descriptions."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.encoding import is_package, read_package
from cardtwin.source import SourceError


def zipped(*files: tuple[str, str]) -> bytes:
    made = io.BytesIO()

    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)

    return made.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        read_package("t.dsz", data)

    (finding,) = caught.value.diagnostics
    assert finding.code == "bad-package"
    assert finding.remedy
    return finding.message


def test_a_description_comes_with_its_files_wherever_they_lie() -> None:
    package = read_package(
        "t.dsz", zipped(("in/INIT.DSC", "[Encoding]\r\n"), ("a/token.cpf", "CreateFiles()"))
    )
    assert (package.description.name, package.description.text) == ("t.dsz:INIT.DSC", "[Encoding]\n")
    assert {name: text.text for name, text in package.attachments.items()} == {"token.cpf": "CreateFiles()"}


def test_a_zip_file_is_told_from_a_description() -> None:
    assert is_package(zipped(("a.dsc", "")))
    assert is_package(zipped())
    assert not is_package(b"[Encoding]\n")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ((), "no descriptions"),
        ((("token.cpf", ""),), "no descriptions"),
        ((("a.dsc", ""), ("b.dsc", "")), "2 descriptions"),
        ((("a.dsc", ""), ("x/t.cpf", ""), ("y/T.cpf", "")), "T.cpf is in it twice"),
        ((("a.dsc", "x" * (1 << 20 | 1)),), "larger than"),
        (tuple((f"{number}.cpf", "") for number in range(101)), "101 files"),
    ],
)
def test_what_is_no_single_description_is_refused(files: tuple[tuple[str, str], ...], why: str) -> None:
    assert why in refused(zipped(*files))


def test_an_encrypted_file_is_refused() -> None:
    data = bytearray(zipped(("a.dsc", "text")))

    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        data[data.index(mark) + (6 if mark[2] == 3 else 8)] |= 1

    assert "is encrypted" in refused(bytes(data))


@given(st.integers(min_value=4, max_value=180), st.integers(min_value=0, max_value=255))
def test_a_damaged_zip_file_is_refused_or_read_and_never_more(place: int, byte: int) -> None:
    data = bytearray(zipped(("a.dsc", "[Encoding]\n" * 3), ("t.cpf", "CreateFiles()")))
    data[place % len(data)] = byte

    with suppress(SourceError):
        read_package("t.dsz", bytes(data))
