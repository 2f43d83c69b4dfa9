"""What Windows does with a virtual smart card."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cardtwin.card import EmulatedCard, models
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.entropy import SeededEntropy
from cardtwin.minidriver import (
    CardCache,
    CardLostError,
    CommandRefusedError,
    Container,
    ContainerError,
    ContentError,
    FileMissingError,
    KeySpec,
    MinidriverCard,
    MinidriverError,
    NotInitialisedError,
    Padding,
    PinError,
    answer,
)
from cardtwin.pcsc import Disposition
from cardtwin.plan import Secret
from support.minidriver import ADMIN_KEY, CARD_ID, PIN, READER, VirtualReader, initialised, virtual_reader

INFO = bytes.fromhex("3031300D060960864801650304020105000420")
MESSAGE = b"signed by a virtual smart card"
KEY = rsa.generate_private_key(65537, 2048)
SHA1 = hashes.SHA1()  # noqa: S303  # OAEP's default
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


def signs(host: MinidriverCard, index: int) -> bool:
    """Let a key sign, and verify that with the public key that the card tells."""
    signature = host.sign(index, INFO + hashlib.sha256(MESSAGE).digest())
    host.public_key(index).verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    return True


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


def test_a_key_is_made_in_a_container_and_signs(host: MinidriverCard) -> None:
    made = host.generate(name="work")
    assert made == Container(0, "work", KeySpec.EXCHANGE, 2048, default=True)
    assert host.containers == (made,)
    assert signs(host, 0)
    assert host.cache == CardCache(containers=1, files=1)


def test_a_key_of_ours_is_taken_over(host: MinidriverCard) -> None:
    made = host.import_key(KEY, spec=KeySpec.SIGNATURE)
    assert host.public_key(made.index).public_numbers() == KEY.public_key().public_numbers()
    assert signs(host, made.index)
    assert made.certificate_file == "ksc00"


def test_a_name_is_a_guid_where_none_is_given(host: MinidriverCard) -> None:
    first, second = host.generate(bits=1024), host.generate(bits=1024)
    assert first.name != second.name
    assert [len(part) for part in first.name.split("-")] == [8, 4, 4, 4, 12]
    assert first.name[14] == "4"
    assert (first.default, second.default) == (True, False)


def test_a_block_is_signed_as_it_is(host: MinidriverCard) -> None:
    host.generate()
    info = INFO + hashlib.sha256(MESSAGE).digest()
    block = b"\0\1" + b"\xff" * (256 - 3 - len(info)) + b"\0" + info
    assert host.sign_block(0, block) == host.sign(0, info)


def test_a_key_for_exchange_deciphers_and_one_for_signatures_does_not(host: MinidriverCard) -> None:
    host.import_key(KEY)
    host.generate(spec=KeySpec.SIGNATURE)
    public = KEY.public_key()
    assert host.decrypt(0, public.encrypt(b"secret", padding.PKCS1v15())) == b"secret"
    oaep = public.encrypt(b"secret", padding.OAEP(padding.MGF1(SHA1), SHA1, None))
    assert host.decrypt(0, oaep, Padding.OAEP) == b"secret"
    block = host.decrypt(0, public.encrypt(b"secret", padding.PKCS1v15()), Padding.NONE)
    assert block.endswith(b"\0secret")

    with pytest.raises(CommandRefusedError):
        host.decrypt(1, host.public_key(1).encrypt(b"secret", padding.PKCS1v15()))


def test_a_certificate_is_written_replaced_and_read(host: MinidriverCard) -> None:
    host.generate()
    assert host.certificate(0) is None
    host.write_certificate(0, b"a certificate" * 100)
    assert host.certificate(0) == b"a certificate" * 100
    assert "mscp\\kxc00" in host.file_names
    host.write_certificate(0, b"another")
    assert host.certificate(0) == b"another"
    assert host.file_names.count("mscp\\kxc00") == 1


def test_with_its_container_key_and_certificate_are_gone_and_the_place_is_free(
    reader: VirtualReader, host: MinidriverCard
) -> None:
    host.generate(name="first")
    used = reader.card.image.used
    host.write_certificate(0, bytes(500))
    host.generate(name="second")
    host.write_certificate(1, b"stays")
    host.delete(0)
    assert [container.name for container in host.containers] == ["second"]
    assert host.certificate(1) == b"stays"
    assert "mscp\\kxc00" not in host.file_names

    with pytest.raises(ContainerError, match="no container 0"):
        host.sign(0, INFO)

    assert host.generate(name="third").index == 0
    assert host.certificate(0) is None
    host.delete(1)
    host.delete(0)
    assert host.containers == ()
    assert reader.card.image.used < used


def test_the_default_container_is_chosen(host: MinidriverCard) -> None:
    host.generate(name="first", bits=1024)
    host.generate(name="second", bits=1024)
    host.make_default(1)
    assert [container.default for container in host.containers] == [False, True]
    host.delete(1)
    assert [container.default for container in host.containers] == [False]
    assert host.generate(name="third", bits=1024).default


def test_a_name_is_given_once(host: MinidriverCard) -> None:
    host.generate(name="work", bits=1024)

    with pytest.raises(ContainerError, match="'work' already"):
        host.generate(name="work", bits=1024)


@pytest.mark.parametrize("bits", [512, 2047, 4096])
def test_a_key_of_a_size_that_is_not_to_be_had_leaves_nothing_behind(
    reader: VirtualReader, host: MinidriverCard, bits: int
) -> None:
    files = dict(reader.card.image.files)

    with pytest.raises(MinidriverError):
        host.generate(bits=bits)

    assert host.containers == ()
    assert dict(reader.card.image.files) == files


@pytest.mark.parametrize("name", ["x" * 40, "a\0b"])
def test_a_name_that_a_container_cannot_have_leaves_nothing_behind(
    reader: VirtualReader, host: MinidriverCard, name: str
) -> None:
    image = reader.card.image

    with pytest.raises(ContentError, match="at most 39 characters"):
        host.generate(name=name, bits=1024)

    assert reader.card.image == image


def test_without_the_pin_nothing_is_made_used_or_deleted(reader: VirtualReader, host: MinidriverCard) -> None:
    host.generate(bits=1024)
    host.forget()
    image = reader.card.image

    for action in (
        lambda: host.generate(bits=1024),
        lambda: host.sign(0, INFO),
        lambda: host.write_certificate(0, b"cert"),
        lambda: host.delete(0),
        lambda: host.make_default(0),
    ):
        with pytest.raises(CommandRefusedError, match="6982"):
            action()

    assert reader.card.image == image


def test_a_full_card_keeps_what_it_has(reader: VirtualReader, host: MinidriverCard) -> None:
    made = 0

    with suppress(CommandRefusedError):
        while True:
            host.generate(name=f"key {made}", bits=1024)
            host.write_certificate(made, SeededEntropy("noise", str(made)).bytes(8000))
            made += 1

    assert made > 3
    assert {container.index for container in host.containers} >= set(range(made))
    assert all(host.certificate(index) for index in range(made))
    reader.check()


def test_wherever_the_power_goes_the_containers_are_those_before_or_after() -> None:
    for writes in range(20):
        reader, host = initialised()
        host.import_key(KEY, name="old")
        reader.card.cut_power_after(writes)

        try:
            host.import_key(KEY, name="new")
        except CardLostError:
            again = virtual_reader(reader.card.image).open()
            again.verify(PIN)
            assert [container.name for container in again.containers] == ["old"]
            assert again.import_key(KEY, name="new").index == 1
            assert signs(again, 1)
        else:
            break
    else:
        pytest.fail("the power was never enough")


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
