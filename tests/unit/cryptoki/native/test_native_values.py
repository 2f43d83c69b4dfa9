"""What goes in and what comes out, by the rules of C: lengths, NULL, room, structures."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.cryptoki.constants import Cka
from cardtwin.cryptoki.values import Attribute, NamedValue
from cardtwin.middleware import Ckr
from support.cryptoki import LABEL, OBJECTS, SLOTS, many
from support.pkcs11_module import (
    UNAVAILABLE,
    address,
    mechanism,
    packed,
    queries,
    room,
    template,
    ulong,
    ulongs,
    value_of,
)

if TYPE_CHECKING:
    from support.cryptoki import Served
    from support.pkcs11_module import Module

OK, BAD, SMALL = Ckr.CKR_OK, Ckr.CKR_ARGUMENTS_BAD, Ckr.CKR_BUFFER_TOO_SMALL
FILLING = b"\xa5"

ulongs_of_c = st.integers(0, 2**64 - 1)


# Two calls


def test_a_null_buffer_asks_for_the_length(module: Module, token: Served) -> None:
    length = ulong(99)
    assert module.C_Sign(1, b"abc", 3, None, ctypes.byref(length)) == OK
    assert length.value == 3
    assert token.program.seen == []


def test_a_short_buffer_gets_the_length_and_stays_as_it_was(module: Module, token: Served) -> None:
    buffer, length = room(8), ulong(2)
    assert module.C_Sign(1, b"abc", 3, buffer, ctypes.byref(length)) == SMALL
    assert length.value == 3
    assert buffer.raw == FILLING * 8
    assert token.program.seen == []


def test_a_large_buffer_gets_the_answer_and_nothing_behind_it(module: Module) -> None:
    buffer, length = room(8), ulong(8)
    assert module.C_Sign(1, b"abc", 3, buffer, ctypes.byref(length)) == OK
    assert length.value == 3
    assert buffer.raw == b"cba" + FILLING * 5


def test_a_buffer_of_just_the_length_is_enough(module: Module) -> None:
    buffer, length = room(3), ulong(3)
    assert module.C_Sign(1, b"abc", 3, buffer, ctypes.byref(length)) == OK
    assert buffer.raw == b"cba"


def test_a_buffer_whose_length_is_no_length_takes_the_answer(module: Module) -> None:
    buffer, length = room(3), ulong(UNAVAILABLE)
    assert module.C_Sign(1, b"abc", 3, buffer, ctypes.byref(length)) == OK
    assert length.value == 3


def test_null_in_place_of_the_length_is_refused(module: Module) -> None:
    assert module.C_Sign(1, b"abc", 3, room(3), None) == BAD
    assert module.C_Sign(1, b"abc", 3, None, None) == BAD


def test_an_error_leaves_the_length_as_it_was(module: Module) -> None:
    length = ulong(7)
    assert module.C_Sign(1, None, 3, room(8), ctypes.byref(length)) == BAD
    assert length.value == 7


def test_a_list_is_counted_in_elements(module: Module) -> None:
    count, slots = ulong(), ulongs(4)
    assert module.C_GetSlotList(0, None, ctypes.byref(count)) == OK
    assert count.value == len(SLOTS)

    count.value = 2
    assert module.C_GetSlotList(0, slots, ctypes.byref(count)) == SMALL
    assert count.value == len(SLOTS)
    assert list(slots) == [0] * 4

    count.value = 4
    assert module.C_GetSlotList(0, slots, ctypes.byref(count)) == OK
    assert count.value == len(SLOTS)
    assert tuple(slots) == (*SLOTS, 0)


def test_an_empty_list_needs_no_room(module: Module) -> None:
    count = ulong(0)
    assert module.C_GetMechanismList(1, ulongs(1), ctypes.byref(count)) == OK
    assert count.value == 0
    assert module.C_GetMechanismList(1, None, None) == BAD


@pytest.mark.parametrize("value", [1, 0xFF])
def test_any_byte_but_zero_is_true(module: Module, token: Served, value: int) -> None:
    count = ulong()
    assert module.C_GetSlotList(value, None, ctypes.byref(count)) == OK
    assert token.program.seen == [(True, None)]


def test_objects_are_found_in_as_many_calls_as_it_takes(module: Module) -> None:
    count, handles, found = ulong(99), ulongs(4), []
    assert module.C_FindObjectsInit(1, None, 0) == OK

    while module.C_FindObjects(1, handles, 4, ctypes.byref(count)) == OK and count.value:
        found += handles[: count.value]

    assert tuple(found) == OBJECTS


def test_finding_nothing_needs_no_room(module: Module) -> None:
    count = ulong(99)
    assert module.C_FindObjects(1, None, 0, ctypes.byref(count)) == OK
    assert count.value == 0
    assert module.C_FindObjects(1, None, 1, ctypes.byref(count)) == BAD
    assert module.C_FindObjects(1, ulongs(1), 1, None) == BAD


# NULL and empty


def test_no_pin_is_not_an_empty_pin(module: Module, token: Served) -> None:
    assert module.C_Login(1, 1, None, 0) == OK
    assert module.C_Login(1, 1, b"", 0) == OK
    assert module.C_Login(1, 1, b"1234", 4) == OK
    assert token.program.seen == [(1, 1, None), (1, 1, b""), (1, 1, b"1234")]


def test_null_with_a_length_is_refused_and_costs_nothing(module: Module, token: Served) -> None:
    assert module.C_Login(1, 1, None, 4) == BAD
    assert module.C_SetPIN(1, b"1234", 4, None, 4) == BAD
    assert module.C_Verify(1, None, 1, b"x", 1) == BAD
    assert token.program.seen == []


def test_data_may_be_null_when_it_is_empty(module: Module, token: Served) -> None:
    assert module.C_Verify(1, None, 0, b"", 0) == OK
    assert token.program.seen == [(b"", b"")]


def test_a_label_has_32_bytes(module: Module, token: Served) -> None:
    label = b"Label".ljust(32) + b"beyond"
    assert module.C_InitToken(1, b"12", 2, label) == OK
    assert module.C_InitToken(1, b"12", 2, None) == BAD
    assert token.program.seen == [(1, b"12", label[:32])]


def test_null_in_place_of_a_result_is_refused_before_anything_is_done(module: Module, token: Served) -> None:
    assert module.C_OpenSession(1, 4, None, None, None) == BAD
    assert module.C_GetInfo(None) == BAD
    assert module.C_GenerateKeyPair(1, ctypes.byref(mechanism(0)), None, 0, None, 0, None, None) == BAD
    assert token.program.seen == []


def test_applications_data_and_callback_are_ignored(module: Module, token: Served) -> None:
    handle = ulong()
    assert module.C_OpenSession(2, 6, 0x1234, 0x5678, ctypes.byref(handle)) == OK
    assert handle.value == 1
    assert token.program.seen == [(2, 6)]


@pytest.mark.parametrize("length", [2**28 + 1, 2**63, UNAVAILABLE])
def test_what_cannot_be_carried_is_refused_without_being_read(module: Module, length: int) -> None:
    signature = ulong(8)
    assert module.C_Sign(1, b"abc", length, room(8), ctypes.byref(signature)) == BAD
    assert module.C_FindObjectsInit(1, template((0, b"")), length) == BAD
    assert module.C_GetAttributeValue(1, 1, template((0, b"")), length) == BAD
    assert module.C_GenerateRandom(1, room(8), length) == BAD
    assert module.C_GetInfo(room(88)) == OK


# Structures


def test_texts_are_padded_with_spaces_and_cut_between_letters(module: Module) -> None:
    info = room(112)
    assert module.C_GetSlotInfo(17, info) == OK
    description, manufacturer = info.raw[:64].decode(), info.raw[64:96]
    assert description == ("Lesegerät " * 9)[: len(description)]
    assert manufacturer == b" " * 32
    assert info.raw[96:104] == packed(17)
    assert info.raw[104:108] == bytes((1, 2, 254, 255))
    assert info.raw[108:] == FILLING * 4


def test_a_failed_function_writes_no_structure(module: Module) -> None:
    info = room(112)
    assert module.C_GetSlotInfo(99, info) == Ckr.CKR_SLOT_ID_INVALID
    assert info.raw == FILLING * 112


def test_the_library_is_described(module: Module) -> None:
    info = room(88)
    assert module.C_GetInfo(info) == OK
    assert info.raw[:2] == bytes((2, 40))
    assert info.raw[2:34] == b"cardtwin".ljust(32)
    assert info.raw[40:48] == packed(0)
    assert info.raw[48:80] == b"A library whose description is t"[:32]
    assert info.raw[80:82] == bytes((3, 4))


def test_token_info_is_laid_out_as_in_c(module: Module) -> None:
    info = room(208)
    assert module.C_GetTokenInfo(1, info) == OK
    assert info.raw[:96] == b"Main".ljust(32) + b"m".ljust(32) + b"CardOS".ljust(16) + b"0123456789ABCDEF"
    assert info.raw[96:184] == packed(0x40D, 1, 2, 3, 4, 5, 6, UNAVAILABLE, 8, 9, 10)
    assert info.raw[184:188] == bytes((11, 12, 13, 14))
    assert info.raw[188:204] == b" " * 16


def test_mechanism_and_session_info_are_laid_out_as_in_c(module: Module) -> None:
    info = room(24)
    assert module.C_GetMechanismInfo(3, 0x1041, info) == OK
    assert info.raw == packed(3, 0x1041, 7)
    info = room(32)
    assert module.C_GetSessionInfo(5, info) == OK
    assert info.raw == packed(1, 2, 4, 5)


# Attributes


def test_attributes_are_read_in_two_calls(module: Module) -> None:
    asked = queries((Cka.CKA_LABEL, None), (Cka.CKA_ID, None), (Cka.CKA_MODULUS, None))
    assert module.C_GetAttributeValue(1, 2, asked, 3) == OK
    assert [each.length for each in asked] == [len(LABEL), 0, 256]

    asked = queries((Cka.CKA_LABEL, len(LABEL)), (Cka.CKA_ID, 0), (Cka.CKA_MODULUS, 300))
    assert module.C_GetAttributeValue(1, 2, asked, 3) == OK
    assert [value_of(each) for each in asked] == [LABEL, b"", bytes(range(256))]


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        (Cka.CKA_PRIVATE_EXPONENT, 300, Ckr.CKR_ATTRIBUTE_SENSITIVE),
        (Cka.CKA_PRIVATE_EXPONENT, None, Ckr.CKR_ATTRIBUTE_SENSITIVE),
        (Cka.CKA_START_DATE, 8, Ckr.CKR_ATTRIBUTE_TYPE_INVALID),
        (Cka.CKA_MODULUS, 255, SMALL),
        (Cka.CKA_WRAP_TEMPLATE, 24, Ckr.CKR_ATTRIBUTE_TYPE_INVALID),
    ],
)
def test_what_cannot_be_had_is_unavailable_and_the_rest_is_filled_in(
    module: Module, kind: int, size: int | None, expected: Ckr
) -> None:
    asked = queries((Cka.CKA_LABEL, 40), (kind, size), (Cka.CKA_MODULUS, 256))
    assert module.C_GetAttributeValue(1, 2, asked, 3) == expected
    assert value_of(asked[0]) == LABEL
    assert asked[1].length == UNAVAILABLE
    assert value_of(asked[2]) == bytes(range(256))


def test_no_attributes_are_no_mistake(module: Module) -> None:
    assert module.C_GetAttributeValue(1, 2, None, 0) == OK
    assert module.C_GetAttributeValue(1, 2, None, 1) == BAD
    assert module.C_CreateObject(1, None, 1, ctypes.byref(ulong())) == BAD


def test_an_attribute_without_its_value_is_refused(module: Module) -> None:
    broken = template((Cka.CKA_LABEL, b"x"))
    broken[0].value = None
    assert module.C_CreateObject(1, broken, 1, ctypes.byref(ulong())) == BAD


def test_templates_within_templates_are_refused(module: Module, token: Served) -> None:
    inner = template((Cka.CKA_LABEL, b"x"))
    outer = template((Cka.CKA_WRAP_TEMPLATE, bytes(inner)))
    assert module.C_CreateObject(1, outer, 1, ctypes.byref(ulong())) == Ckr.CKR_ATTRIBUTE_TYPE_INVALID
    assert token.program.seen == []


attributes = st.tuples(ulongs_of_c, st.none() | st.binary(max_size=50))
"""Types and values of attributes, NULL among them."""


@many
@given(wanted=st.lists(attributes.filter(lambda one: not 0x40000211 <= one[0] <= 0x40000213), max_size=20))
def test_any_attributes_come_through(
    module: Module, token: Served, wanted: list[tuple[int, bytes | None]]
) -> None:
    handle = ulong()
    assert module.C_CreateObject(1, template(*wanted), len(wanted), ctypes.byref(handle)) == OK
    assert handle.value == len(wanted)
    assert token.program.seen[-1] == tuple(Attribute(kind, value or b"") for kind, value in wanted)


@many
@given(session=ulongs_of_c, data=st.binary(max_size=10_000))
def test_any_data_comes_through_both_ways(module: Module, token: Served, session: int, data: bytes) -> None:
    buffer, length = room(len(data) + 1), ulong(len(data))
    assert module.C_Sign(session, data, len(data), buffer, ctypes.byref(length)) == OK
    assert token.program.seen[-1] == (session, data)
    assert buffer.raw == data[::-1] + FILLING
    assert length.value == len(data)


@pytest.mark.parametrize("size", [4_000, 65_536, 70_000, 5_000_000])
def test_data_of_any_length_comes_through_both_ways(module: Module, size: int) -> None:
    data = bytes(size - 5) + b"12345"
    buffer, length = room(size), ulong(size)
    assert module.C_Sign(1, data, size, buffer, ctypes.byref(length)) == OK
    assert buffer.raw == data[::-1]


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_random_data_fills_the_buffer(module: Module, size: int) -> None:
    buffer = room(size + 1)
    assert module.C_GenerateRandom(1, buffer, size) == OK
    assert buffer.raw == bytes(each % 251 for each in range(size)) + FILLING
    assert module.C_GenerateRandom(1, None, 1) == BAD


def test_our_functions_carry_names_and_values(module: Module, token: Served) -> None:
    kept = [address(text) for text in (b"CN", b"Ann", b"PIN1", b"1234")]
    values = [packed(kept[at][1], 2 if at == 0 else 4, kept[at + 1][1], 3 if at == 0 else 4) for at in (0, 2)]
    assert module.cardtwin_InitTokenPPA(1, b"profile", 7, values[0], 1, values[1], 1, None, 0) == OK
    assert token.program.seen == [
        (b"profile", (NamedValue("CN", b"Ann"),), (NamedValue("PIN1", b"1234"),), b"")
    ]


def test_two_handles_come_back_in_order(module: Module, token: Served) -> None:
    public, private = ulong(), ulong()
    rv = module.C_GenerateKeyPair(
        1,
        ctypes.byref(mechanism(0)),
        template((Cka.CKA_MODULUS_BITS, packed(2048))),
        1,
        template((Cka.CKA_TOKEN, b"\1"), (Cka.CKA_ID, b"\5")),
        2,
        ctypes.byref(public),
        ctypes.byref(private),
    )
    assert (rv, public.value, private.value) == (OK, 71, 72)
    _, publics, privates = token.program.seen[-1]
    assert publics == (Attribute.of(Cka.CKA_MODULUS_BITS, 2048),)
    assert privates == (Attribute.of(Cka.CKA_TOKEN, True), Attribute.of(Cka.CKA_ID, b"\5"))  # noqa: FBT003
