"""What drivers read from a card, and how they are found."""

from __future__ import annotations

import re

import pytest

from cardtwin.card import models
from cardtwin.middleware import (
    CardLostError,
    CardNotRecognisedError,
    Ckr,
    CommandFailedError,
    MiddlewareError,
    Phase,
    TokenState,
)
from cardtwin.middleware.channel import Channel
from cardtwin.middleware.drivers import CardDriver, driver_for, families, register
from cardtwin.middleware.drivers.cardos_5 import CardOs5
from cardtwin.middleware.drivers.cardos_m4 import CardOs43B, CardOs44
from cardtwin.middleware.tokenreader import TokenReader
from cardtwin.pcsc import CardMuteError, CardResetError, PcscError
from cardtwin.plan.cms import CmsPinBlobCodec
from support.scripted import ATR_43B, ATR_44, ATR_53, OTHER_ATR, Script, play

AID = bytes.fromhex("A000000063504B43532D3135")


def test_logging_out_selects_the_mf_first() -> None:
    play(lambda card: card.logout(), [("00A40000023F0000", MF_44), ("80EA0000", "9000")])


MF_44 = "6F1A 81020400 820138 83023F00 850100 860A 00000000000500050000 9000"
EF_44 = "6F19 80020100 820101 83024401 850100 8609 0003FF0000FF050101 9000"
DF_44 = "6F18 81021000 820138 83025015 850100 8608 0002030000050502 9000"
MF_53 = (
    "6F812B 83023F00 820138 81020400 8800 850100 8A0105"
    "AB16 800140 A406830105950108 800106 A406830102950108 9000"
)
EF_53 = "6F8125 83025031 820101 8002003C 8800 850100 8A0105 AB10 800101 9000 800106 A406830111950180 9000"
LOCKED_53 = "6F811F 83023F00 820138 81020400 8800 850100 8A0105 AB0A 800140 9700 800106 9000 9000"
ARR_53 = "6F8118 83024401 820101 8002076C 8800 850100 8A0105 8B032F1201 9000"


@pytest.mark.parametrize(
    ("kind", "answer", "size", "directory", "rights"),
    [
        (CardOs44, MF_44, 1024, True, "delete 05, create 05, life cycle anybody"),
        (CardOs44, DF_44, 4096, True, "delete 05, create objects 03, create 02"),
        (CardOs44, EF_44, 256, False, "read anybody, update 03, delete nobody, change conditions 05"),
        (CardOs5, MF_53, 1024, True, "delete 05, change conditions 05, life cycle 05, create 02"),
        (CardOs5, LOCKED_53, 1024, True, "delete nobody, create anybody"),
        (CardOs5, EF_53, 60, False, "read anybody, update 11"),
    ],
)
def test_conditions_are_read_from_control_information(
    kind: type[CardDriver], answer: str, size: int, directory: bool, rights: str
) -> None:
    info = play(lambda card: card.select((0x3F00, 0x5015)), [("00A4080002501500", answer)], kind)
    told = {right: str(condition).removeprefix("credential ") for right, condition in info.rights.items()}  # type: ignore[attr-defined]

    assert (info.size, info.directory) == (size, directory)  # type: ignore[attr-defined]
    assert set(rights.split(", ")) <= {f"{right} {condition}" for right, condition in told.items()}


def test_the_mf_and_files_below_it_are_selected_by_what_leads_to_them() -> None:
    play(lambda card: card.select((0x3F00,)), [("00A40000023F0000", MF_44)])
    play(lambda card: card.select((0x3F00, 0x5015, 0x4401)), [("00A40800045015440100", EF_44)])
    play(lambda card: card.select_application(AID), [(f"00A404000C{AID.hex()}00", DF_44)])


@pytest.mark.parametrize(("answer", "there"), [("9000", True), ("6283", True), ("6A82", False)])
def test_a_file_is_made_the_current_one_without_being_asked_about(answer: str, there: bool) -> None:
    assert play(lambda card: card.enter((0x3F00, 0x5015)), [("00A4080C025015", answer)]) is there
    assert play(lambda card: card.enter((0x3F00,)), [("00A4000C023F00", answer)]) is there


def test_a_card_that_keeps_a_file_from_being_the_current_one_says_so() -> None:
    with pytest.raises(MiddlewareError) as failed:
        play(lambda card: card.enter((0x3F00, 0x5015)), [("00A4080C025015", "6982")])

    assert failed.value.rv is Ckr.CKR_USER_NOT_LOGGED_IN


def test_conditions_that_lie_in_a_file_of_rules_are_not_guessed() -> None:
    info = play(lambda card: card.select((0x3F00, 0x4401)), [("00A4080002440100", ARR_53)], CardOs5)
    assert info.rights is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "rv"),
    [("6A82", None), ("6982", Ckr.CKR_USER_NOT_LOGGED_IN), ("61FF9000", Ckr.CKR_DEVICE_ERROR)],
)
def test_a_file_that_is_not_there_is_none_and_other_answers_are_errors(answer: str, rv: Ckr | None) -> None:
    script = [("00A4080002440100", answer)]

    if rv is None:
        assert play(lambda card: card.select((0x3F00, 0x4401)), script) is None
        return

    with pytest.raises(MiddlewareError) as failed:
        play(lambda card: card.select((0x3F00, 0x4401)), script)

    assert failed.value.rv is rv


@pytest.mark.parametrize(
    ("script", "children"),
    [
        ([("8016020000", "6F009000")], ()),
        ([("8016020000", "6F0486025015 6F0486022F00 9000")], (0x5015, 0x2F00)),
        ([("8016020000", "6F0786025015 8A0101 9000"), ("8016020100", "6F0486022F00 9000")], (0x5015, 0x2F00)),
        ([("8016020000", "6F0786025015 8A0100 9000")], (0x5015,)),
    ],
)
def test_the_files_of_a_df_are_listed_page_by_page(
    script: list[tuple[str, str]], children: tuple[int, ...]
) -> None:
    assert play(lambda card: card.children(), script) == children


def test_a_broken_list_of_files_is_told() -> None:
    with pytest.raises(MiddlewareError, match="list the files"):
        play(lambda card: card.children(), [("8016020000", "6F0986 9000")])


@pytest.mark.parametrize(
    ("size", "script"),
    [
        (3, [("00B0000003", "0102039000")]),
        (300, [("00B0000000", "AA" * 256 + "9000"), ("00B001002C", "AA" * 44 + "9000")]),
        (9, [("00B0000009", "0102039000"), ("00B0000306", "0405060708099000")]),
        (9, [("00B0000009", "0102036282")]),
        (9, [("00B0000009", "9000")]),
        (0, []),
    ],
)
def test_a_file_is_read_as_far_as_the_card_gives_it(size: int, script: list[tuple[str, str]]) -> None:
    content = play(lambda card: card.read(size), script)
    assert content == bytes.fromhex("".join(answer[:-4] for _, answer in script))


@pytest.mark.parametrize("sw", ["6B00", "6982"])
def test_a_file_that_the_card_does_not_give_is_an_error(sw: str) -> None:
    with pytest.raises(CommandFailedError, match=f"read the file: the card answers {sw}"):
        play(lambda card: card.read(9), [("00B0000009", "0102039000"), ("00B0000306", sw)])


@pytest.mark.parametrize(
    ("kind", "answer", "serial"),
    [
        (CardOs44, "3366004552525252 81FF 201122334455" + "00" * 16 + "9000", "201122334455"),
        (CardOs5, "02084FD4000D2A0D 9000", "02084FD4000D2A0D"),
    ],
)
def test_the_chips_serial_number_stands_where_the_family_has_it(
    kind: type[CardDriver], answer: str, serial: str
) -> None:
    assert play(lambda card: card.chip_serial(), [("00CA018100", answer)], kind) == bytes.fromhex(serial)


@pytest.mark.parametrize(
    ("byte", "phase"),
    [("20", Phase.ADMINISTRATION), ("10", Phase.OPERATIONAL), ("34", Phase.OTHER), ("", Phase.OTHER)],
)
def test_the_phase_is_read(byte: str, phase: Phase) -> None:
    assert play(lambda card: card.phase(), [("00CA018300", byte + "9000")]) is phase


@pytest.mark.parametrize("answer", ["61D39000", "00D19000"])
def test_free_memory_has_as_many_bytes_as_the_card_tells(answer: str) -> None:
    assert play(lambda card: card.free_memory(), [("00CA018A00", answer)]) == int(answer[:4], 16)


@pytest.mark.parametrize(
    ("answer", "left"), [("63C6", 6), ("63C0", 0), ("6983", 0), ("9000", None), ("6A88", None)]
)
def test_tries_left_are_asked_for_without_a_pin(answer: str, left: int | None) -> None:
    assert play(lambda card: card.tries_left(1), [("00200081", answer)], CardOs5) == left


def test_a_card_that_tells_no_tries_is_not_asked() -> None:
    assert play(lambda card: card.tries_left(1), []) is None


@pytest.mark.parametrize(
    ("atr", "version", "kind"),
    [
        (ATR_43B, "C8089000", CardOs43B),
        (ATR_44, "C80D9000", CardOs44),
        (ATR_53, "C9039000", CardOs5),
        (OTHER_ATR, "C8089000", CardOs43B),
        (OTHER_ATR, "C80D9000", CardOs44),
        (OTHER_ATR, "C9049000", CardOs5),
    ],
)
def test_a_driver_is_found_by_version_word_even_with_another_atr(
    atr: bytes, version: str, kind: type[CardDriver]
) -> None:
    assert type(driver_for(Channel(Script(("00CA018200", version), atr=atr)))) is kind


@pytest.mark.parametrize(
    ("atr", "version"),
    [
        (ATR_44, "C9039000"),
        (ATR_43B, "C80D9000"),
        (ATR_44, "6D00"),
        (OTHER_ATR, "6A88"),
        (OTHER_ATR, "C8039000"),
    ],
)
def test_a_card_that_no_driver_knows_is_told_by_its_atr(atr: bytes, version: str) -> None:
    with pytest.raises(CardNotRecognisedError) as unknown:
        driver_for(Channel(Script(("00CA018200", version), atr=atr)))

    assert unknown.value.rv is Ckr.CKR_TOKEN_NOT_RECOGNIZED


@pytest.mark.parametrize("model", models.names())
def test_a_model_has_a_driver_or_the_error_says_why_not(model: str) -> None:
    atr, version = models.get(model).atr, models.get(model).version
    answer = version.hex() + "9000" if version else "6A88"

    try:
        found = driver_for(Channel(Script(("00CA018200", answer), atr=atr)))
    except CardNotRecognisedError as unknown:
        assert re.search(r"ATR [0-9A-F ]+: \w", str(unknown))  # noqa: PT017  # some models have a driver
    else:
        assert found.family.split("-")[0] == model.split("-", maxsplit=1)[0]


def test_a_family_has_one_driver() -> None:
    assert families() == ("cardos-4.3b", "cardos-4.4", "cardos-5", "cosmo", "idclassic")
    assert register(CardOs44) is CardOs44

    class Second(CardOs44):
        family = "cardos-4.4"

    with pytest.raises(ValueError, match=r"cardos-4\.4"):
        register(Second)


@pytest.mark.parametrize(
    ("error", "rv"),
    [
        (CardMuteError("r"), Ckr.CKR_DEVICE_ERROR),
        (CardResetError("r"), Ckr.CKR_DEVICE_ERROR),
        (PcscError("r"), Ckr.CKR_DEVICE_ERROR),
    ],
)
def test_a_card_that_cannot_be_spoken_to_is_lost(error: PcscError, rv: Ckr) -> None:
    with pytest.raises(CardLostError) as lost:
        play(lambda card: card.phase(), [("00CA018300", error)])

    assert lost.value.rv is rv


def test_an_answer_without_status_word_is_a_lost_card() -> None:
    with pytest.raises(CardLostError, match="no response APDU"):
        play(lambda card: card.phase(), [("00CA018300", "20")])


def test_a_reader_that_hands_on_61_and_6c_is_followed() -> None:
    script = [("00CA018100", "6C08"), ("00CA018108", "0208 6106"), ("00C0000006", "4FD4000D2A0D9000")]
    assert play(lambda card: card.chip_serial(), script, CardOs5) == bytes.fromhex("02084FD4000D2A0D")


@pytest.mark.parametrize(
    ("sw", "rv"),
    [("6A84", Ckr.CKR_DEVICE_MEMORY), ("6982", Ckr.CKR_USER_NOT_LOGGED_IN), ("6F00", Ckr.CKR_DEVICE_ERROR)],
)
def test_a_refused_command_says_what_was_tried_and_what_the_card_answered(sw: str, rv: Ckr) -> None:
    with pytest.raises(CommandFailedError, match=f"delete the file 5015: the card answers {sw}") as failed:
        play(lambda card: card.delete(0x5015), [("00E40000025015", sw)])

    assert failed.value.rv is rv


@pytest.mark.parametrize(
    ("application", "state"), [("9000", TokenState.INITIALISED), ("6A82", TokenState.BLANK)]
)
def test_a_card_that_does_not_list_its_files_is_known_by_its_application(
    application: str, state: TokenState
) -> None:
    script = [
        ("00CA018300", "109000"),
        ("00A40000023F0000", ARR_53.replace("4401", "3F00")),
        ("8016020000", "6D00"),
        (f"00A404000C{AID.hex()}00", "6A86"),
        ("00A4080002501500", f"6F0483025015 {application}"),
    ]
    read = play(lambda card: TokenReader(card, CmsPinBlobCodec()).state(), script, CardOs5)

    assert read[0] is state  # type: ignore[index]
