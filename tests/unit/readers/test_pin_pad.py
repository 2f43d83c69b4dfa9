"""A reader's PIN pad, in this process and on the socket."""

from __future__ import annotations

import struct
import threading
from typing import TYPE_CHECKING

import pytest

from cardtwin.events import Event, Exchange, Hub, PinPadAnswer, PinPadUsed, PinPrompt
from cardtwin.pcsc import (
    CardRemovedError,
    CardResetError,
    Feature,
    InvalidHandleError,
    InvalidParameterError,
    NoSmartCardError,
    PinModification,
    PinVerification,
    ShareMode,
    SharingViolationError,
    UnsupportedFeatureError,
)
from cardtwin.readers import NoPinPadError, PinEntry, PinPad, ReaderManager
from support.cards import LOGIN, ScriptedCard
from support.pcsclite import INSUFFICIENT_BUFFER, SUCCESS, UNSUPPORTED, RawClient, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GET_FEATURE_REQUEST = 0x42000D48
VERIFY = PinVerification(format_string=0x82, min_digits=4, max_digits=8, command=LOGIN[:4])
CHANGE = PinModification(
    format_string=0x82,
    pin_block_string=8,
    insertion_offset_new=8,
    min_digits=4,
    max_digits=8,
    confirmation=3,
    command=bytes.fromhex("00240081 10") + bytes(16),
)


def entries(*texts: str) -> list[PinEntry]:
    return [PinEntry.parse(text) for text in texts]


class WatchedPad(PinPad):
    """A PIN pad that tells when it has asked for something."""

    def __init__(self, *, patient: bool) -> None:
        super().__init__(patient=patient)
        self.asked = threading.Event()

    def ask(self, seconds: float, check: Callable[[], object]) -> PinEntry:
        self.asked.set()
        return super().ask(seconds, check)


class Place:
    """A card in a reader with a PIN pad, and a program that is connected to it."""

    def __init__(self, *, patient: bool = False) -> None:
        self.hub = Hub()
        self.events: list[Event] = []
        self.hub.subscribe(self.events.append)
        self.card = ScriptedCard()
        self.manager = ReaderManager(self.hub)
        self.pinpad = WatchedPad(patient=patient)
        self.manager.add_reader("R1", pinpad=self.pinpad)
        self.manager.insert("R1", self.card)
        self.context = self.manager.context()
        self.connection = self.context.connect("R1")

    def enter(self, *texts: str) -> None:
        self.manager.enter("R1", entries(*texts))

    def verify(self) -> bytes:
        code = self.connection.features()[Feature.VERIFY_PIN_DIRECT]
        return self.connection.control(code, VERIFY.encode())

    def change(self) -> bytes:
        code = self.connection.features()[Feature.MODIFY_PIN_DIRECT]
        return self.connection.control(code, CHANGE.encode())


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def patient() -> Iterator[Place]:
    place = Place(patient=True)
    yield place
    place.context.release()


class Caller(threading.Thread):
    """Calls VERIFY at the PIN pad in another thread; it has asked when this is made."""

    def __init__(self, place: Place) -> None:
        super().__init__(daemon=True)
        self.place = place
        self.answer: bytes | None = None
        self.error: Exception | None = None
        self.start()
        assert place.pinpad.asked.wait(20)

    def run(self) -> None:
        try:
            self.answer = self.place.verify()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            self.error = error

    def ended(self) -> None:
        self.join(20)
        assert not self.is_alive()


def test_what_is_entered_goes_to_the_card_and_its_answer_comes_back(place: Place) -> None:
    place.enter("1234")
    assert place.verify() == b"\x90\x00"
    assert place.card.log == [LOGIN]
    assert place.card.logged_in


def test_a_list_of_entries_goes_on_until_something_goes_wrong(place: Place) -> None:
    place.enter("1234", "123", "9999")
    place.enter("1234")
    assert place.verify() == b"\x90\x00"
    assert place.verify() == bytes.fromhex("6403")
    assert place.verify() == b"\x90\x00"
    assert place.verify() == bytes.fromhex("6400")


def test_where_the_card_refuses_a_pin_the_person_enters_no_more(place: Place) -> None:
    place.card.answer = lambda _: bytes.fromhex("63C2")
    place.enter("9999", "5678", "5678")
    assert place.verify() == bytes.fromhex("63C2")
    assert place.verify() == bytes.fromhex("6400")


def test_a_command_that_asks_for_more_goes_on_with_the_next_list(place: Place) -> None:
    place.enter("1234")
    place.enter("5678", "5678")
    assert place.change() == b"\x90\x00"
    blocks = [pin.ljust(8, b"\0") for pin in (b"1234", b"5678")]
    assert place.card.log == [bytes.fromhex("00240081 10") + b"".join(blocks)]


@pytest.mark.parametrize(("word", "status"), [("cancel", "6401"), ("timeout", "6400")])
def test_the_card_hears_nothing_of_what_was_not_entered(place: Place, word: str, status: str) -> None:
    place.enter(word)
    assert place.verify() == bytes.fromhex(status)
    assert not place.card.log


def test_events_tell_what_was_asked_for_and_the_pin_is_in_the_command_alone(place: Place) -> None:
    place.enter("1234")
    place.verify()
    told = [event for event in place.events if isinstance(event, PinPadUsed)]
    assert [(each.prompt, each.answer) for each in told] == [(PinPrompt.PIN, PinPadAnswer.ENTERED)]
    assert [event.command for event in place.events if isinstance(event, Exchange)] == [LOGIN]
    assert "1234" not in repr(place.events)


def test_structures_that_are_none_are_no_business_of_the_person(place: Place) -> None:
    place.enter("1234")
    code = place.connection.features()[Feature.VERIFY_PIN_DIRECT]

    for data in (b"", VERIFY.encode()[:-1], VERIFY.encode() + b"\0"):
        with pytest.raises(InvalidParameterError):
            place.connection.control(code, data)

    assert place.verify() == b"\x90\x00"


def test_a_structure_that_asks_for_too_much_is_answered_6b80(place: Place) -> None:
    code = place.connection.features()[Feature.VERIFY_PIN_DIRECT]
    wrong = PinVerification(format_string=0x82, min_digits=4, max_digits=8, command=bytes.fromhex("00A40000"))
    assert place.connection.control(code, wrong.encode()) == bytes.fromhex("6B80")


def test_a_reader_without_a_pin_pad_has_no_such_features(manager: ReaderManager) -> None:
    connection = manager.context().connect("R1")
    assert set(connection.features()) == {Feature.GET_TLV_PROPERTIES}
    code = Place().connection.features()[Feature.VERIFY_PIN_DIRECT]

    with pytest.raises(UnsupportedFeatureError):
        connection.control(code, VERIFY.encode())

    with pytest.raises(NoPinPadError):
        manager.enter("R1", entries("1234"))


def test_without_a_card_nobody_is_asked(place: Place) -> None:
    place.manager.remove("R1")
    place.connection = place.context.connect("R1", share=ShareMode.DIRECT)
    place.enter("1234")

    with pytest.raises(NoSmartCardError):
        place.verify()

    assert place.connection.features()


def test_a_reset_by_others_is_told_before_anybody_is_asked(place: Place) -> None:
    place.manager.reset("R1")
    place.enter("1234")

    with pytest.raises(CardResetError):
        place.verify()

    place.connection.reconnect()
    assert place.verify() == b"\x90\x00"


def test_the_transaction_of_another_goes_first(place: Place) -> None:
    other = place.manager.context(patience=0).connect("R1")
    place.enter("1234")
    code = place.connection.features()[Feature.VERIFY_PIN_DIRECT]

    with place.connection.transaction(), pytest.raises(SharingViolationError):
        other.control(code, VERIFY.encode())

    assert other.control(code, VERIFY.encode()) == b"\x90\x00"


def test_a_transaction_goes_on_after_a_pin_entry(place: Place) -> None:
    other = place.manager.context(patience=0).connect("R1")

    with place.connection.transaction():
        place.enter("1234")
        place.verify()

        with pytest.raises(SharingViolationError):
            other.check()

    other.check()


def test_a_patient_reader_waits_for_the_person_and_lets_nobody_else_in(patient: Place) -> None:
    caller = Caller(patient)
    other = patient.manager.context(patience=0).connect

    with pytest.raises(SharingViolationError):
        other("R1").transmit(LOGIN)

    patient.enter("1234")
    caller.ended()
    assert caller.answer == b"\x90\x00"
    other("R1").check()


def test_a_card_can_be_taken_out_while_its_pin_is_waited_for(patient: Place) -> None:
    caller = Caller(patient)
    patient.manager.remove("R1")
    caller.ended()
    assert isinstance(caller.error, CardRemovedError)


def test_a_reset_ends_the_wait_for_a_pin(patient: Place) -> None:
    caller = Caller(patient)
    patient.manager.reset("R1")
    caller.ended()
    assert isinstance(caller.error, CardResetError)
    assert patient.manager.slot("R1").turns.holder is None


def test_a_released_context_ends_the_wait_for_a_pin(patient: Place) -> None:
    caller = Caller(patient)
    patient.context.release()
    caller.ended()
    assert isinstance(caller.error, InvalidHandleError)


# On the socket


@pytest.fixture
def client(world: World) -> tuple[RawClient, int]:
    world.manager.add_reader("Pad", pinpad=PinPad())
    world.manager.insert("Pad", ScriptedCard())
    client = world.client()
    handle, _, result = client.connect(client.establish(), "Pad")
    assert result == SUCCESS
    return client, handle


def ask(client: RawClient, card: int, code: int, data: bytes = b"", room: int = 264) -> tuple[int, bytes]:
    answer = client.call(0x0A, "iIIIII", card, code, len(data), room, 0, 0, data=data)
    length, result = answer[4:6]
    return result, client.read(length) if result == SUCCESS else b""


def codes(client: RawClient, card: int) -> dict[int, int]:
    result, told = ask(client, card, GET_FEATURE_REQUEST)
    assert result == SUCCESS
    return {told[at]: int.from_bytes(told[at + 2 : at + 6]) for at in range(0, len(told), 6)}


def test_the_socket_tells_features_and_properties_of_a_pin_pad(client: tuple[RawClient, int]) -> None:
    found = codes(*client)
    assert set(found) == {0x06, 0x07, 0x0A, 0x12}
    assert ask(*client, found[0x0A]) == (SUCCESS, struct.pack("=HBB", 0x0210, 0x07, 0))
    result, told = ask(*client, found[0x12])
    assert result == SUCCESS
    assert told == bytes.fromhex("01021002 020107 030100 060101 070110 0A0400000100")


def test_a_program_on_the_socket_has_a_pin_verified(world: World, client: tuple[RawClient, int]) -> None:
    world.manager.enter("Pad", entries("1234"))
    assert ask(*client, codes(*client)[0x06], VERIFY.encode()) == (SUCCESS, b"\x90\x00")
    assert ask(*client, codes(*client)[0x06], VERIFY.encode()) == (SUCCESS, bytes.fromhex("6400"))


def test_an_answer_without_room_says_how_much_it_takes(world: World, client: tuple[RawClient, int]) -> None:
    world.manager.enter("Pad", entries("cancel"))
    assert ask(*client, codes(*client)[0x06], VERIFY.encode(), room=1)[0] == INSUFFICIENT_BUFFER


def test_an_ordinary_reader_on_the_socket_refuses_pin_entry(
    world: World, client: tuple[RawClient, int]
) -> None:
    code = codes(*client)[0x06]
    assert ask(*world.connected(), code, VERIFY.encode())[0] == UNSUPPORTED


def test_a_client_that_goes_lets_the_card_go_while_its_pin_is_waited_for(world: World) -> None:
    pinpad = WatchedPad(patient=True)
    world.manager.add_reader("Pad", pinpad=pinpad)
    world.manager.insert("Pad", ScriptedCard())
    client = world.client()
    handle, _, _ = client.connect(client.establish(), "Pad")
    data = VERIFY.encode()
    client.ask(0x0A, struct.pack("=iIIIII", handle, codes(client, handle)[0x06], len(data), 264, 0, 0), data)
    assert pinpad.asked.wait(20)
    client.socket.close()
    world.manager.context(patience=20).connect("Pad").check()
