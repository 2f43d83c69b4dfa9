"""Containers on a virtual smart card, their keys and certificates."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cardtwin.entropy import SeededEntropy
from cardtwin.minidriver import (
    CardCache,
    CardLostError,
    CommandRefusedError,
    Container,
    ContainerError,
    ContentError,
    KeySpec,
    MinidriverCard,
    MinidriverError,
    Padding,
)
from support.minidriver import PIN, VirtualReader, initialised, virtual_reader

INFO = bytes.fromhex("3031300D060960864801650304020105000420")
MESSAGE = b"signed by a virtual smart card"
KEY = rsa.generate_private_key(65537, 2048)
SHA1 = hashes.SHA1()  # noqa: S303  # OAEP's default


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
