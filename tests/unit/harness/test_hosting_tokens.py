"""What a host makes of a request: the cards, and what is put on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.card import models
from cardtwin.events import CardChanged, Event, Exchange, PowerChange, ReaderChanged
from cardtwin.hosting import CardRefusedError, CardRequest
from cardtwin.hosting.host import Host
from cardtwin.plan import Secret
from cardtwin.ppa.shipped import shipped_profile, shipped_profiles
from support.hosted import PROFILES, encoding
from support.hosts import FIELDS, READER, SECRETS, asked, refusal, served

if TYPE_CHECKING:
    from pathlib import Path

PERSONALISED = [model for model in models.names() if shipped_profiles(model)]
FINISHED = [model for model in models.names() if not shipped_profiles(model)]
"""The models whose cards come finished: nothing is put on them by a profile."""

PERSONAL = "[CSP_PKCS11]\nP11_LogoutAfterSign={}\n"


def test_a_card_of_which_nothing_else_is_said_is_as_delivered() -> None:
    with served() as card:
        assert card.host.desk.image(READER) == models.get("cardos-5.3").blank()
        assert card.pins == {}


def test_a_card_starts_as_it_leaves_the_factory() -> None:
    with served(model="cardos-4.3b", factory=True) as card:
        assert card.host.desk.image(READER) == models.get("cardos-4.3b").factory()


@pytest.mark.parametrize("more", [{"profile": "full"}, {"encoding": "e.dsc"}, {"image": "card.image"}])
def test_a_card_from_the_factory_gets_nothing_put_on_it(more: dict[str, Any]) -> None:
    with pytest.raises(CardRefusedError, match="from the factory"):
        CardRequest(model="cardos-4.3b", factory=True, **more).check()


@pytest.mark.parametrize("model", PERSONALISED)
def test_a_shipped_profile_goes_by_its_name_and_its_pins_are_all_known(model: str) -> None:
    with served(model=model, profile="full", secrets=SECRETS) as card:
        assert card.pins.items() >= SECRETS.items()
        assert card.pins.keys() == {"PIN1", "PUK", "PIN2", "PUK2", "OP", "MAN"}
        client = card.host.bench.client("test")

        for name, label in (("PIN1", "PIN"), ("PUK2", "Signature PUK"), ("MAN", "Manager PIN")):
            client.verify_pin(READER, Secret.of(card.pins[name]), pin=label)


@pytest.mark.parametrize("model", FINISHED)
def test_a_card_that_comes_finished_has_no_profile(model: str) -> None:
    assert f"no profile 'full' for {model} comes with cardtwin" in refusal(model=model, profile="full")


def test_every_shipped_profile_has_a_name() -> None:
    found = {
        shipped_profile(model, name).stem for model in models.names() for name in shipped_profiles(model)
    }
    assert found == {path.stem for path in PROFILES.glob("*.cpf")}


@pytest.mark.parametrize("model", PERSONALISED)
def test_every_model_has_each_kind_of_profile(model: str) -> None:
    kinds = {"full", "prepersonalised", "signature", "erasable", "locked"}
    assert kinds <= set(shipped_profiles(model))


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
    told = refusal(model="cardos-4.4", encoding=str(encoding(tmp_path)), fields=FIELDS)
    assert "init.dsc: the encoding failed: CKR_TOKEN_NOT_RECOGNIZED" in told


def test_a_profile_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "wrong.cpf"
    path.write_text("CardModel\n")
    assert f"{path}:1:" in refusal(profile=str(path), secrets=SECRETS)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ({"model": "cardos-9"}, "there is no card model 'cardos-9'"),
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

    with served(model="cardos-4.4", profile="full") as card, card.control() as control:
        control.snapshot(path)
        saved = card.host.desk.image(READER)

    with served(model=None, image=str(path)) as card:
        assert card.host.desk.cards[0].model == "cardos-4.4"
        assert card.host.desk.image(READER) == saved

    assert "is the image of a cardos-4.4, and the card is a cardos-5.3" in refusal(image=str(path))
    path.write_text("{}")
    assert str(path) in refusal(image=str(path))


def test_the_same_seed_gives_the_same_card() -> None:
    with served(profile="full", seed="a") as one, served(profile="full", seed="a") as other:
        assert one.pins == other.pins
        assert one.host.bench.desk.image(READER) == other.host.bench.desk.image(READER)


def test_programs_see_a_card_put_in_just_now_and_nothing_of_how_it_was_made() -> None:
    host, told = Host(asked(profile="full"), lambda: None), list[Event]()
    host.hub.subscribe(told.append)
    host.open()
    state = host.bench.manager.state(READER)
    host.close()
    assert not [event for event in told if isinstance(event, Exchange | CardChanged)]
    changes = [event.change for event in told if isinstance(event, ReaderChanged)]
    assert changes == [PowerChange.INSERTED, PowerChange.POWERED_ON]
    assert (state.present, state.powered, state.sharing) == (True, True, 0)


def test_every_mistake_of_a_profile_is_told_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "own.cpf"
    path.write_text((PROFILES / "cardos-5.3-full.cpf").read_text().replace("X_Pin", "X_Pim"))
    text = refusal(profile=str(path))
    assert text.count("there is no statement X_Pim [unknown-statement]") == 6
    assert text.count("\n  remedy: did you mean 'X_Pin'?") == 6
