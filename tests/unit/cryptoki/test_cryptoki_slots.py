from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Ckm, Cku, MechanismFlag, SlotFlag, TokenFlag, WaitFlag
from cardtwin.cryptoki.values import Buffer
from cardtwin.events import CallBegan
from cardtwin.middleware import Ckr
from cardtwin.pcsc import Protocol
from cardtwin.provenance import Switches
from support.programs import MAIN, PIN, PUK, RW, SIGNATURE, WRONG, Desk, Program, configured
from support.tokens import MODELS, READER

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOM: Buffer[list[int]] = Buffer(50)


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    yield program
    program.close()


def flags_of(program: Program, slot: int = MAIN) -> TokenFlag:
    return TokenFlag(program("C_GetTokenInfo", slot).flags)


def test_the_library_describes_itself_as_cardtwins(program: Program) -> None:
    info = program("C_GetInfo")

    assert (info.library_description, info.manufacturer_id) == ("cardtwin PKCS 11", "cardtwin")
    assert (info.library_version.major, info.library_version.minor) == (5, 17)


def test_a_switch_gives_the_description_that_was_measured(desk: Desk) -> None:
    program = desk.program(switches=Switches({"cryptoki.library-name": "Personal NG PKCS 11"}))

    assert program("C_GetInfo").library_description == "Personal NG PKCS 11"


def test_a_reader_has_a_slot_for_each_pin(program: Program) -> None:
    assert program.slots() == [MAIN, SIGNATURE]


def test_the_list_tells_its_length_first_and_demands_room_for_all(program: Program) -> None:
    present = False
    query = program("C_GetSlotList", present, Buffer(None))
    rv, results = program.ask("C_GetSlotList", present, Buffer(1))

    assert (query.length, query.content) == (2, None)
    assert (rv, results[0].length) == (Ckr.CKR_BUFFER_TOO_SMALL, 2)


def test_empty_readers_are_slots_without_a_token(desk: Desk, program: Program) -> None:
    desk.manager.add_reader("Reader 2")

    assert program.slots() == [MAIN, SIGNATURE, 3]
    assert program.slots(present=True) == [MAIN, SIGNATURE]
    assert not program("C_GetSlotInfo", 3).flags & SlotFlag.CKF_TOKEN_PRESENT
    assert program.rv("C_GetTokenInfo", 3) is Ckr.CKR_TOKEN_NOT_PRESENT
    assert program.rv("C_OpenSession", 3, RW) is Ckr.CKR_TOKEN_NOT_PRESENT
    assert program.rv("C_GetMechanismList", 3, ROOM) is Ckr.CKR_TOKEN_NOT_PRESENT


def test_a_slot_keeps_its_number_when_readers_and_cards_come_and_go(desk: Desk, program: Program) -> None:
    program.slots()
    desk.manager.add_reader("Reader 2")
    desk.manager.remove(READER)

    assert program.slots() == [MAIN, SIGNATURE, 3]
    assert program.slots(present=True) == []
    desk.manager.insert(READER, desk.card)
    assert program.slots(present=True) == [MAIN, SIGNATURE]


def test_a_card_without_a_signature_pin_has_one_slot(desk: Desk) -> None:
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.new_card(None))
    program = desk.program()

    assert program.slots() == [MAIN]
    assert program.rv("C_GetTokenInfo", SIGNATURE) is Ckr.CKR_SLOT_ID_INVALID


def test_a_signature_slot_is_empty_while_a_card_without_such_a_pin_is_in_the_reader(
    desk: Desk, program: Program
) -> None:
    program.slots()
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.new_card(None))

    assert program.slots(present=True) == [MAIN]
    assert program.rv("C_GetTokenInfo", SIGNATURE) is Ckr.CKR_TOKEN_NOT_PRESENT


def test_slots_that_never_were_are_invalid(program: Program) -> None:
    for name, arguments in (
        ("C_GetSlotInfo", ()),
        ("C_GetTokenInfo", ()),
        ("C_OpenSession", (RW,)),
        ("C_CloseAllSessions", ()),
        ("C_GetMechanismInfo", (Ckm.CKM_RSA_PKCS,)),
    ):
        assert program.rv(name, 77, *arguments) is Ckr.CKR_SLOT_ID_INVALID


def test_skipped_readers_are_out_of_sight(desk: Desk) -> None:
    program = desk.program(configuration=configured("[Reader]", "SkipReader=Reader .*"))

    assert program.slots() == []
    assert program.rv("C_GetSlotInfo", MAIN) is Ckr.CKR_SLOT_ID_INVALID


def test_a_slot_is_described_by_its_reader(program: Program) -> None:
    info = program("C_GetSlotInfo", MAIN)

    assert info.slot_description == READER
    assert info.flags == SlotFlag.CKF_TOKEN_PRESENT | SlotFlag.CKF_REMOVABLE_DEVICE | SlotFlag.CKF_HW_SLOT


def test_a_token_tells_label_serial_number_pin_lengths_and_sessions(desk: Desk, program: Program) -> None:
    program("C_OpenSession", MAIN, int(RW))
    info = program("C_GetTokenInfo", MAIN)

    assert info.label == f"cardtwin {'CardOS 5.3' if '5.3' in desk.model.name else 'CardOS 4.4'}"
    assert info.serial_number == desk.model.serial.hex().upper()[-16:]
    assert (info.min_pin_len, info.max_pin_len) == (4, 8)
    assert (info.session_count, info.rw_session_count) == (1, 1)


def test_the_signature_slots_token_is_named_after_its_pin(program: Program) -> None:
    program.slots()
    label = program("C_GetTokenInfo", SIGNATURE).label

    assert label.endswith(" (Signature PIN)")
    assert len(label) == 32


def test_a_token_tells_that_it_is_initialised_and_demands_a_login(program: Program) -> None:
    expected = (
        TokenFlag.CKF_RNG
        | TokenFlag.CKF_LOGIN_REQUIRED
        | TokenFlag.CKF_USER_PIN_INITIALIZED
        | TokenFlag.CKF_TOKEN_INITIALIZED
    )

    assert flags_of(program) == expected


def test_an_empty_card_is_a_token_that_is_not_initialised_and_has_no_pin(desk: Desk) -> None:
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.new_card(None))
    program = desk.program()
    session = program.session()

    assert flags_of(program) == TokenFlag.CKF_RNG
    assert program.rv("C_Login", session, Cku.CKU_USER, PIN) is Ckr.CKR_USER_PIN_NOT_INITIALIZED
    assert program.rv("C_Login", session, Cku.CKU_SO, PUK) is Ckr.CKR_USER_PIN_NOT_INITIALIZED


def test_flags_tell_wrong_pins_as_far_as_the_card_does(desk: Desk, program: Program) -> None:
    tells = desk.model.name == "cardos-5.3"
    session = program.session()
    low, final, locked = (
        TokenFlag.CKF_USER_PIN_COUNT_LOW,
        TokenFlag.CKF_USER_PIN_FINAL_TRY,
        TokenFlag.CKF_USER_PIN_LOCKED,
    )

    program.rv("C_Login", session, Cku.CKU_USER, WRONG)
    assert flags_of(program) & (low | final | locked) == low
    program.rv("C_Login", session, Cku.CKU_USER, WRONG)
    assert flags_of(program) & (low | final | locked) == (low | final if tells else low)
    program.rv("C_Login", session, Cku.CKU_USER, WRONG)
    program.rv("C_Login", session, Cku.CKU_USER, WRONG)
    assert flags_of(program) & (low | final | locked) == low | locked


def test_another_programs_wrong_pin_shows_where_the_card_tells_tries(desk: Desk, program: Program) -> None:
    other = desk.program()
    other.rv("C_Login", other.session(), Cku.CKU_USER, WRONG)

    shown = bool(flags_of(program) & TokenFlag.CKF_USER_PIN_COUNT_LOW)

    assert shown is (desk.model.name == "cardos-5.3")


def test_the_flags_of_the_so_are_about_the_puk(program: Program) -> None:
    program.rv("C_Login", program.session(), Cku.CKU_SO, WRONG)

    assert flags_of(program) & TokenFlag.CKF_SO_PIN_COUNT_LOW
    assert not flags_of(program) & TokenFlag.CKF_USER_PIN_COUNT_LOW


def test_a_right_pin_takes_the_flag_back(program: Program) -> None:
    session = program.session()
    program.rv("C_Login", session, Cku.CKU_USER, WRONG)
    program("C_Login", session, Cku.CKU_USER, PIN)

    assert not flags_of(program) & TokenFlag.CKF_USER_PIN_COUNT_LOW


def test_mechanisms_are_those_of_the_card_model(desk: Desk, program: Program) -> None:
    offered = set(program("C_GetMechanismList", MAIN, ROOM).content)
    curves = {Ckm.CKM_ECDSA, Ckm.CKM_ECDSA_SHA256, Ckm.CKM_ECDH1_DERIVE}

    assert {Ckm.CKM_RSA_PKCS, Ckm.CKM_SHA256_RSA_PKCS_PSS, Ckm.CKM_RSA_PKCS_OAEP, Ckm.CKM_SHA512} <= offered
    assert offered & curves == (curves if desk.model.name == "cardos-5.3" else set())


def test_key_sizes_are_those_that_the_card_takes(desk: Desk, program: Program) -> None:
    info = program("C_GetMechanismInfo", MAIN, Ckm.CKM_RSA_PKCS)

    assert (info.min_key_size, info.max_key_size) == (512, 3072 if desk.model.name == "cardos-5.3" else 2048)
    assert info.flags & MechanismFlag.CKF_HW


def test_a_digest_is_not_the_cards(program: Program) -> None:
    info = program("C_GetMechanismInfo", MAIN, Ckm.CKM_SHA256)

    assert info.flags == MechanismFlag.CKF_DIGEST


def test_a_mechanism_that_is_not_offered_has_no_description(program: Program) -> None:
    assert program.rv("C_GetMechanismInfo", MAIN, Ckm.CKM_AES_CBC) is Ckr.CKR_MECHANISM_INVALID


def test_every_mechanism_in_the_list_has_a_description(program: Program) -> None:
    for mechanism in program("C_GetMechanismList", MAIN, ROOM).content:
        assert program("C_GetMechanismInfo", MAIN, mechanism).flags


def test_without_an_event_nothing_is_told(program: Program) -> None:
    assert program.rv("C_WaitForSlotEvent", WaitFlag.CKF_DONT_BLOCK) is Ckr.CKR_NO_EVENT


def test_removal_and_insertion_are_told_once_for_each_slot(desk: Desk, program: Program) -> None:
    program.slots()
    desk.manager.remove(READER)

    assert [program("C_WaitForSlotEvent", WaitFlag.CKF_DONT_BLOCK) for _ in range(2)] == [MAIN, SIGNATURE]
    assert program.rv("C_WaitForSlotEvent", WaitFlag.CKF_DONT_BLOCK) is Ckr.CKR_NO_EVENT
    desk.manager.insert(READER, desk.card)
    assert program("C_WaitForSlotEvent", WaitFlag.CKF_DONT_BLOCK) == MAIN


def test_a_reset_is_no_event(desk: Desk, program: Program) -> None:
    program.session()
    desk.manager.reset(READER)

    assert program.rv("C_WaitForSlotEvent", WaitFlag.CKF_DONT_BLOCK) is Ckr.CKR_NO_EVENT


class Waiter(threading.Thread):
    """Waits for an event in a thread of its own."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self.answer: tuple[Ckr, tuple[int, ...]] | None = None
        self.start()

    def run(self) -> None:
        self.answer = self._program.ask("C_WaitForSlotEvent", 0)


def test_waiting_ends_with_an_insertion_while_other_calls_go_on(desk: Desk) -> None:
    desk.manager.add_reader("Reader 2")
    program = desk.program()
    waiter = Waiter(program)
    program.user_session()
    desk.manager.insert("Reader 2", desk.new_card(None))
    waiter.join(20)

    assert waiter.answer == (Ckr.CKR_OK, (3,))


def test_waiting_ends_with_the_program(desk: Desk) -> None:
    program = desk.program()
    waiter = Waiter(program)
    program.close()
    waiter.join(20)

    assert waiter.answer is not None
    assert waiter.answer[0] is Ckr.CKR_CRYPTOKI_NOT_INITIALIZED


def test_a_closed_program_is_not_initialised(desk: Desk) -> None:
    program = desk.program()
    program.close()

    assert program.rv("C_GetInfo") is Ckr.CKR_CRYPTOKI_NOT_INITIALIZED


def test_calls_are_told_with_their_pins_masked(desk: Desk, program: Program) -> None:
    program.user_session()
    calls = [event for event in desk.events if isinstance(event, CallBegan)]

    assert [each.call.what for each in calls] == ["C_OpenSession", "C_Login"]
    assert dict(calls[1].arguments)["pPin"] == "**"
    assert PIN.reveal().decode() not in repr(calls)


def test_an_unknown_card_is_present_but_not_recognised(desk: Desk) -> None:
    desk.manager.remove(READER)
    desk.manager.insert(READER, StrangeCard())
    program = desk.program()

    assert program.slots(present=True) == [MAIN]
    assert program.rv("C_GetTokenInfo", MAIN) is Ckr.CKR_TOKEN_NOT_RECOGNIZED
    assert program.rv("C_OpenSession", MAIN, int(RW)) is Ckr.CKR_TOKEN_NOT_RECOGNIZED


class StrangeCard:
    """A card that refuses everything."""

    def __init__(self) -> None:
        self.protocol = Protocol.T1

    def power_on(self, protocol: object) -> bytes:
        return bytes.fromhex("3B8001 81")

    def process(self, command: bytes) -> bytes:
        return bytes.fromhex("6D00")

    def power_off(self) -> None:
        return None
