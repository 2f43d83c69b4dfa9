"""The table of functions, the Python functions registered for it, and the C code that follows from it."""

from __future__ import annotations

import pytest

from cardtwin.cryptoki.calls import Registry
from cardtwin.cryptoki.constants import Cka, Ckm, SlotFlag, name_of
from cardtwin.cryptoki.functions import BY_NAME, FUNCTIONS, OWN, STANDARD, Kind, Parameter
from cardtwin.cryptoki.native.generate import stubs
from cardtwin.cryptoki.structures import (
    INFO_STRUCTURES,
    PARAMETER_STRUCTURES,
    RsaPkcsPssParams,
    Structure,
    Ulong,
    structure_of,
)
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism, Query
from cardtwin.middleware import Ckr


def test_the_table_has_all_functions_of_2_40_in_their_order() -> None:
    names = [function.name for function in STANDARD]
    assert len(names) == 68
    assert names[:4] == ["C_Initialize", "C_Finalize", "C_GetInfo", "C_GetFunctionList"]
    assert names[-4:] == ["C_GenerateRandom", "C_GetFunctionStatus", "C_CancelFunction", "C_WaitForSlotEvent"]
    assert len({function.name for function in FUNCTIONS}) == len(FUNCTIONS)


def test_the_number_of_a_function_is_its_place() -> None:
    assert [function.number for function in FUNCTIONS] == list(range(len(FUNCTIONS)))


def test_our_functions_never_go_by_a_name_of_the_standard() -> None:
    assert all(function.name.startswith("cardtwin_") for function in OWN)


def test_a_parameter_has_as_many_names_as_c_has_parameters_for_it() -> None:
    with pytest.raises(TypeError, match="BUFFER_OUT has 2 names in C, not 1"):
        Parameter(Kind.BUFFER_OUT, ("pData",))


def test_a_structure_has_the_fields_of_its_class() -> None:
    with pytest.raises(TypeError, match="CK_X and RsaPkcsPssParams have not as many fields"):
        Structure("CK_X", RsaPkcsPssParams, (Ulong("one"),))


def test_each_mechanism_has_one_structure_at_most() -> None:
    mechanisms = [each for structure in PARAMETER_STRUCTURES for each in structure.mechanisms]
    assert len(set(mechanisms)) == len(mechanisms)
    assert structure_of(Ckm.CKM_RSA_PKCS) is None


def test_the_generated_code_is_the_same_each_time_and_has_every_function_and_structure() -> None:
    code = stubs()
    assert code == stubs()

    for function in FUNCTIONS:
        assert f" {function.name}(" in code

    for structure in (*INFO_STRUCTURES, *PARAMETER_STRUCTURES):
        assert f"}} {structure.name};" in code


@pytest.mark.parametrize("name", ["C_Initialize", "C_Finalize", "C_GetFunctionList", "C_Nothing"])
def test_what_is_done_in_c_or_nowhere_cannot_be_registered(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} is no function that can be written in Python"):
        Registry().function(name)(lambda application: None)


def test_a_function_with_another_number_of_arguments_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="C_Login takes 4 arguments, the application included, and not 3"):
        Registry().function("C_Login")(lambda application, session, pin: None)


def test_a_function_is_registered_once() -> None:
    functions = Registry()
    functions.function("C_Logout")(lambda application, session: None)

    with pytest.raises(TypeError, match="C_Logout is there twice"):
        functions.function("C_Logout")(lambda application, session: 1)

    assert functions.names() == ("C_Logout",)
    assert functions.find("C_Login") is None


def test_arguments_and_results_are_told_by_the_kinds_of_parameters() -> None:
    open_session, sign = BY_NAME["C_OpenSession"], BY_NAME["C_Sign"]
    assert [each.names[0] for each in open_session.arguments] == ["slotID", "flags"]
    assert [each.names[0] for each in open_session.results] == ["phSession"]
    assert [each.names[0] for each in sign.arguments] == ["hSession", "pData", "pSignature"]
    assert [each.names[0] for each in sign.results] == ["pSignature"]


# Values


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, b"\1"), (False, b"\0"), (258, b"\2\1" + bytes(6)), ("ü", b"\xc3\xbc"), (b"x", b"x")],
)
def test_an_attribute_is_made_of_what_it_means(value: bool | int | str | bytes, expected: bytes) -> None:
    assert Attribute.of(Cka.CKA_LABEL, value).value == expected


def test_an_attribute_gives_what_it_means_back() -> None:
    assert Attribute.of(Cka.CKA_TOKEN, True).boolean  # noqa: FBT003  # CK_BBOOL is a value
    assert Attribute.of(Cka.CKA_KEY_TYPE, 3).ulong == 3
    assert Attribute.of(Cka.CKA_LABEL, "ü").text == "ü"


def test_an_attribute_that_is_something_else_has_an_invalid_value_and_doesnt_show_it() -> None:
    for read in (
        lambda: Attribute(Cka.CKA_TOKEN, b"secret").boolean,
        lambda: Attribute(Cka.CKA_KEY_TYPE, b"secret").ulong,
        lambda: Attribute(Cka.CKA_LABEL, b"secret\xff").text,
    ):
        with pytest.raises(Exception, match="CKR_ATTRIBUTE_VALUE_INVALID: CKA_") as caught:
            read()

        assert "secret" not in str(caught.value)

    assert "secret" not in repr(Attribute(Cka.CKA_VALUE, b"secret"))


def test_a_buffer_answers_by_its_room() -> None:
    assert Buffer[bytes](None).is_query
    assert Buffer[bytes](None).answer(b"abc").length == 3
    assert Buffer[bytes](None).answer(b"abc").content is None
    assert Buffer[bytes](2).answer(b"abc").rv is Ckr.CKR_BUFFER_TOO_SMALL
    assert Buffer[bytes](3).without_room(3) is None
    assert Buffer[bytes](3).answer(b"abc").content == b"abc"
    assert Buffer[bytes](0).answer(b"").content == b""


def test_a_query_answers_by_its_room() -> None:
    assert Query(Cka.CKA_ID, None).answer(b"abc").length == 3
    assert Query(Cka.CKA_ID, None).answer(b"abc").value is None
    assert Query(Cka.CKA_ID, 2).answer(b"abc").rv is Ckr.CKR_BUFFER_TOO_SMALL
    assert Query(Cka.CKA_ID, 3).answer(b"abc").value == b"abc"
    assert Query(Cka.CKA_UNWRAP_TEMPLATE, 24).answer(b"").rv is Ckr.CKR_ATTRIBUTE_TYPE_INVALID


def test_a_mechanism_that_takes_no_parameter_refuses_one() -> None:
    Mechanism(Ckm.CKM_SHA256).no_params()

    with pytest.raises(Exception, match="CKR_MECHANISM_PARAM_INVALID: CKM_SHA256 takes no parameter"):
        Mechanism(Ckm.CKM_SHA256, b"x").no_params()


def test_values_without_a_name_are_shown_as_digits() -> None:
    assert name_of(Ckm, 0x250) == "CKM_SHA256"
    assert name_of(Ckm, 0x80000123) == "0x80000123"
    assert SlotFlag(0x3) == SlotFlag.CKF_TOKEN_PRESENT | SlotFlag.CKF_REMOVABLE_DEVICE
