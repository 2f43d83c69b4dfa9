"""Between reader and command: the forms of APDUs, chaining, classes, power."""

from __future__ import annotations

from typing import NoReturn

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Defect, Hub
from cardtwin.pcsc import CardMuteError, Protocol, ProtocolMismatchError
from cardtwin.provenance import Switches
from support.cardbench import CardBench, command


@pytest.mark.parametrize("text", ["", "00", "00A400", "00B000000001", "00D60000020A", "00A4000003FF"])
def test_bytes_that_are_no_apdu_have_a_wrong_length(text: str) -> None:
    assert CardBench().send(text) == "6700"


@pytest.mark.parametrize("text", ["00A4000C", "00A4000000", "00A4080C023F00", "80EA0000", "80EA000000"])
def test_commands_are_taken_with_and_without_le(text: str) -> None:
    assert CardBench().send(text).endswith("9000")


def test_without_le_no_data_come() -> None:
    assert CardBench().send("00A40000023F00") == "9000"


def test_a_longer_response_than_a_short_le_is_fetched_with_get_response() -> None:
    bench = CardBench()
    whole = bench.ok("00CA018000")
    first = bench.send("00CA018010")
    assert first.endswith(f"61{len(whole) // 2 - 16:02X}")
    assert first[:-4] + bench.ok("00C0000000") == whole
    assert bench.send("00C0000000") == "6985"


def test_the_rest_of_a_response_is_gone_after_another_command() -> None:
    bench = CardBench()
    bench.send("00CA018010")
    bench.ok("00CA018300")
    assert bench.send("00C0000000") == "6985"


def test_a_switch_has_long_responses_cut() -> None:
    bench = CardBench(switches=Switches({"card.long-response": "cut"}))
    assert bench.send("00CA018002") == "43619000"


def test_extended_lengths_are_taken_up_to_the_data_field_that_the_card_tells() -> None:
    bench = CardBench()
    bench.create_ef("0101", 0x400)
    most = int(bench.ok("00CA018D02"), 16)
    assert bench.send(f"00D6000000{most:04X}" + "AA" * most) == "9000"
    assert bench.send(f"00D6000000{most + 1:04X}" + "AA" * (most + 1)) == "6700"
    assert len(bench.ok("00B00000000000")) == 2 * most


def test_a_chain_is_one_command() -> None:
    bench = CardBench()
    bench.create_df()
    bench.put_key(0x10, ["03" * 4, "05" * 4], algorithm="8C")
    bench.ok("002241B603830110")
    assert bench.send("102A9E9A0100") == "9000"
    # The key is none, which only the whole command comes to.
    assert bench.send("002A9E9A010000") == "6984"


def test_a_chain_of_a_command_that_has_none_is_refused() -> None:
    bench = CardBench()
    assert bench.send("10A4000002FF01") == "6884"
    assert bench.send("1020008104AAAAAAAA") == "6884"


def test_another_command_in_a_chain_ends_it_and_is_not_carried_out() -> None:
    bench = CardBench()
    bench.create_df()
    bench.ok("00A4000C")
    bench.put_key(0x10, ["03" * 4, "05" * 4], algorithm="8C")
    assert bench.send("102A9E9A0100") == "9000"
    assert bench.send("00A40000025015") == "6883"
    assert bench.ok("00CA018700") == ""
    assert bench.send("00A4000002501500").endswith("9000")


def test_a_chain_longer_than_the_data_field_is_refused() -> None:
    bench = CardBench()
    link = command("102A9E9A", "00" * 255)
    assert [bench.send(link) for _ in range(4)] == ["9000", "9000", "9000", "6700"]


def test_broken_bytes_end_a_chain() -> None:
    bench = CardBench()
    assert bench.send("102A9E9A0100") == "9000"
    assert bench.send("00") == "6700"
    assert bench.ok("00CA018300") == "20"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00FF0000", "6D00"),
        ("80A40000", "6D00"),
        ("10FF0000", "6D00"),
        ("FFA40000", "6E00"),
        ("A0A40000023F00", "6E00"),
        ("01A40000", "6881"),
        ("0CA40000", "6882"),
        ("00A40500", "6A86"),
        ("00CA0000", "6A86"),
        ("00CA017F00", "6A88"),
    ],
)
def test_what_the_card_does_not_know_has_its_status_word(text: str, expected: str) -> None:
    assert CardBench().send(text) == expected


def test_instructions_that_no_client_shows_are_unknown() -> None:
    bench = CardBench()
    assert {bench.send(f"{cla}{ins}0000") for cla, ins in [("80", "E6"), ("00", "32"), ("84", "20")]} == {
        "6D00"
    }


def test_a_card_without_power_is_mute() -> None:
    card = EmulatedCard(models.get("cardos-4.4"), entropy=SeededEntropy("x"))

    with pytest.raises(CardMuteError):
        card.process(bytes.fromhex("00CA018300"))

    protocols = [card.protocol]
    assert card.power_on(Protocol.ANY) == bytes.fromhex("3BD21802C10A31FE58C80D51")
    protocols.append(card.protocol)
    card.power_off()
    card.power_off()
    assert [*protocols, card.protocol] == [Protocol.UNDEFINED, Protocol.T1, Protocol.UNDEFINED]


def test_a_reader_without_t1_finds_no_protocol() -> None:
    card = EmulatedCard(models.get("cardos-4.4"), entropy=SeededEntropy("x"))

    with pytest.raises(ProtocolMismatchError):
        card.power_on(Protocol.T0)


def test_a_reset_forgets_the_current_file_and_what_was_verified() -> None:
    bench = CardBench()
    bench.create_df()
    bench.put_pin(1, "1234")
    bench.ok("0020008108" + "3132333400000000")
    assert bench.ok("00CA018400") == "01"
    assert bench.ok("00CA018700") == "5015"
    bench.reset()
    assert bench.ok("00CA018400") == ""
    assert bench.ok("00CA018700") == ""


class BrokenEntropy(SeededEntropy):
    """Brings about a defect inside a command, with a message that must not be seen."""

    def bytes(self, count: int) -> NoReturn:
        raise RuntimeError(str(1226 + count))


def test_a_bug_of_the_card_is_6f00_and_an_event_without_the_message() -> None:
    events: list[object] = []
    hub = Hub()
    hub.subscribe(events.append)
    card = EmulatedCard(models.get("cardos-4.4"), entropy=BrokenEntropy("x"), hub=hub)
    card.power_on(Protocol.ANY)
    assert card.process(bytes.fromhex("0084000008")) == b"\x6f\x00"
    (defect,) = (event for event in events if isinstance(event, Defect))
    assert "cardos-4.4, command 00 84 00 00" in defect.where
    assert "RuntimeError" in defect.detail
    assert "1234" not in defect.detail
    assert card.process(bytes.fromhex("00CA018301")) == b"\x20\x90\x00"


@pytest.mark.parametrize("text", ["00A405000000023F00", "10A40500023F00", "00A40500023F00"])
def test_parameters_of_no_form_are_refused_however_the_command_comes(text: str) -> None:
    assert CardBench().send(text) == "6A86"
