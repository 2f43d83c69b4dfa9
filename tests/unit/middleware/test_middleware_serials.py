"""The token's serial number, and the PUK, on emulated cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.entropy import SeededEntropy
from cardtwin.iso7816 import Tlv
from cardtwin.middleware import (
    LONGEST_SERIAL,
    Ckr,
    Installation,
    InstallationError,
    Login,
    MiddlewareError,
    PersonalDesktopClient,
    UserType,
    Version,
)
from cardtwin.middleware.serial import serial_bytes, serial_text
from cardtwin.pkcs15 import Pkcs15Error, TokenInfo, renumbered
from cardtwin.plan import Secret
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.provenance import Switches
from support.programs import PUK, Desk
from support.tokens import READER

if TYPE_CHECKING:
    from collections.abc import Callable

NEW = Secret.of("11112222")
WRITTEN = "4711000000000815"
AS_OFFICER = Login(UserType.SO, PUK)


def client(desk: Desk, version: str = "5.17.0", **switches: str) -> PersonalDesktopClient:
    chosen = {name.replace("__", ".").replace("_", "-"): value for name, value in switches.items()}
    return PersonalDesktopClient(
        desk.manager.context(),
        Installation(version=version),
        entropy=SeededEntropy("client"),
        codec=CmsPinBlobCodec(),
        switches=Switches(chosen),
    )


def failure(call: Callable[[], object]) -> MiddlewareError:
    with pytest.raises(MiddlewareError) as caught:
        call()

    return caught.value


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=LONGEST_SERIAL))
def test_a_serial_number_comes_back_as_it_was_given(text: str) -> None:
    assert serial_text(serial_bytes(text)) == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (WRITTEN, bytes.fromhex(WRITTEN)),
        ("AB0", b"AB0"),
        ("ab01", b"ab01"),
        ("3132", b"3132"),
        ("NX 7", b"NX 7"),
    ],
)
def test_pairs_of_hexadecimal_digits_are_packed_and_texts_are_not(text: str, stored: bytes) -> None:
    assert serial_bytes(text) == stored


@pytest.mark.parametrize("text", ["", " 1", "1 ", "x" * 33, "\u00e4", "1\n"])
def test_what_is_no_serial_number_is_refused(text: str) -> None:
    assert failure(lambda: serial_bytes(text)).rv is Ckr.CKR_ARGUMENTS_BAD


def test_another_serial_number_leaves_the_rest_of_token_info_as_it_is() -> None:
    info = TokenInfo(serial=b"\x01\x02", manufacturer="somebody", label="a token")
    foreign = Tlv.parse(info.encode())
    with_more = Tlv(0x30, foreign.value + bytes.fromhex("830F32303235303130313030303030305A")).encode()
    changed = renumbered(with_more + bytes(20), b"\x09" * 8)
    assert changed == with_more.replace(
        bytes.fromhex("04020102"), bytes.fromhex("0408") + b"\x09" * 8
    ).replace(with_more[:2], bytes((0x30, with_more[1] + 6)), 1)
    assert TokenInfo.parse(changed).label == "a token"


@pytest.mark.parametrize(
    "content", [b"", bytes(8), bytes.fromhex("300402000401"), bytes.fromhex("0401FF"), b"\x30\x00"]
)
def test_what_is_no_token_info_gets_no_serial_number(content: bytes) -> None:
    with pytest.raises(Pkcs15Error):
        renumbered(content, b"\x01")


@pytest.mark.parametrize("model", ["cardos-4.4", "cardos-5.3", "cosmo-8.2"])
@pytest.mark.parametrize("number", [WRITTEN, "NX-0815"])
def test_the_security_officer_overrides_the_serial_number(model: str, number: str) -> None:
    desk = Desk(model)
    middleware = client(desk)
    chip = middleware.chip_serial(READER)
    assert middleware.card_number(READER) == chip.hex().upper()
    middleware.set_serial(READER, number, AS_OFFICER)
    assert middleware.card_number(READER) == number
    assert middleware.chip_serial(READER) == chip
    program = desk.program()
    assert program("C_GetTokenInfo", program.slots()[0]).serial_number == number
    assert middleware.token(READER).label == client(Desk(model)).token(READER).label


def test_without_the_login_the_serial_number_stays() -> None:
    desk = Desk()
    before = desk.card.image
    assert failure(lambda: client(desk).set_serial(READER, WRITTEN)).rv is Ckr.CKR_USER_NOT_LOGGED_IN
    assert desk.card.image == before


def test_a_wrong_puk_costs_a_try_and_writes_nothing() -> None:
    desk = Desk()
    error = failure(lambda: client(desk).set_serial(READER, WRITTEN, Login(UserType.SO, NEW)))
    assert error.rv is Ckr.CKR_PIN_INCORRECT
    assert desk.tries(2) == 9
    assert client(desk).card_number(READER) != WRITTEN


def test_a_blank_card_has_no_place_for_a_serial_number() -> None:
    error = failure(lambda: client(Desk(blank=True)).set_serial(READER, WRITTEN))
    assert error.rv is Ckr.CKR_TOKEN_NOT_RECOGNIZED


def test_the_login_is_over_after_the_serial_number_is_written() -> None:
    desk = Desk()
    client(desk).set_serial(READER, WRITTEN, AS_OFFICER)
    assert failure(lambda: client(desk).set_serial(READER, "4711")).rv is Ckr.CKR_USER_NOT_LOGGED_IN


@pytest.mark.parametrize(
    ("model", "version", "changes"),
    [
        ("cosmo-8.2", "5.7.1", False),
        ("cosmo-8.2", "5.7.2", True),
        ("cosmo-7", "5.17.0", True),
        ("cardos-5.3", "5.7.2", False),
        ("cardos-4.4", "5.17.0", False),
    ],
)
def test_the_puk_changes_by_version_and_card(model: str, version: str, changes: bool) -> None:
    desk = Desk(model)
    middleware = client(desk, version)

    if changes:
        middleware.change_pin(READER, PUK, NEW, pin="puk")
        middleware.verify_pin(READER, NEW, pin="puk")
    else:
        error = failure(lambda: middleware.change_pin(READER, PUK, NEW, pin="puk"))
        assert isinstance(error, InstallationError)
        assert error.rv is Ckr.CKR_FUNCTION_NOT_SUPPORTED
        middleware.verify_pin(READER, PUK, pin="puk")


def test_a_wrong_puk_is_not_presented_where_none_is_changed() -> None:
    desk = Desk()
    failure(lambda: client(desk).change_pin(READER, NEW, NEW, pin="puk"))
    assert desk.tries(2) == 10


def test_where_the_card_alone_decides_every_puk_changes() -> None:
    desk = Desk()
    client(desk, "5.1", middleware__puk_change="any").change_pin(READER, PUK, NEW, pin="puk")
    client(desk).verify_pin(READER, NEW, pin="puk")


def test_versions_compare_by_their_numbers() -> None:
    assert Version.of("5.7.2") < Version.of("5.17.0") < Version.of("21.04.3")
    assert str(Version.of("21.04.3")) == "21.04.3"

    for text in ("", "5.", "5.a", "-1"):
        with pytest.raises(ValueError, match="no version"):
            Version.of(text)
