from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from cardtwin.iso7816 import FileControl, Tlv, TlvFormatError


@given(strategies.tlvs(), st.booleans())
def test_an_object_comes_back_from_its_bytes(tlv: Tlv, long_form: bool) -> None:
    assert Tlv.parse(tlv.encode(long_form=long_form)) == tlv


@given(st.lists(strategies.tlvs(), max_size=5))
def test_objects_are_read_one_after_the_other_with_the_offset_behind_each(tlvs: list[Tlv]) -> None:
    data = b"".join(tlv.encode() for tlv in tlvs)
    walked = list(Tlv.walk(data))
    assert tuple(tlvs) == Tlv.parse_all(data) == tuple(tlv for tlv, _ in walked)
    assert [end for _, end in walked][-1:] == ([len(data)] if tlvs else [])


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = Tlv.parse_all(data)
    except TlvFormatError:
        return

    assert Tlv.parse_all(b"".join(tlv.encode() for tlv in found)) == found


@pytest.mark.parametrize("fill", ["00", "FF", "0000FF", "FF00"])
def test_padding_behind_objects_is_left_alone_where_a_file_may_have_it(fill: str) -> None:
    data = bytes.fromhex("0401AA" + fill)
    assert Tlv.parse_all(data, padding=True) == (Tlv(0x04, b"\xaa"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1F", "has no end"),
        ("1F8080808001", "has no end"),
        ("04", "length is missing"),
        ("0480", "length at offset 1 is broken"),
        ("04850000000001", "length at offset 1 is broken"),
        ("048201", "length at offset 1 is broken"),
        ("0405AA", "5 bytes of value announced, 1 are there"),
    ],
)
def test_a_broken_object_is_refused_with_what_is_broken(text: str, says: str) -> None:
    with pytest.raises(TlvFormatError, match=says):
        Tlv.parse_all(bytes.fromhex(text))


@pytest.mark.parametrize("text", ["", "04000400"])
def test_one_object_is_neither_none_nor_two(text: str) -> None:
    with pytest.raises(TlvFormatError, match="expected one data object"):
        Tlv.parse(bytes.fromhex(text))


@pytest.mark.parametrize(
    ("size", "short", "long"),
    [(0, "00", "8100"), (127, "7F", "817F"), (128, "8180", "8180"), (256, "820100", "820100")],
)
def test_lengths_are_minimal_unless_the_long_form_is_asked_for(size: int, short: str, long: str) -> None:
    tlv = Tlv(0x04, bytes(size))
    assert tlv.encode()[1 : len(tlv.encode()) - size].hex() == short.lower()
    assert tlv.encode(long_form=True)[1 : len(tlv.encode(long_form=True)) - size].hex() == long.lower()


def test_children_are_found_by_tag() -> None:
    outer = Tlv.constructed(0x6F, (Tlv(0x80, b"\1"), Tlv(0x83, b"\2"), Tlv(0x80, b"\3")))
    assert outer.is_constructed
    assert outer.find(0x80) == Tlv(0x80, b"\1")
    assert outer.find(0x84) is None


@pytest.mark.parametrize(
    ("tag", "constructed"), [(0x04, False), (0x30, True), (0x7F49, True), (0x5F24, False)]
)
def test_the_first_tag_byte_says_whether_an_object_is_constructed(tag: int, constructed: bool) -> None:
    assert Tlv(tag).is_constructed is constructed


def test_the_repr_hides_the_value() -> None:
    assert "secret" not in repr(Tlv(0x04, b"secret"))


def test_control_parameters_are_read_by_the_standards_tags() -> None:
    control = FileControl.parse(bytes.fromhex("6F12 8002 0100 8201 01 8302 4401 8405 A000000063"))
    assert (control.size, control.descriptor, control.file_id) == (256, 1, 0x4401)
    assert control.df_name == bytes.fromhex("A000000063")
    assert FileControl.parse(control.encode()) == control
    assert FileControl.parse(control.encode(long_form=True)) == control


def test_control_parameters_that_are_not_there_are_none() -> None:
    control = FileControl(0x62, ())
    assert (control.size, control.descriptor, control.file_id, control.df_name) == (None,) * 4


def test_the_size_of_a_directory_is_in_tag_81() -> None:
    assert FileControl(0x6F, (Tlv(0x81, b"\x10\x00"),)).size == 4096


def test_another_template_is_no_control_parameters() -> None:
    with pytest.raises(TlvFormatError, match="tag 70 is no template"):
        FileControl.parse(b"\x70\x00")
