from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.iso7816 import Tlv
from cardtwin.pkcs15 import (
    AID,
    Algorithm,
    Application,
    DirectoryKind,
    DirectoryPath,
    Path,
    Pkcs15Error,
    TokenFlags,
    TokenInfo,
    encode_ef_dir,
    encode_odf,
    parse_ef_dir,
    parse_odf,
)

# Exchanges 6 and 8 of a recording of a CardOS 5.3 card.
RECORDED_ODF = bytes.fromhex(
    "A00A300804063F0050154401A40A300804063F0050154441A50A300804063F0050154451"
    "A70A300804063F0050154471A80A300804063F0050154481"
)
RECORDED_TOKEN_INFO = bytes.fromhex(
    "302A020100040507115058000C0D566F6C6B73776167656E204147800B565720504B4920436172640302001072640302 0410"
)


def test_the_recorded_odf_is_read_and_written_byte_for_byte() -> None:
    entries = parse_odf(RECORDED_ODF + bytes(20))

    assert [(entry.kind, entry.path.file_ids[-1]) for entry in entries] == [
        (DirectoryKind.PRIVATE_KEYS, 0x4401),
        (DirectoryKind.CERTIFICATES, 0x4441),
        (DirectoryKind.TRUSTED_CERTIFICATES, 0x4451),
        (DirectoryKind.DATA_OBJECTS, 0x4471),
        (DirectoryKind.AUTH_OBJECTS, 0x4481),
    ]
    assert encode_odf(entries) == RECORDED_ODF


def test_the_published_odf_is_written_byte_for_byte() -> None:
    entry = DirectoryPath(DirectoryKind.CERTIFICATES, Path.of(0x3F00, 0x5015, 0x4441))

    assert encode_odf([entry]) == bytes.fromhex("A40A300804063F0050154441")


def test_the_recorded_token_info_is_read_and_its_stale_tail_left_alone() -> None:
    info = TokenInfo.parse(RECORDED_TOKEN_INFO)

    assert info == TokenInfo(
        serial=bytes.fromhex("0711505800"),
        manufacturer="Volkswagen AG",
        label="VW PKI Card",
        flags=TokenFlags.EID_COMPLIANT,
    )


@given(
    st.builds(
        TokenInfo,
        serial=st.binary(min_size=1, max_size=16),
        manufacturer=st.text(max_size=20),
        label=st.text(max_size=32).map(str.rstrip),
        flags=st.sampled_from(TokenFlags),
        version=st.sampled_from([0, 1]),
        algorithms=st.lists(
            st.builds(
                Algorithm,
                reference=st.integers(1, 9),
                mechanism=st.integers(0, 0x1041),
                operations=st.just((0, 1, 0, 1)),
                oid=st.none() | st.just("1.2.840.113549.1.1.1"),
                card_reference=st.none() | st.integers(0, 255),
            ),
            max_size=2,
        ).map(tuple),
    )
)
def test_a_token_info_is_read_as_it_was_written(info: TokenInfo) -> None:
    assert TokenInfo.parse(info.encode() + b"\0\0") == info


def test_a_serial_number_filled_in_later_makes_the_same_file() -> None:
    before, after = TokenInfo(serial=b"", manufacturer="Technology Nexus", label="Badge").around_serial()
    filled = Tlv(0x30, before + Tlv(0x04, bytes(8)).encode() + after).encode()

    assert filled == TokenInfo(serial=bytes(8), manufacturer="Technology Nexus", label="Badge").encode()


@pytest.mark.parametrize("content", ["", "0000", "3003020100", "300902010004010103020410FF"])
def test_a_file_without_token_info_is_refused(content: str) -> None:
    with pytest.raises(Pkcs15Error, match="TokenInfo"):
        TokenInfo.parse(bytes.fromhex(content))


def test_ef_dir_has_the_form_that_opensc_writes() -> None:
    application = Application(AID, "OpenSC Card", bytes.fromhex("3F005015"))
    content = encode_ef_dir([application])

    assert content == bytes.fromhex("61214F0CA000000063504B43532D3135500B4F70656E5343204361726451043F005015")
    assert parse_ef_dir(content.ljust(128, b"\0")) == (application,)


@given(st.binary(max_size=80))
def test_no_content_makes_the_readers_of_odf_and_ef_dir_fail(content: bytes) -> None:
    parse_odf(content)
    parse_ef_dir(content)


def test_a_path_names_a_piece_of_a_file() -> None:
    content = bytes(range(10))

    assert Path.of(0x3F00, index=2, length=3).piece(content) == b"\2\3\4"
    assert Path.of(0x3F00).piece(content) == content
    assert str(Path.of(0x3F00, 0x5015, index=2, length=3)) == "3F00/5015[2:+3]"


def test_an_odd_path_has_no_file_identifiers() -> None:
    with pytest.raises(Pkcs15Error, match="3F0050"):
        _ = Path(bytes.fromhex("3F0050")).file_ids
