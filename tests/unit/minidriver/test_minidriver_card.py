"""What Windows does with a virtual smart card."""

from __future__ import annotations

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.entropy import SeededEntropy
from cardtwin.minidriver import (
    CardCache,
    CardLostError,
    CommandRefusedError,
    ContentError,
    FileMissingError,
    MinidriverCard,
    MinidriverError,
    NotInitialisedError,
    PinError,
    answer,
)
from cardtwin.pcsc import Disposition
from cardtwin.plan import Secret
from support.minidriver import ADMIN_KEY, CARD_ID, PIN, READER, VirtualReader, initialised, virtual_reader

WRONG = Secret.of("00000000")


@pytest.fixture
def parts() -> tuple[VirtualReader, MinidriverCard]:
    return initialised()


@pytest.fixture
def reader(parts: tuple[VirtualReader, MinidriverCard]) -> VirtualReader:
    return parts[0]


@pytest.fixture
def host(parts: tuple[VirtualReader, MinidriverCard]) -> MinidriverCard:
    return parts[1]


def test_an_empty_card_gets_its_files_pin_and_admin_key() -> None:
    reader = virtual_reader()
    assert not reader.open().is_initialised
    host = reader.open()
    host.initialise(PIN, ADMIN_KEY, card_id=CARD_ID)
    assert host.is_initialised
    assert host.card_id == CARD_ID
    assert host.file_names == ("cardid", "cardapps", "cardcf", "mscp\\cmapfile")
    assert host.read_file("", "cardapps") == b"mscp\0\0\0\0"
    assert host.read_file("MSCP", "CmapFile") == b""
    assert (host.cache, host.containers, host.tries_left) == (CardCache(), (), 3)
    assert reader.card.image.life_cycle is LifeCycle.OPERATIONAL
    host.verify(PIN)
    reader.check()


def test_a_card_that_has_files_is_not_initialised_again(host: MinidriverCard) -> None:
    with pytest.raises(NotInitialisedError, match="isn't empty"):
        host.initialise(PIN, ADMIN_KEY)


def test_an_empty_card_has_no_files_to_read() -> None:
    host = virtual_reader().open()

    with pytest.raises(NotInitialisedError, match="no files yet"):
        assert host.card_id

    with pytest.raises(NotInitialisedError, match="no files yet"):
        assert host.containers


@pytest.mark.parametrize(
    ("pin", "admin_key", "card_id"),
    [
        (Secret.of("123"), ADMIN_KEY, CARD_ID),
        (PIN, Secret(bytes(16)), CARD_ID),
        (PIN, ADMIN_KEY, bytes(15)),
    ],
)
def test_a_card_is_not_initialised_with_what_it_cannot_have(
    pin: Secret, admin_key: Secret, card_id: bytes
) -> None:
    reader = virtual_reader()

    with pytest.raises(MinidriverError):
        reader.open().initialise(pin, admin_key, card_id=card_id)

    assert reader.card.image == models.get("virtual-smart-card").blank()


def test_an_initialisation_that_came_to_no_end_is_done_once_more() -> None:
    for writes in range(60):
        reader = virtual_reader()
        host = reader.open()
        reader.card.cut_power_after(writes)

        try:
            host.initialise(PIN, ADMIN_KEY, card_id=CARD_ID)
        except CardLostError:
            again = virtual_reader(reader.card.image)
            again.open().initialise(PIN, ADMIN_KEY, card_id=CARD_ID)
            assert dict(again.card.image.files) == dict(initialised()[0].card.image.files)
            again.open().verify(PIN)
        else:
            break
    else:
        pytest.fail("the power was never enough")


def test_a_wrong_pin_tells_the_tries_left_and_the_last_one_blocks(host: MinidriverCard) -> None:
    for left in (2, 1, 0):
        with pytest.raises(PinError) as caught:
            host.verify(WRONG)

        assert (caught.value.tries_left, host.tries_left) == (left, left)

    with pytest.raises(PinError, match="blocked"):
        host.verify(PIN)


def test_the_pin_is_changed_to_one_of_any_length(host: MinidriverCard) -> None:
    for old, new in (
        ("12345678", "1234"),
        ("1234", "a passphrase with spaces"),
        ("a passphrase with spaces", "9" * 127),
    ):
        host.change_pin(Secret.of(old), Secret.of(new))
        host.verify(Secret.of(new))

    assert host.cache.pins == 3

    with pytest.raises(PinError):
        host.change_pin(PIN, WRONG)

    with pytest.raises(CommandRefusedError):
        host.change_pin(Secret.of("9" * 127), Secret.of("1"))


def test_a_change_of_the_pin_that_fails_leaves_the_old_one() -> None:
    for writes in range(20):
        reader, host = initialised()
        reader.card.cut_power_after(writes)

        try:
            host.change_pin(PIN, WRONG)
        except CardLostError:
            virtual_reader(reader.card.image).open().verify(PIN)
        else:
            assert writes > 1
            break
    else:
        pytest.fail("the power was never enough")


def test_the_admin_key_s_holder_unblocks_the_pin_from_afar(host: MinidriverCard) -> None:
    for _ in range(3):
        with pytest.raises(PinError):
            host.verify(WRONG)

    challenge = host.challenge()
    assert len(challenge) == 8

    with pytest.raises(CommandRefusedError):
        host.unblock(answer(Secret(bytes(24)), challenge), Secret.of("4321"))

    host.unblock(answer(ADMIN_KEY, host.challenge()), Secret.of("4321"))
    host.verify(Secret.of("4321"))
    assert host.tries_left == 3


def test_an_unblocking_is_counted_among_the_changes_of_pins(host: MinidriverCard) -> None:
    before = host.cache.pins
    host.unblock(answer(ADMIN_KEY, host.challenge()), Secret.of("4321"))
    assert host.cache.pins == before + 1


def test_the_admin_key_is_not_proved_any_more_where_the_new_pin_is_refused(host: MinidriverCard) -> None:
    host.forget()

    with pytest.raises(CommandRefusedError, match="unblock the PIN"):
        host.unblock(answer(ADMIN_KEY, host.challenge()), Secret.of("1"))

    with pytest.raises(CommandRefusedError, match="6982"):
        host.write_file("mscp", "msroots", b"")


def test_an_answer_to_an_earlier_challenge_is_refused(host: MinidriverCard) -> None:
    earlier = answer(ADMIN_KEY, host.challenge())
    host.challenge()

    with pytest.raises(CommandRefusedError):
        host.unblock(earlier, Secret.of("4321"))


def test_the_admin_key_is_changed_by_mutual_authentication(host: MinidriverCard) -> None:
    new = Secret(bytes(range(24)))
    host.authenticate_admin(ADMIN_KEY)
    host.change_admin_key(ADMIN_KEY, new)

    with pytest.raises(CommandRefusedError):
        host.authenticate_admin(ADMIN_KEY)

    with pytest.raises(MinidriverError, match="has 24 bytes, not 16"):
        host.change_admin_key(new, Secret(bytes(16)))

    host.authenticate_admin(new)


def test_a_card_that_does_not_prove_to_have_the_admin_key_is_told_from_one_that_does(
    reader: VirtualReader, host: MinidriverCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = reader.card.process

    def liar(command: bytes) -> bytes:
        response = process(command)
        return response[:4] + bytes(40) + response[-2:] if len(response) == 46 else response

    monkeypatch.setattr(EmulatedCard, "process", lambda _card, command: liar(command))

    with pytest.raises(ContentError, match="doesn't prove"):
        host.authenticate_admin(ADMIN_KEY)


def test_a_file_is_written_emptied_and_deleted(host: MinidriverCard) -> None:
    for content in (b"roots", b"", b"", b"other roots", b""):
        host.write_file("mscp", "msroots", content)
        assert host.read_file("mscp", "MSROOTS") == content

    host.write_file("mscp", "another", b"stays")
    host.delete_file("mscp", "msroots")
    host.delete_file("mscp", "msroots")
    assert "mscp\\msroots" not in host.file_names
    assert host.read_file("mscp", "another") == b"stays"

    with pytest.raises(ContentError, match="at most 8 ASCII"):
        host.write_file("mscp", "much too long", b"")

    assert host.file_names[-1] == "mscp\\another"


@pytest.mark.parametrize("content", [b"", b"roots"])
def test_with_a_file_its_data_object_is_gone(
    reader: VirtualReader, host: MinidriverCard, content: bytes
) -> None:
    used = reader.card.image.used
    host.write_file("mscp", "msroots", content)
    host.delete_file("mscp", "msroots")
    assert reader.card.image.used == used


def test_a_missing_file_is_named(host: MinidriverCard) -> None:
    with pytest.raises(FileMissingError, match=r"mscp\\msroots"):
        host.read_file("mscp", "msroots")


def test_a_reset_by_another_program_is_told(reader: VirtualReader, host: MinidriverCard) -> None:
    other = reader.manager.context().connect(READER)
    other.reconnect(Disposition.RESET)

    with pytest.raises(CardLostError, match="RESET_CARD"):
        host.verify(PIN)


def test_another_card_is_refused() -> None:
    reader = virtual_reader()
    reader.manager.remove(READER)
    reader.manager.insert(READER, EmulatedCard(models.get("cardos-5.3"), entropy=SeededEntropy("other")))

    with pytest.raises(CommandRefusedError, match="select the application"):
        reader.open()


def test_no_secret_is_in_a_message_or_repr(reader: VirtualReader, host: MinidriverCard) -> None:
    with pytest.raises(PinError) as caught:
        host.verify(WRONG)

    assert "0000" not in str(caught.value)
    assert "12345678" not in repr(host) + repr(caught.value)
    assert ADMIN_KEY.reveal().hex() not in repr(reader.events).lower()
