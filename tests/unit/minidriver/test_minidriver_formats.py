"""The files of a minidriver's card: what is built is read, and what is broken is told."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.minidriver import (
    CardCache,
    ContainerFlags,
    ContainerRecord,
    ContentError,
    FileEntry,
    FileTable,
    KeyEntry,
    KeySpec,
    KeyTable,
    compressed,
    decompressed,
    encode_containers,
    parse_containers,
)

FILES = bytes.fromhex(
    "01 6D736370 0000000000 000000000000000000 0000 00000000 00A00000"
    "000000000000000000 636172646964 000000 0000 20DF0000 12A00000"
    "000000000000000000 6361726461707073 00 0000 21DF0000 10A00000"
    "000000000000000000 636172646366 000000 0000 22DF0000 10A00000"
    "6D736370 0000000000 636D617066696C65 00 0000 23DF0000 10A00000"
)
"""The table of files of a new card, as gids-tool writes it."""

ENTRIES = (
    FileEntry("mscp", "", 0, 0xA000),
    FileEntry("", "cardid", 0xDF20, 0xA012),
    FileEntry("", "cardapps", 0xDF21, 0xA010),
    FileEntry("", "cardcf", 0xDF22, 0xA010),
    FileEntry("mscp", "cmapfile", 0xDF23, 0xA010),
)
GUID = "257f0362-2ee7-44f5-9885-36fa490f30c1"
CONTAINER = GUID.encode("utf-16-le").ljust(80, b"\0") + bytes.fromhex("0300 0000 0008")
"""The record of a default container with an exchange key of 2048 bits, as Windows writes it."""

WORDS = st.integers(0, 0xFFFF)
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=19)
RECORDS = st.builds(ContainerRecord, NAMES, st.sampled_from(ContainerFlags), WORDS, WORDS)
SHORT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=8)
FILE_ENTRIES = st.builds(FileEntry, SHORT, SHORT, WORDS, WORDS)
KEY_ENTRIES = st.builds(KeyEntry, st.integers(0, 0xFF), st.sampled_from([None, *KeySpec]), WORDS)


def test_the_files_of_a_new_card_are_those_that_opensc_writes() -> None:
    assert FileTable.parse(FILES) == FileTable(ENTRIES)
    assert FileTable(ENTRIES).encode() == FILES
    assert [entry.path for entry in ENTRIES][-2:] == ["cardcf", "mscp\\cmapfile"]


def test_a_container_is_that_which_windows_writes() -> None:
    record = ContainerRecord(GUID, ContainerFlags.VALID | ContainerFlags.DEFAULT, 0, 2048)
    assert parse_containers(CONTAINER) == (record,)
    assert encode_containers((record,)) == CONTAINER
    assert (record.spec, record.bits, record.is_default) == (KeySpec.EXCHANGE, 2048, True)


def test_a_key_is_that_which_windows_writes() -> None:
    data = bytes.fromhex("01 01000000 07 9A 81B0 FFFF 0000")
    table = KeyTable((KeyEntry(0x07, KeySpec.EXCHANGE, 0xB081),))
    assert KeyTable.parse(data) == table
    assert table.encode() == data


def test_the_table_of_keys_gets_as_many_entries_as_there_are_containers() -> None:
    entry = KeyEntry(0x07, KeySpec.SIGNATURE, 0xB083)
    free = KeyEntry()
    assert KeyTable().with_entry(2, entry, 3).entries == (free, free, entry)
    assert KeyTable((entry,) * 5).with_entry(0, free, 2).entries == (free, entry)


def test_the_counters_are_little_endian_and_begin_again_behind_their_greatest_value() -> None:
    assert CardCache.parse(bytes.fromhex("00 01 0200 0003")) == CardCache(0, 1, 2, 0x300)
    full = CardCache(0, 0xFF, 0xFFFF, 0xFFFF)
    assert full.touched(pins=1, containers=1, files=1) == CardCache()
    assert CardCache().touched(files=2).encode() == bytes.fromhex("000000000200")


@given(st.builds(CardCache, st.integers(0, 255), st.integers(0, 255), WORDS, WORDS))
def test_counters_are_read_as_they_were_written(cache: CardCache) -> None:
    assert CardCache.parse(cache.encode()) == cache


@given(st.lists(RECORDS, max_size=5).map(tuple))
def test_containers_are_read_as_they_were_written(records: tuple[ContainerRecord, ...]) -> None:
    assert parse_containers(encode_containers(records)) == records


@given(st.lists(FILE_ENTRIES, max_size=5).map(tuple), st.lists(KEY_ENTRIES, max_size=5).map(tuple))
def test_tables_are_read_as_they_were_written(
    files: tuple[FileEntry, ...], keys: tuple[KeyEntry, ...]
) -> None:
    assert FileTable.parse(FileTable(files).encode()) == FileTable(files)
    assert KeyTable.parse(KeyTable(keys).encode()) == KeyTable(keys)


@given(st.binary(max_size=3000))
def test_a_certificate_is_read_as_it_was_written(certificate: bytes) -> None:
    data = compressed(certificate)
    assert data[:4] == b"\x01\0" + len(certificate).to_bytes(2, "little")
    assert decompressed(data) == certificate


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_they_are_read_or_refused(data: bytes) -> None:
    for read in (CardCache.parse, parse_containers, FileTable.parse, KeyTable.parse, decompressed):
        try:
            read(data)
        except ContentError:
            continue


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "begins with"),
        (b"\x02\0\x04\0" + zlib.compress(b"cert"), "begins with"),
        (b"\x01\0\x04\0cert", "no zlib stream"),
        (b"\x01\0\x05\0" + zlib.compress(b"cert"), "another number"),
        (b"\x01\0\x03\0" + zlib.compress(b"cert"), "another number"),
        (b"\x01\0\x04\0" + zlib.compress(bytes(1_000_000)), "another number"),
    ],
)
def test_a_broken_certificate_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(ContentError, match=told):
        decompressed(data)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: CardCache.parse(bytes(5)), "has 6 bytes, not 5"),
        (lambda: parse_containers(bytes(85)), "records of 86 bytes, not 85"),
        (lambda: parse_containers(b"\0\xd8" + bytes(84)), "no UTF-16"),
        (lambda: ContainerRecord("x" * 40), "at most 39 characters"),
        (lambda: ContainerRecord("a\0b"), "none is NUL"),
        (lambda: FileEntry("", "cmapfile9", 1, 1), "at most 8 ASCII"),
        (lambda: FileEntry("", "größe", 1, 1), "8 ASCII characters"),
        (lambda: FileTable.parse(b"\x02"), "table of files has version 1"),
        (lambda: FileTable.parse(b"\x01" + b"\xff" * 28), "no ASCII"),
        (lambda: KeyTable.parse(b"\x01" + bytes(11)), "entries of 12 bytes"),
        (lambda: compressed(bytes(0x10000)), "less than 65536 bytes"),
    ],
)
def test_what_has_another_form_is_refused_with_its_form(make: object, told: str) -> None:
    with pytest.raises(ContentError, match=told):
        make()  # type: ignore[operator]  # a function without arguments
