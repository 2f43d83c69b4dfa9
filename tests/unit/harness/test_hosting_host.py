"""The host, in this process: what it makes of a request, and what it answers."""

from __future__ import annotations

import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.card import CardView, models
from cardtwin.card import image as images
from cardtwin.events import Event, Exchange, PowerChange, ReaderChanged
from cardtwin.hosting import (
    CONTROL_VARIABLE,
    CardRefusedError,
    CardRequest,
    CommandRefusedError,
    Control,
    NoServerError,
)
from cardtwin.hosting.actions import ACTIONS
from cardtwin.hosting.host import Host
from cardtwin.middleware import MiddlewareError
from cardtwin.pcsc import CardRemovedError
from cardtwin.plan import Secret
from cardtwin.ppa.shipped import shipped_profile, shipped_profiles
from support.hosted import PROFILES, encoding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READER = "Emulated reader"
SECRETS = {"PIN1": "271828", "PUK": "31415926", "PIN2": "141421", "OP": "16180339"}
FIELDS = {"PIN": "271828", "PUK": "31415926"}
PERSONALISED = [model for model in models.names() if shipped_profiles(model)]
FINISHED = [model for model in models.names() if not shipped_profiles(model)]
"""The models whose cards come finished: nothing is put on them by a profile."""

PERSONAL = "[CSP_PKCS11]\nP11_LogoutAfterSign={}\n"


class Served:
    """A host that is open, what it told its starter, and whether it was stopped."""

    def __init__(self, host: Host, ready: dict[str, Any]) -> None:
        self.host = host
        self.ready = ready

    @property
    def pins(self) -> dict[str, str]:
        return dict(self.ready["pins"])

    @property
    def view(self) -> CardView:
        return CardView(self.host.bench.desk.image(READER))

    def control(self) -> Control:
        return Control(self.ready["environment"][CONTROL_VARIABLE])


@contextmanager
def served(**contents: Any) -> Iterator[Served]:
    host = Host(CardRequest(**{"card": "cardos-5.3", **contents}), lambda: None)

    try:
        yield Served(host, host.open())
    finally:
        assert host.close() == {"stopped": {"problems": []}}


def refusal(**contents: Any) -> str:
    """Return why a card is refused; nothing that was given may be in it."""
    host = Host(CardRequest(**{"card": "cardos-5.3", **contents}), lambda: None)

    with pytest.raises(CardRefusedError) as refused:
        host.open()

    for secret in (*SECRETS.values(), *FIELDS.values()):
        assert secret not in str(refused.value)

    return str(refused.value)


def test_a_card_of_which_nothing_else_is_said_is_as_delivered() -> None:
    with served() as card:
        assert card.host.bench.desk.image(READER) == models.get("cardos-5.3").blank()
        assert card.pins == {}


def test_a_card_starts_as_it_leaves_the_factory() -> None:
    with served(card="cardos-4.3b", factory=True) as card:
        assert card.host.bench.desk.image(READER) == models.get("cardos-4.3b").factory()


@pytest.mark.parametrize("more", [{"profile": "full"}, {"encoding": "e.dsc"}, {"image": "card.image"}])
def test_a_card_from_the_factory_gets_nothing_put_on_it(more: dict[str, Any]) -> None:
    with pytest.raises(CardRefusedError, match="from the factory"):
        CardRequest(card="cardos-4.3b", factory=True, **more).check()


@pytest.mark.parametrize("model", PERSONALISED)
def test_a_shipped_profile_goes_by_its_name_and_its_pins_are_all_known(model: str) -> None:
    with served(card=model, profile="full", secrets=SECRETS) as card:
        assert card.pins.items() >= SECRETS.items()
        assert card.pins.keys() == {"PIN1", "PUK", "PIN2", "PUK2", "OP", "MAN"}
        client = card.host.bench.client("test")

        for name, label in (("PIN1", "PIN"), ("PUK2", "Signature PUK"), ("MAN", "Manager PIN")):
            client.verify_pin(READER, Secret.of(card.pins[name]), pin=label)


@pytest.mark.parametrize("model", FINISHED)
def test_a_card_that_comes_finished_has_no_profile(model: str) -> None:
    assert f"no profile 'full' for {model} comes with cardtwin" in refusal(card=model, profile="full")


def test_every_shipped_profile_has_a_name() -> None:
    found = {
        shipped_profile(model, name).stem for model in models.names() for name in shipped_profiles(model)
    }
    assert found == {path.stem for path in PROFILES.glob("*.cpf")}


@pytest.mark.parametrize(
    ("model", "file"),
    [
        ("cardos-4.3b", "cardos-4.3b-full"),
        ("cardos-4.4", "cardos-4.4-full"),
        ("cardos-5.0", "cardos-5.3-full"),
        ("cardos-5.3-di", "cardos-5.3-full"),
        ("cosmo-7", "cosmo-8.2-full"),
        ("cosmo-8.2", "cosmo-8.2-full"),
    ],
)
def test_a_profile_suits_each_model_of_its_family(model: str, file: str) -> None:
    assert shipped_profile(model, "full").stem == file


@pytest.mark.parametrize("name", ["cardos-4", "cardos-5", "cardos-5.5", "cosmo-7-other", ""])
def test_a_name_that_only_looks_like_a_model_s_has_no_profiles(name: str) -> None:
    assert shipped_profiles(name) == ()


def test_a_profile_may_be_a_file_with_parameters_and_a_label(tmp_path: Path) -> None:
    path = tmp_path / "own.cpf"
    text = (PROFILES / "cardos-5.3-full.cpf").read_text()
    path.write_text(text.replace("data = PROFILENAME", "data = VALUE"))

    with served(profile=str(path), parameters={"VALUE": "0badcafe"}, label="Mine") as card:
        assert card.host.bench.client("test").token(READER).label == "Mine"
        assert card.view.files["3F00/5015/F001"].content.startswith(bytes.fromhex("0badcafe"))


def test_an_encoding_finds_what_lies_beside_it(tmp_path: Path) -> None:
    with served(encoding=str(encoding(tmp_path)), fields=FIELDS) as card:
        assert card.host.bench.client("test").token(READER).label == "Made by an encoding"
        assert (card.pins["PIN1"], card.pins["PUK"]) == ("271828", "31415926")
        card.host.bench.client("test").verify_pin(READER, Secret.of(card.pins["PUK2"]), pin="Signature PUK")


def test_an_encoding_takes_what_is_attached(tmp_path: Path) -> None:
    path = encoding(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    attached = (tmp_path / "token.cpf").rename(elsewhere / "token.cpf")
    assert "token.cpf" in refusal(encoding=str(path), fields=FIELDS)

    with served(encoding=str(path), fields=FIELDS, attached=(str(attached),)) as card:
        assert card.pins["PIN1"] == "271828"


def test_an_encoding_takes_the_answers_to_its_dialogs(tmp_path: Path) -> None:
    path = encoding(tmp_path)
    path.write_text(path.read_text().replace("PIN=PIN\n", "PIN=!FROM_USER_DIALOG_1_FIELD\n", 1))
    assert "dialog 1" in refusal(encoding=str(path), fields={"PUK": "31415926"})

    with served(encoding=str(path), fields={"PUK": "31415926"}, answers={"1": "271828"}) as card:
        assert card.pins["PIN1"] == "271828"


def test_a_field_without_value_is_told_with_its_place(tmp_path: Path) -> None:
    path = encoding(tmp_path)
    told = refusal(encoding=str(path), fields={"PIN": "271828"})
    assert re.search(rf"{path}:14:12: error: InitialPUK: field 'PUK' is mapped to nothing", told)


def test_an_encoding_that_fails_at_the_card_is_told(tmp_path: Path) -> None:
    told = refusal(card="cardos-4.4", encoding=str(encoding(tmp_path)), fields=FIELDS)
    assert "init.dsc: the encoding failed: CKR_TOKEN_NOT_RECOGNIZED" in told


def test_a_profile_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "wrong.cpf"
    path.write_text("CardModel\n")
    assert f"{path}:1:" in refusal(profile=str(path), secrets=SECRETS)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ({"card": "cardos-9"}, "there is no card model 'cardos-9'"),
        ({"quirks": ("odd",)}, "there is no quirk 'odd'"),
        ({"switches": {"card.odd": "x"}}, "there is no switch 'card.odd'"),
        ({"reader": "x" * 200}, "a reader's name has"),
        ({"profile": "ful"}, "no profile 'ful' for cardos-5.3.*there are erasable, full, locked, operator,"),
        ({"profile": "nowhere/full.cpf"}, "nowhere/full.cpf: No such file"),
        ({"profile": "full", "secrets": {"PIN9": "271828"}}, "there is no secret 'PIN9': there are PIN1, "),
        ({"image": "nowhere.image"}, "nowhere.image: No such file"),
        ({"config": "nowhere.cfg"}, "nowhere.cfg: No such file"),
        ({"ppa_config": "nowhere.cfg"}, "nowhere.cfg: No such file"),
        ({"trace": "nowhere/trace"}, "nowhere/trace: there is no folder"),
        ({"control": "x" * 200}, "a unix socket's path has at most"),
    ],
)
def test_what_there_is_not_is_told(contents: dict[str, Any], reason: str) -> None:
    assert re.search(reason, refusal(**contents))


def test_a_broken_personal_cfg_is_told_with_its_place_and_what_is_unknown_is_a_warning(
    tmp_path: Path,
) -> None:
    path = tmp_path / "Personal.cfg"
    path.write_text(PERSONAL.format("maybe"))
    assert f"{path}:2:21" in refusal(config=str(path))
    path.write_text(PERSONAL.format("1") + "Sectons=java.exe\n")

    with served(config=str(path)) as card:
        (warning,) = card.ready["warnings"]
        assert f"{path}:3:1" in warning
        assert "Sections" in warning


def test_every_program_has_the_personal_cfg_that_was_given(tmp_path: Path) -> None:
    system, user = tmp_path / "system", tmp_path / "user"
    system.write_text(PERSONAL.format("1"))
    user.write_text(PERSONAL.format("0"))

    with served(config=str(system)) as card:
        assert card.host.bench.client("java").configuration.p11_logout_after_sign

    with served(config=str(system), user_config=str(user)) as card:
        assert not card.host.bench.client("java").configuration.p11_logout_after_sign


def test_the_certificate_of_id2ppa_cfg_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "iD2ppa.cfg"
    path.write_text("[PIN Encryption]\nFile=C:\\somewhere\\pin.crt\n")
    assert "pin.crt" in refusal(ppa_config=str(path), profile="full")
    (tmp_path / "pin.crt").write_bytes((PROFILES.parent / "scenarios/keys/pin-b.crt").read_bytes())

    with served(ppa_config=str(path), profile="full") as card:
        certificate = card.host.bench.client("java").installation.pin_certificate
        assert certificate is not None
        assert "pin-b" in certificate.subject.rfc4514_string()


def test_an_image_says_which_card_it_is_of(tmp_path: Path) -> None:
    path = tmp_path / "card.image"

    with served(card="cardos-4.4", profile="full") as card, card.control() as control:
        control.snapshot(path)
        saved = card.host.bench.desk.image(READER)

    with served(card=None, image=str(path)) as card:
        assert card.host.model == "cardos-4.4"
        assert card.host.bench.desk.image(READER) == saved

    assert "is the image of a cardos-4.4, and the card is a cardos-5.3" in refusal(image=str(path))
    path.write_text("{}")
    assert str(path) in refusal(image=str(path))


def test_the_same_seed_gives_the_same_card() -> None:
    with served(profile="full", seed="a") as one, served(profile="full", seed="a") as other:
        assert one.pins == other.pins
        assert one.host.bench.desk.image(READER) == other.host.bench.desk.image(READER)


def test_a_program_finds_the_card_as_put_in_just_now() -> None:
    host, told = Host(CardRequest(card="cardos-5.3", profile="full"), lambda: None), list[Event]()
    host._hub.subscribe(told.append)
    host.open()
    state = host.bench.manager.state(READER)
    host.close()
    last = max(place for place, event in enumerate(told) if isinstance(event, Exchange))
    after = [event.change for event in told[last:] if isinstance(event, ReaderChanged)]
    assert after[:2] == [PowerChange.REMOVED, PowerChange.INSERTED]
    assert (state.present, state.powered, state.sharing) == (True, True, 0)


def test_the_card_can_be_taken_out_and_put_in_and_reset() -> None:
    with served() as card, card.control() as control:
        control.remove()
        assert control.status()["readers"][0]["card"] is None
        control.insert()
        control.power_off()
        assert control.status()["readers"][0]["card"]["powered"] is False
        control.power_on()
        assert control.status()["readers"][0]["card"]["powered"] is True
        control.reset()


@pytest.mark.parametrize("command", ["remove", "reset", "power-on", "power-off", "snapshot", "load"])
def test_what_needs_a_card_is_refused_without_one(command: str, tmp_path: Path) -> None:
    path = tmp_path / "blank.image"
    images.save(models.get("cardos-5.3").blank(), path)

    with served() as card, card.control() as control:
        control.remove()

        with pytest.raises(CommandRefusedError, match="there is no card in 'Emulated reader'"):
            control.call(command, path=str(path))


def test_a_second_card_does_not_go_into_a_reader() -> None:
    with served() as card, card.control() as control, pytest.raises(CommandRefusedError, match="already"):
        control.insert()


def test_the_status_tells_the_card_without_its_secrets() -> None:
    with served(profile="full", secrets=SECRETS) as card, card.control() as control:
        with pytest.raises(Exception, match="CKR_PIN_INCORRECT"):
            card.host.bench.client("test").verify_pin(READER, Secret.of("999999"))

        status = control.status()

    (reader,) = status["readers"]
    pins = {pin["reference"]: pin["tries_left"] for pin in reader["card"]["pins"]}
    facts = {name: reader["card"][name] for name in ("model", "serial", "life_cycle", "fuse", "erasable")}
    assert facts == {
        "model": "cardos-5.3",
        "serial": "02087A51000D3C2E",
        "life_cycle": "operational",
        "fuse": "burnt",
        "erasable": "always",
    }
    assert (pins[1], pins[3]) == (2, 3)
    assert status["programs"] == []
    assert not [secret for secret in card.pins.values() if secret in str(status)]


def test_a_snapshot_brings_the_card_back(tmp_path: Path) -> None:
    path = tmp_path / "before.image"

    with served(profile="full") as card, card.control() as control:
        control.snapshot(path)
        before = card.host.bench.desk.image(READER)

        with pytest.raises(Exception, match="CKR_PIN_INCORRECT"):
            card.host.bench.client("test").verify_pin(READER, Secret.of("999999"))

        assert card.host.bench.desk.image(READER) != before
        control.load(path)
        assert card.host.bench.desk.image(READER) == before
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_use_is_told(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "card.image"

    with served() as card, card.control() as control:
        for command in ("snapshot", "load"):
            with pytest.raises(CommandRefusedError, match=f"{path}: No such file"):
                control.call(command, path=str(path))

        path.parent.mkdir()
        images.save(models.get("cardos-4.4").blank(), path)

        with pytest.raises(CommandRefusedError, match=r"is that of a 'cardos-4\.4'"):
            control.load(path)

        assert control.status()["readers"][0]["card"]["powered"] is True


def test_what_nobody_knows_is_answered_with_what_there_is() -> None:
    with served() as card, card.control() as control:
        for command in ("fly", None, 7):
            with pytest.raises(
                CommandRefusedError, match=r"there is no command .*: there are insert, remove"
            ):
                control.call(command)  # type: ignore[arg-type]

        control.status()


def test_what_is_no_message_ends_that_connection_and_no_other() -> None:
    with served() as card, card.control() as control:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other, other.makefile("rb") as answers:
            other.connect(card.ready["environment"][CONTROL_VARIABLE])
            other.sendall(b"GET / HTTP/1.1\n\n")
            assert b'"error"' in answers.readline()
            assert answers.readline() == b""

        control.status()


def test_a_bug_is_answered_and_told_at_the_end_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = str(271828)

    def fail(*_: object) -> None:
        raise RuntimeError(secret)

    monkeypatch.setitem(ACTIONS, "reset", fail)
    host = Host(CardRequest(card="cardos-5.3"), lambda: None)
    ready = host.open()

    with (
        Control(ready["environment"][CONTROL_VARIABLE]) as control,
        pytest.raises(CommandRefusedError, match="bug of cardtwin"),
    ):
        control.reset()

    (problem,) = host.close()["stopped"]["problems"]
    assert "command reset" in problem
    assert "RuntimeError" in problem
    assert secret not in problem


def test_the_trace_begins_when_the_card_is_ready_and_shows_no_pin(tmp_path: Path) -> None:
    path = tmp_path / "trace"

    with served(profile="full", secrets=SECRETS, trace=str(path)) as card:
        assert path.read_text() == ""
        card.host.bench.client("test").verify_pin(READER, Secret.of(SECRETS["PIN1"]))

    text = path.read_text()
    assert text.startswith("## cardos-5.3\n")
    assert "VERIFY" in text
    assert "file created" not in text
    assert SECRETS["PIN1"].encode().hex(" ") not in text


def test_another_users_server_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as card:
        monkeypatch.setattr("cardtwin.hosting.commands.Peer.is_own", False)

        with pytest.raises(NoServerError, match="is another user's"):
            card.control()


@pytest.mark.parametrize("path", [None, 5, "beside", "/a\0b"])
@pytest.mark.parametrize("command", ["snapshot", "load"])
def test_what_is_no_path_is_refused(command: str, path: object) -> None:
    with served() as card, card.control() as control:
        with pytest.raises(CommandRefusedError, match="the path of a file"):
            control.call(command, path=path)

        control.status()


@pytest.mark.parametrize("name", ["control", "trace"])
def test_a_folder_that_is_not_there_is_told_and_not_made(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert f"there is no folder '{folder}'" in refusal(**{name: str(folder / "file")})
    assert not folder.exists()


def test_every_mistake_of_a_profile_is_told_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "own.cpf"
    path.write_text((PROFILES / "cardos-5.3-full.cpf").read_text().replace("X_Pin", "X_Pim"))
    text = refusal(profile=str(path))
    assert text.count("there is no statement X_Pim [unknown-statement]") == 6
    assert text.count("\n  remedy: did you mean 'X_Pin'?") == 6


def test_nobody_at_a_socket_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "socket", tmp_path, tmp_path / ("x" * 200)):
        with pytest.raises(NoServerError, match=f"no server listens at {path}"):
            Control(path)


SELECT = bytes.fromhex("00A4000C023F00")


def test_faults_begin_when_the_card_is_ready() -> None:
    with served(profile="full", faults=("do=answer at=00A4 after=1 sw=6F00 times=always",)) as card:
        connection = card.host.bench.manager.context().connect(READER)
        assert [connection.transmit(SELECT) for _ in range(3)] == [b"\x90\x00", b"\x6f\x00", b"\x6f\x00"]


def test_a_card_that_takes_itself_out_is_put_in_again() -> None:
    with served(faults=("do=remove",)) as card, card.control() as control:
        connection = card.host.bench.manager.context().connect(READER)

        with pytest.raises(CardRemovedError):
            connection.transmit(SELECT)

        assert control.status()["readers"][0]["card"] is None
        control.insert()
        assert card.host.bench.manager.context().connect(READER).transmit(SELECT) == b"\x90\x00"


def test_a_real_speed_takes_real_time_but_not_before_the_card_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("cardtwin.hosting.host.time.sleep", slept.append)

    with served(profile="full", speed="real") as card:
        assert len(slept) == 1  # the reset when it was put in
        card.host.bench.manager.context().connect(READER).transmit(SELECT)
        assert len(slept) == 2


def test_a_fault_that_is_none_is_refused() -> None:
    assert "'do: mute'" in refusal(faults=("do=mute sw=9000",))


def test_what_is_entered_at_the_pin_pad_reaches_the_card() -> None:
    with served(profile="full", secrets=SECRETS, pinpad=True) as card, card.control() as control:
        control.enter(SECRETS["PIN1"])
        card.host.bench.client("test").verify_pin(READER, None)
        control.enter("cancel")

        with pytest.raises(MiddlewareError, match="cancelled at the reader"):
            card.host.bench.client("test").verify_pin(READER, None)


@pytest.mark.parametrize("entries", [["12a456"], ["271828", ""], [], [271828], "271828", None])
def test_what_cannot_be_entered_is_refused_and_not_repeated(entries: object) -> None:
    with served(pinpad=True) as card, card.control() as control:
        with pytest.raises(CommandRefusedError) as refused:
            control.call("enter", entries=entries)

        assert not re.search("12a456|271828", str(refused.value))


def test_a_reader_without_a_pin_pad_takes_nothing() -> None:
    with (
        served() as card,
        card.control() as control,
        pytest.raises(CommandRefusedError, match="has no PIN pad"),
    ):
        control.enter("271828")


def test_a_card_in_pcscd_has_no_pin_pad() -> None:
    with pytest.raises(CardRefusedError, match="no PIN pad"):
        CardRequest(card="cardos-5.3", pinpad=True, pcscd="127.0.0.1:1").check()
