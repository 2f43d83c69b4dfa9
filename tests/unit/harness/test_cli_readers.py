"""Several readers on the command line: in words, in a file, and by `cardtwin ctl`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from cardtwin.card import image as images
from cardtwin.card import models
from cardtwin.cli import card_options, main
from cardtwin.cli.card_words import card_of_words
from cardtwin.cli.readers_file import read_readers
from cardtwin.hosting import DEFAULT_READER, CardRequest, HostRequest
from cardtwin.source import SourceError
from support.hosted import command, run

if TYPE_CHECKING:
    from pathlib import Path

READERS = """\
cards:
  Signer:
    model: cardos-5.3
    profile: full
    secrets: {PIN1: env:MY_PIN}
    keep: signer.image
    faults: [{do: delay, seconds: 1, times: always}]
  Guest: {image: guest.image, quirks: drop_pin_on_select, keys: fresh, speed: real}
readers:
  Left: Signer
  Right: cosmo-8.2
  Spare: empty
"""


def request_of(*arguments: str) -> HostRequest:
    """Return the request that the options of a command line ask for."""
    found: list[HostRequest] = []

    @click.command()
    @card_options.card_options
    def parse(**options: Any) -> None:
        found.append(card_options.request_of(options))

    result = CliRunner().invoke(parse, arguments)

    if result.exit_code:
        raise ValueError(result.output or str(result.exception))

    return found[0]


def refused(*arguments: str) -> str:
    with pytest.raises(ValueError, match=r".") as error:
        request_of(*arguments)

    return str(error.value)


def test_one_card_needs_no_words() -> None:
    card = CardRequest(model="cardos-5.3", label="L", profile="full")
    assert request_of("--card", "cardos-5.3", "--profile", "full", "--label", "L") == HostRequest.of(card)
    assert request_of("--card", "c", "--reader", "R") == HostRequest.of(CardRequest(model="c"), reader="R")
    assert request_of("--keep", "f") == HostRequest.of(CardRequest(keep="f"))


def test_readers_stand_in_words_behind_that_of_the_one_card() -> None:
    words = "cosmo-8.2 profile=full label='My token' secret.PIN1=1234 fault='do=mute at=00A4' fault=do=remove"
    found = request_of("--reader", f"Right={words}", "--card", "c", "--reader", "E=empty", "--reader", "M=m")
    assert found.readers == {DEFAULT_READER: DEFAULT_READER, "Right": "Right", "E": None, "M": "M"}
    assert found.cards["Right"] == CardRequest(
        model="cosmo-8.2",
        profile="full",
        label="My token",
        secrets={"PIN1": "1234"},
        faults=("do=mute at=00A4", "do=remove"),
    )
    assert found.cards["M"] == CardRequest(model="m")
    assert request_of("--reader", "A=empty").readers == {"A": None}


def test_all_that_options_say_can_be_said_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MY_PIN", "271828")
    (tmp_path / "puk").write_text("31415926\n")
    words = (
        "image=i keep=k state=factory serial=0A quirk=a quirk=b attach=f speed=real encoding=e "
        f"key_descriptors=d key_properties=p secret.PIN1=env:MY_PIN field.PUK=file:{tmp_path / 'puk'} "
        "param.A=0x0102 param.B=x answer.1=text:env:1"
    )
    assert card_of_words(words, "--reader") == CardRequest(
        image="i",
        keep="k",
        factory=True,
        serial="0A",
        quirks=("a", "b"),
        attached=("f",),
        speed="real",
        encoding="e",
        key_descriptors="d",
        key_properties="p",
        secrets={"PIN1": "271828"},
        fields={"PUK": "31415926"},
        parameters={"A": "0102", "B": "78"},
        answers={"1": "env:1"},
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("c profile", "'profile' is no KEY=VALUE"),
        ("c profil=full", "did you mean 'profile'"),
        ("c label='x", "No closing quotation"),
        ("c keep=a keep=b", "'keep' is given twice"),
        ("c secret.PIN1=1 secret.PIN1=2", "'PIN1' is given twice"),
        ("c state=new", "'state' is blank or factory"),
        ("c answer.x=1", "no dialog's number"),
        ("c secret.PIN1=env:NOT_THERE", "no variable 'NOT_THERE'"),
        ("c param.A=0x1", "hex digits"),
        ("c secret=1", "'secret' is no key"),
    ],
)
def test_words_that_are_none_are_refused(words: str, reason: str) -> None:
    with pytest.raises(click.BadParameter) as error:
        card_of_words(words, "--reader")

    assert reason in error.value.message
    assert reason in refused("--reader", f"R={words}")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--reader", "A", "--reader", "B"), "'B': which card is in it"),
        (("--reader", "A", "--reader", "B=empty"), "'A': which card is in it"),
        (("--card", "c", "--reader", "A", "--reader", "A=empty"), "two readers 'A'"),
        (("--reader", "A=c", "--reader", "A=empty"), "two readers 'A'"),
    ],
)
def test_readers_that_are_unclear_are_refused(arguments: tuple[str, ...], reason: str) -> None:
    assert reason in refused(*arguments)


def test_a_file_has_readers_and_cards_as_a_scenario(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MY_PIN", "271828")
    path = tmp_path / "readers.yaml"
    path.write_text(READERS)
    found = request_of("--readers", str(path), "--reader", "More=Guest", "--seed", "s")
    assert found.readers == {"Left": "Signer", "Right": "Right", "Spare": None, "More": "Guest"}
    assert found.cards["Signer"] == CardRequest(
        model="cardos-5.3",
        profile="full",
        secrets={"PIN1": "271828"},
        keep=str(tmp_path / "signer.image"),
        faults=("do=delay times=always seconds=1.0",),
    )
    assert found.cards["Guest"] == CardRequest(
        image=str(tmp_path / "guest.image"), quirks=("drop_pin_on_select",), fresh_keys=True, speed="real"
    )
    assert found.cards["Right"] == CardRequest(model="cosmo-8.2")
    assert found.seed == "s"
    assert next(iter(request_of("--card", "c", "--readers", str(path)).readers)) == DEFAULT_READER


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("readers: {R: c}\ncard: {}\n", "2:1", "'card' is no key here"),
        ("cards: {A: {model: c, profle: full}}\nreaders: {R: A}\n", "1:23", "'profle' is no key here"),
        ("cards: {A: {profile: full}}\nreaders: {R: A}\n", "1:12", "which card"),
        (
            "cards: {A: {model: c, faults: [{do: tear}]}}\nreaders: {R: A}\n",
            "1:32",
            "'do: tear' needs 'writes'",
        ),
        ("readers: [R]\n", "1:10", "a mapping is expected"),
        ("cards: {}\n", "1:1", "'readers' is missing"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_at_its_place(
    tmp_path: Path, text: str, place: str, message: str
) -> None:
    path = tmp_path / "readers.yaml"
    path.write_text(text)

    with pytest.raises(SourceError) as error:
        read_readers(path)

    assert f"{path}:{place}: error: {message}" in str(error.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run("exec", "--readers", tmp_path / "none.yaml", "echo", "ran")
    assert (result.returncode, result.stdout) == (125, "")
    assert f"{tmp_path / 'none.yaml'}: No such file" in result.stderr


def test_the_pins_of_each_card_are_in_the_commands_environment() -> None:
    given = ("--reader", "Left one=cardos-5.3 profile=full secret.PIN1=271828")
    more = ("--reader", "Right=cardos-4.4 profile=full secret.PIN1=314159", "--reader", "Spare=empty")
    script = 'echo "$CARDTWIN_PIN1 $CARDTWIN_LEFT_ONE_PIN1 $CARDTWIN_RIGHT_PIN1"'
    result = run("exec", *given, *more, "sh", "-c", script)
    assert result.stdout == "271828 271828 314159\n", result.stderr
    result = run("exec", "--reader", "A b=cardos-4.4", "--reader", "a-B=cardos-4.4", "echo", "ran")
    assert (result.returncode, result.stdout) == (125, "")
    assert "'A b' and 'a-B' would be in the same variables" in result.stderr


def test_ctl_works_at_one_of_several_readers(tmp_path: Path) -> None:
    images.save(models.get("cardos-5.4").blank(), tmp_path / "guest.image")
    script = """
        "$@" ctl remove --reader Left
        "$@" ctl insert 'image=guest.image serial=0102030405060708' --reader Left
        "$@" ctl insert Left --reader Spare
        "$@" ctl fault do=mute at=002A --reader Spare
        "$@" ctl add-reader New
        "$@" ctl remove-reader Right
        "$@" ctl status --json
        "$@" ctl remove
        "$@" ctl fault --clear --reader Spare
        "$@" ctl status
    """
    given = ("--reader", "Left=cardos-5.3", "--reader", "Right=cardos-4.4", "--reader", "Spare=empty")
    result = run("exec", *given, "sh", "-c", script, "sh", *command()[:5], folder=tmp_path)
    assert result.stderr == "cardtwin: which reader? There are 'Left', 'Spare', 'New'\n"
    name, told = result.stdout.split("\n", 1)
    assert name == "Left 2"
    status, place = json.JSONDecoder().raw_decode(told)
    cards = {reader["name"]: reader["card"] for reader in status["readers"]}
    assert (cards["Left"]["name"], cards["Left"]["serial"]) == ("Left 2", "0102030405060708")
    assert (cards["Spare"]["name"], cards["Spare"]["faults"]) == ("Left", ["do=mute at=002A"])
    assert cards["New"] is None
    text = told[place:]
    assert re.search(r"^Left: cardos-5\.4, serial 0102030405060708$", text, re.MULTILINE)
    assert re.search(r"^in no reader: Right, cardos-4\.4$", text, re.MULTILINE)
    assert "fault" not in text


@pytest.mark.parametrize("arguments", [(), ("--clear", "do=mute")])
def test_a_fault_is_said_or_cleared(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, ["ctl", "--socket", "none", "fault", *arguments])
    assert result.exit_code == 2
    assert "say what goes wrong" in result.stderr


def test_a_kept_card_is_the_same_in_the_next_run(tmp_path: Path) -> None:
    given = ("--card", "cardos-5.3", "--profile", "full", "--secret", "PIN1=271828", "--keep", "card.image")
    first = run("exec", *given, "sh", "-c", 'echo "$CARDTWIN_PIN1 ${CARDTWIN_PUK:+PUK}"', folder=tmp_path)
    assert first.stdout == "271828 PUK\n", first.stderr
    before = (tmp_path / "card.image").read_bytes()
    again = run("exec", *given, "sh", "-c", 'echo "$CARDTWIN_PIN1 ${CARDTWIN_PUK:+PUK}"', folder=tmp_path)
    assert again.stdout == "271828 \n", again.stderr
    assert (tmp_path / "card.image").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["card.image"]
