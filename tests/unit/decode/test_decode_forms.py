"""What commands are called, what their parameters say, what they do."""

from __future__ import annotations

import pytest

from cardtwin.decode import Decoder, Details, Effect, Form, Table, decode, explain
from cardtwin.decode.commands import FORMS
from cardtwin.events import Exchange
from cardtwin.provenance import Basis

LINES = {
    "00 A4 08 00 04 5015 5031 00": "SELECT path from the MF 50155031, FCI",
    "00 A4 04 0C 0F E828BD080FA000000167455349474E": (
        "SELECT application E828BD080FA000000167455349474E, no data"
    ),
    "00 A4 00 0C": "SELECT file MF, no data",
    "00 A4 03 00": "SELECT parent DF, FCI",
    "00 A4 04 02 05 A000000063": "SELECT application A000000063, FCI, next",
    "00 CA 01 83 00": "GET DATA life cycle",
    "00 CA 01 55 00": "GET DATA object 55",
    "00 CA 9F 7F 2D": "GET DATA object 9F7F",
    "80 16 02 00 00": "DIRECTORY EFs and DFs, from 0",
    "00 B0 01 10 00": "READ BINARY offset 272, up to 256 bytes",
    "00 B0 00 00 00 0000": "READ BINARY offset 0, up to 65536 bytes",
    "00 B1 44 01 04 5402 0000 08": "READ BINARY file 4401, 4 bytes",
    "00 B0 9C 05 10": "READ BINARY short EF 1C, offset 5, up to 16 bytes",
    "00 D6 00 00 02 0102": "UPDATE BINARY offset 0, 2 bytes",
    "00 B2 01 04 00": "READ RECORD record 01, up to 256 bytes",
    "00 B2 10 00 00": "READ RECORD identifier 10, up to 256 bytes",
    "00 B2 00 0C 00": "READ RECORD current record, short EF 01, up to 256 bytes",
    "00 E2 00 00 03 100101": "APPEND RECORD 3 bytes",
    "00 E0 00 00 0D 620B 80020100 820101 83024401": "CREATE FILE transparent EF 4401, 256 bytes",
    "00 E0 00 00 0D 620B 81021000 820138 83025015": "CREATE FILE DF 5015, 4096 bytes",
    "00 E0 00 00 02 0102": "CREATE FILE 2 bytes that are no control parameters",
    "00 E0 00 00 0E 620C 820139 8302A010 8C03033000": "CREATE FILE EF of data objects A010",
    "00 E0 00 00 09 6207 820118 8302B081": "CREATE FILE key EF B081",
    "00 E4 00 00 02 4401": "DELETE FILE file 4401",
    "00 E4 00 00": "DELETE FILE current file",
    "00 04 00 00": "DEACTIVATE FILE current file",
    "00 20 00 81 08 3132333400000000": "VERIFY PIN 1 (backtracking), 8 bytes",
    "00 20 00 03 04 31323334": "VERIFY PIN 3, 4 bytes",
    "00 20 00 81": "VERIFY PIN 1 (backtracking), status",
    "00 20 FF 81": "VERIFY PIN 1 (backtracking)",
    "00 24 00 83 08 3132333435363738": "CHANGE REFERENCE DATA PIN 3 (backtracking), old and new, 8 bytes",
    "00 24 01 03 04 31323334": "CHANGE REFERENCE DATA PIN 3, new only, 4 bytes",
    "00 2C 00 83 08 3132333435363738": "RESET RETRY COUNTER PIN 3 (backtracking), PUK and new, 8 bytes",
    "00 2C 03 03": "RESET RETRY COUNTER PIN 3, counter only",
    "80 EA 00 00": "LOGOUT",
    "00 DA 01 6D 0F 830101 86020000 8F06000000000000": "PUT DATA SECI security environment 01",
    "00 DA 01 6F 0B 8609 000000000000000000": "PUT DATA FCI access conditions of the current file",
    "90 24 20 10 04 03000102": "CHANGE KEY DATA key 10, part 1, 4 bytes",
    "00 22 41 B6 03 830111": "MSE SET signature, key 11",
    "00 22 41 B8 09 840104 950140 800110": "MSE SET confidentiality, key 04, usage 40, algorithm 10",
    "00 22 41 B8 02 8305": "MSE SET confidentiality, 2 bytes",
    "00 22 F3 32 00": "MSE RESTORE environment 32",
    "00 2A 9E 9A 02 0102 00": "PSO COMPUTE DIGITAL SIGNATURE 2 bytes",
    "00 2A 80 86 02 0001 00": "PSO DECIPHER 2 bytes",
    "00 46 00 00 08 20107EAD00100020": "GENERATE KEY PAIR key 10, public key to file 7EAD",
    "00 47 00 00 08 AC06 800107 830181": "GENERATE KEY PAIR algorithm 07, key 81",
    "00 47 00 00 05 7003BF9002": "GENERATE KEY PAIR key 02",
    "00 47 00 00 03 AC0680": "GENERATE KEY PAIR 3 bytes",
    "00 87 00 00 04 7C028100 00": "GENERAL AUTHENTICATE challenge, 0 bytes",
    "00 87 00 00 0C 7C0A8208 0102030405060708": "GENERAL AUTHENTICATE response, 8 bytes",
    "00 87 00 00 02 7C00": "GENERAL AUTHENTICATE 2 bytes",
    "00 87 00 00 02 7C01": "GENERAL AUTHENTICATE 2 bytes",
    "00 CB A0 10 04 5C02DF24 00": "GET DATA object DF24 of file A010",
    "00 CB A0 10 02 5C00 00": "GET DATA objects of a file",
    "00 CB 3F FF 04 5C027F71 00": "GET DATA object 3FFF",
    "00 DB A0 10 05 DF2402ABCD": "PUT DATA object DF24 of file A010, 2 bytes",
    "00 DB A0 10 02 DF24": "PUT DATA 2 bytes for file A010",
    "00 84 00 00 08": "GET CHALLENGE 8 bytes",
    "80 86 00 00 08 0102030405060708": "GIVE RANDOM 8 bytes",
    "00 82 00 05 08 0102030405060708": "EXTERNAL AUTHENTICATE key 05, 8 bytes",
    "80 10 00 00": "PHASE CONTROL between administration and operational",
    "84 06 00 00 10 0600000800000000F76AFC09E6D5F465": "ERASE FILES under the StartKey, 16 bytes",
    "80 99 00 00 02 0102": "unknown 2 bytes",
    "00 20": "malformed 2 bytes",
    "00 20 00 81 08 3132": "malformed 7 bytes",
}
OCI = {
    "8302 0002 8508020A870AFFFF0004 8603 0002FF 8F04 31323334": "test object 02, 4 bytes",
    "8302 2210 8F02 0102": "key 10, part 3, 2 bytes",
    "8303 300506 8F02 0102": "object, 2 bytes",
    "8302 3005 8F02 0102": "object 05 of class 30, 2 bytes",
    "8302 0003 8603 000304": "test object 03, without body",
    "8302 2010 8F80" + "AB" * 128: "key 10, part 1, 128 bytes",
    "8F03 31323334": "6 bytes that are no object control information",
    "8F04 31323334": "6 bytes",
}

EFFECTS = {
    "00 B0 00 00 00": Effect.READS,
    "00 A4 00 00": Effect.SELECTS,
    "00 D6 00 00 01 00": Effect.WRITES,
    "00 20 00 81": Effect.READS,
    "00 20 00 81 01 31": Effect.SPENDS_TRIES,
    "00 24 00 81 01 31": Effect.SPENDS_TRIES | Effect.WRITES,
    "00 E4 00 00": Effect.WRITES | Effect.DESTROYS,
    "00 DA 01 6F 0B 8609 000000000000000000": Effect.WRITES,
    "00 DA 01 6F 0B 8609 0000000000FF000000": Effect.WRITES | Effect.IRREVERSIBLE,
    "00 DA 01 6F 0B 8609 000000000003000000": Effect.WRITES | Effect.IRREVERSIBLE,
    "00 DA 01 6F 07 AB05 800101 9000": Effect.WRITES,
    "00 DA 01 6F 07 AB05 800101 9700": Effect.WRITES | Effect.IRREVERSIBLE,
    "00 DA 01 6F 02 8609": Effect.WRITES | Effect.IRREVERSIBLE,
    "00 DA 01 6F 03 8A0105": Effect.WRITES | Effect.IRREVERSIBLE,
    "84 40 00 01 08 0000000000000000": (
        Effect.SPENDS_TRIES | Effect.WRITES | Effect.DESTROYS | Effect.IRREVERSIBLE
    ),
    "00 87 00 00 04 7C028100 00": Effect.SELECTS,
    "00 87 00 00 0C 7C0A8208 0102030405060708": Effect.SPENDS_TRIES,
    "00 DB A0 10 05 DF2402ABCD": Effect.WRITES,
    "00 FE 00 00": Effect.DESTROYS | Effect.IRREVERSIBLE,
    "80 99 00 00": Effect.UNKNOWN,
    "00": Effect.UNKNOWN,
    "0C 20 00 81 0D 8701 00 8E08 0000000000000000": Effect.SPENDS_TRIES,
}


@pytest.mark.parametrize(("command", "line"), LINES.items())
def test_a_command_is_named_and_its_parameters_are_told(command: str, line: str) -> None:
    decoded = decode(bytes.fromhex(command))

    assert f"{decoded.name} {decoded.parameters}".rstrip() == line


@pytest.mark.parametrize(("data", "told"), OCI.items())
def test_object_control_information_is_read_with_plain_lengths(data: str, told: str) -> None:
    body = bytes.fromhex(data)

    assert decode(b"\x00\xda\x01\x6e" + bytes((len(body),)) + body).parameters == told


@pytest.mark.parametrize(("command", "effect"), EFFECTS.items())
def test_a_command_has_the_effect_that_a_guard_must_know(command: str, effect: Effect) -> None:
    assert decode(bytes.fromhex(command)).effect == effect


@pytest.mark.parametrize("cla", [0x00, 0x03, 0x40, 0x4F])
def test_a_logical_channel_does_not_change_the_name(cla: int) -> None:
    assert decode(bytes((cla, 0xB0, 0, 0, 0))).name == "READ BINARY"


@pytest.mark.parametrize("cla", [0x04, 0x08, 0x0C, 0x60])
def test_secure_messaging_is_told(cla: int) -> None:
    decoded = decode(bytes((cla, 0xB0, 0, 0, 3, 0x97, 1, 0, 0)))

    assert (decoded.name, decoded.parameters) == ("READ BINARY", "secure messaging, 3 bytes")
    assert decoded.secret_response


def test_a_chain_is_told_piece_by_piece_and_read_as_a_whole_at_its_end() -> None:
    decoder = Decoder()
    oci = bytes.fromhex("8302 0002 8603 0002FF 8F04 31323334")
    first = decoder.command(b"\x10\xda\x01\x6e\x0a" + oci[:10])
    last = decoder.command(b"\x00\xda\x01\x6e\x05" + oci[10:])

    assert first.name == last.name == "PUT DATA OCI"
    assert first.parameters == "piece of a chain, 10 bytes, 10 so far"
    assert last.parameters == "test object 02, 4 bytes"


def test_a_command_with_another_header_breaks_a_chain() -> None:
    decoder = Decoder()
    decoder.command(bytes.fromhex("10 D6 00 00 02 0102"))

    assert decoder.command(bytes.fromhex("00 D6 00 02 01 03")).parameters == "offset 2, 1 bytes"
    assert decoder.command(bytes.fromhex("00 D6 00 00 01 03")).parameters == "offset 0, 1 bytes"


def test_a_reset_breaks_a_chain() -> None:
    decoder = Decoder()
    decoder.command(bytes.fromhex("10 D6 00 00 02 0102"))
    decoder.reset()

    assert decoder.command(bytes.fromhex("00 D6 00 00 01 03")).parameters == "offset 0, 1 bytes"


def test_an_exchange_is_explained_in_one_line() -> None:
    exchange = Exchange(
        reader="R1", command=bytes.fromhex("00 20 00 81 04 31323334"), response=bytes.fromhex("63C2")
    )

    assert explain(exchange) == "00 20 00 81  VERIFY PIN 1 (backtracking), 4 bytes -> 63C2 (counter 2)"


def test_the_length_of_an_answer_is_told_and_a_missing_status_word_too() -> None:
    decoder = Decoder()

    assert decoder.read(bytes.fromhex("00CA018200"), bytes.fromhex("C80D9000")).line == (
        "00 CA 01 82  GET DATA system version -> 9000 (success), 2 bytes"
    )
    assert decoder.read(bytes.fromhex("00CA018200"), b"").line.endswith("-> no status word")


def test_what_a_real_card_has_answered_is_marked_as_recorded() -> None:
    assert decode(bytes.fromhex("8406000008 0000000000000000")).basis is Basis.RECORDED
    assert decode(bytes.fromhex("00DA016E02 8F00")).basis is Basis.CLIENT
    assert decode(bytes.fromhex("00FE0000")).basis is Basis.STATED


def test_the_more_exact_form_wins() -> None:
    wide = Form("WIDE", "80 01 .. ..", Effect.UNKNOWN, Basis.OURS)
    exact = Form("EXACT", "80 01 00 7.", Effect.READS, Basis.OURS, lambda _: Details("here"))

    for forms in ((wide, exact), (exact, wide)):
        table = Table(forms)

        assert Decoder(table).command(bytes.fromhex("80010075")).name == "EXACT"
        assert Decoder(table).command(bytes.fromhex("80010085")).name == "WIDE"
        assert set(table) == {wide, exact}


def test_a_header_stands_in_a_table_once() -> None:
    with pytest.raises(ValueError, match="already"):
        Table((*FORMS, Form("AGAIN", "00 E4 00 00", Effect.READS, Basis.OURS)))


@pytest.mark.parametrize("header", ["00 20", "00 2. 00 00", "zz 20 00 00", "00 20 00 00 00"])
def test_a_text_that_is_no_header_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="no pattern of a header"):
        Form("NO", header, Effect.READS, Basis.OURS)
