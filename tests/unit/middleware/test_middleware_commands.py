"""The drivers' commands, byte for byte, against a card that answers by rote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.middleware import (
    CommandFailedError,
    Condition,
    MiddlewareError,
)
from cardtwin.middleware.channel import Channel
from cardtwin.middleware.drivers import CardDriver, KeySpec, PinSpec
from cardtwin.middleware.drivers.cardos_5 import CardOs5
from cardtwin.middleware.drivers.cardos_m4 import CardOs44
from cardtwin.middleware.rights import ANYBODY, NOBODY, OPEN, Right
from cardtwin.plan import KeyAlgorithm, Secret
from support.scripted import Script, done, play

if TYPE_CHECKING:
    from collections.abc import Callable


RIGHTS = {
    Right.READ: ANYBODY,
    Right.UPDATE: Condition(reference=2),
    Right.DELETE: NOBODY,
    Right.CHANGE_CONDITIONS: Condition(reference=5),
}
DF_RIGHTS = {
    Right.CREATE: Condition(reference=2),
    Right.OBJECTS_CREATE: Condition(reference=3),
    Right.LIFE_CYCLE: ANYBODY,
}
DF_BYTES = "00FF03FFFFFFFF02"
AID = bytes.fromhex("A000000063504B43532D3135")
PIN = PinSpec(1, Secret(b"1234\0\0\0\0"), 3, 4, Condition(reference=2))
PUK = PinSpec(2, Secret(b"12345678"), 10, 4, NOBODY)


@pytest.mark.parametrize("kind", [CardOs44, CardOs5])
@pytest.mark.parametrize(
    ("action", "commands"),
    [
        (lambda card: card.phase_control(), ["80100000"]),
        (lambda card: card.delete(0x5015), ["00E40000025015"]),
        (
            lambda card: card.create_file(0x4401, 256, RIGHTS),
            ["00E000001B 6219 80020100 820101 83024401 850100 8609 000202FFFFFF050202"],
        ),
        (
            lambda card: card.create_directory(0x5015, 4096, AID, DF_RIGHTS),
            [f"00E0000028 6226 81021000 820138 83025015 840C{AID.hex()} 850100 8608 {DF_BYTES}"],
        ),
        (
            lambda card: card.create_directory(0x5016, 16, b"", {}),
            ["00E000001A 6218 81020010 820138 83025016 850100 8608 FFFFFFFFFFFFFFFF"],
        ),
        (
            lambda card: card.set_rights((0x3F00,), OPEN, directory=True),
            ["00DA016F0C 860A 00000000000000000000"],
        ),
        (
            lambda card: card.set_rights((0x3F00, 0x5015), DF_RIGHTS, directory=True),
            [f"00DA016F0A 8608 {DF_BYTES}"],
        ),
        (
            lambda card: card.set_rights((0x3F00, 1), RIGHTS, directory=False),
            ["00DA016F0B 8609 000202FFFFFF050202"],
        ),
        (
            lambda card: card.put_pin(PIN),
            ["00DA016E1D 83020001 8508 02038703FFFF0004 8603 000102 8F08 3132333400000000"],
        ),
        (
            lambda card: card.put_pin(PUK),
            ["00DA016E1D 83020002 8508 020A870AFFFF0004 8603 0002FF 8F08 3132333435363738"],
        ),
        (lambda card: card.verify(1, b"1234"), ["0020008104 31323334"]),
        (lambda card: card.change(2, b"12", b"34"), ["0024008204 31323334"]),
        (lambda card: card.unblock(3, b"12", b"34", puk_reference=2), ["002C008304 31323334"]),
        (
            lambda card: card.write(b"\x01" * 600),
            [f"00D60000FF{'01' * 255}", f"00D600FFFF{'01' * 255}", f"00D601FE5A{'01' * 90}"],
        ),
    ],
)
def test_what_changes_a_card_has_the_form_that_public_clients_send(
    kind: type[CardDriver], action: Callable[[CardDriver], object], commands: list[str]
) -> None:
    play(action, done(*commands), kind)


def test_a_reader_that_carries_less_gets_smaller_pieces() -> None:
    pieces = done("00D6000002 0101", "00D6000202 0101", "00D6000401 01")
    play(lambda card: card.write(b"\x01" * 5), pieces, max_data=2)


def test_a_pin_is_deleted_by_an_empty_body() -> None:
    deletion = "00DA016E06 83020001 8F00"
    assert play(lambda card: card.delete_pin(1), [(deletion, "9000")]) is True
    assert play(lambda card: card.delete_pin(1), [(deletion, "6A88")]) is False

    with pytest.raises(CommandFailedError):
        play(lambda card: card.delete_pin(1), [(deletion, "6982")])


def test_a_short_key_has_two_components_and_its_public_half_in_records() -> None:
    key = KeySpec(0x10, KeyAlgorithm.RSA, 1024, decipher=False, use=Condition(reference=3))
    body = "FF" * 128
    modulus = "C1" + "00" * 126 + "01"
    script = [
        *done(
            "00E000001B 6219 80020200 820105 83027EAD 850100 8609 000000000000000000",
            f"00DA016E9B 83022010 8508 22008C00FFFF0000 8607 00000000000000 8F82 8100 {body}",
            f"00DA016E9B 83022110 8508 02008C00FFFF0000 8607 00000000000000 8F82 8100 {body}",
            "0046000008 2010 7EAD 0010 0020",
        ),
        ("00B2010400", f"1082 8100 {modulus} 9000"),
        ("00B2020400", "1105 0400 010001 9000"),
        *done(
            "00DA016E0D 83022010 8607 03030300000000",
            "00DA016E0D 83022110 8607 03030300000000",
            "00E40000027EAD",
        ),
    ]
    public = play(lambda card: card.generate_key(key), script)

    assert bytes.fromhex(modulus) in public.spki  # type: ignore[attr-defined]


def test_a_long_key_has_five_components_and_its_public_half_in_a_template() -> None:
    key = KeySpec(3, KeyAlgorithm.RSA, 2048, decipher=True, use=ANYBODY)
    modulus = "C1" + "00" * 254 + "01"
    public = f"7F49 820109 81820100 {modulus} 8203010001"
    whole = bytes.fromhex(public).ljust(512, b"\0").hex()
    component = "00DA016E99 8302{:02X}03 8508 {}000A00FFFF0000 8607 00000000000000 8F80 " + "FF" * 128
    script = [
        *done(
            "00E000001B 6219 80020200 820101 83027EAD 850100 8609 000000000000000000",
            *(component.format(0x20 + part, "02" if part == 4 else "22") for part in range(5)),
            "0046000008 2003 7EAD 0010 0020",
        ),
        ("00B0000000", whole[:512] + "9000"),
        ("00B0010000", whole[512:] + "9000"),
        *done(
            *(f"00DA016E0D 8302{0x20 + part:02X}03 8607 00000000000000" for part in range(5)),
            "00E40000027EAD",
        ),
    ]
    made = play(lambda card: card.generate_key(key), script)

    assert bytes.fromhex(modulus) in made.spki  # type: ignore[attr-defined]


@pytest.mark.parametrize("content", ["00" * 256, "7F4903810101" + "00" * 250])
def test_a_card_that_tells_no_public_key_is_an_error(content: str) -> None:
    key = KeySpec(3, KeyAlgorithm.RSA, 2048, decipher=True, use=ANYBODY)

    class Anything(Script):
        def transmit(self, command: bytes) -> bytes:
            return bytes.fromhex(content + "9000") if command[1] == 0xB0 else b"\x90\x00"

    with pytest.raises(MiddlewareError, match="no public key"):
        CardOs44(Channel(Anything())).generate_key(key)
