from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.entropy import SeededEntropy
from cardtwin.middleware import (
    Ckr,
    Installation,
    MiddlewareError,
    PersonalDesktopClient,
    ProfileRefusedError,
    UserType,
    configuration,
    property_names,
)
from cardtwin.middleware.tokens import TokenState
from cardtwin.plan import Secret
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.provenance import Switches
from cardtwin.provenance.middleware import VIRTUAL_READERS
from cardtwin.source import Diagnostics, SourceText
from support.profiles import certificate
from support.tokens import MODELS, PIN1, READER, TokenDesk, profile_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = datetime(2026, 1, 1, tzinfo=UTC)
VIRTUAL = "Microsoft Virtual Smart Card 0"
SKIPPED = "[Reader]\nSkipReader=Microsoft Virtual Smart Card .*"
CACHED = "[Cache]\nCacheValidity=10"


class Configured:
    """A configured program at a desk at which another one, the desk's own client, changes the card."""

    def __init__(
        self,
        personal_cfg: str = "",
        *,
        model: str = MODELS[0],
        log: Path | None = None,
        virtual_readers: str = "fail",
    ) -> None:
        self.desk = TokenDesk(model)
        self.desk.init(profile_text(model))
        self.time = START
        self.found = Diagnostics()
        chosen = Switches({VIRTUAL_READERS.id: virtual_readers})
        text = SourceText("Personal.cfg", personal_cfg)
        self.client = PersonalDesktopClient(
            self.desk.manager.context(),
            Installation(certificate(), log_folder=log),
            entropy=SeededEntropy("configured"),
            codec=CmsPinBlobCodec(),
            now=lambda: self.time,
            switches=chosen,
            configuration=configuration.load(text, None, "java.exe", self.found, switches=chosen),
        )

    def state(self) -> TokenState:
        return self.client.token(READER).state

    def asked(self, call: Callable[[], Any]) -> list[bytes]:
        """Return the commands that a call makes, without those that tell which card it is."""
        before = len(self.desk.commands)
        call()
        return [command for command in self.desk.commands[before:] if command[1] != 0xCA]


@pytest.mark.parametrize("model", MODELS)
def test_kept_content_needs_no_file_of_the_card(model: str) -> None:
    program = Configured(CACHED, model=model)

    assert program.asked(lambda: program.client.token(READER))
    assert program.asked(lambda: program.client.token(READER)) == []
    program.time += timedelta(minutes=10)
    assert program.asked(lambda: program.client.token(READER))


def test_without_cache_each_look_reads_the_card() -> None:
    program = Configured()
    first = program.asked(lambda: program.client.token(READER))

    assert first
    assert program.asked(lambda: program.client.token(READER)) == first


def test_kept_and_read_content_show_the_same_token() -> None:
    program = Configured(CACHED)

    assert program.client.token(READER) == program.client.token(READER) == program.desk.client.token(READER)
    assert program.client.encrypted_pins(READER) == program.desk.client.encrypted_pins(READER)


def test_what_another_program_erases_is_still_shown_until_the_time_is_over() -> None:
    program = Configured(CACHED)
    assert program.state() is TokenState.INITIALISED

    program.desk.client.erase(READER)
    program.time += timedelta(minutes=9, seconds=59)
    assert program.state() is TokenState.INITIALISED
    assert program.client.card_state(READER).state is TokenState.BLANK
    program.time += timedelta(seconds=1)
    assert program.state() is TokenState.BLANK


def test_initialising_reads_the_card_itself_and_not_what_is_kept() -> None:
    program = Configured(CACHED)
    program.desk.client.erase(READER)
    assert program.state() is TokenState.BLANK

    program.desk.init(profile_text())
    assert program.state() is TokenState.BLANK
    program.client.init_token(READER, SourceText("token.cpf", profile_text()))
    assert program.state() is TokenState.INITIALISED


def test_erasing_forgets_what_is_kept_also_where_it_fails() -> None:
    program = Configured(CACHED)
    assert program.state() is TokenState.INITIALISED
    program.client.erase(READER)
    assert program.state() is TokenState.BLANK

    program.desk.init(profile_text(burn=True, operator=False))
    assert program.state() is TokenState.BLANK
    with pytest.raises(MiddlewareError):
        program.client.erase(READER)
    assert program.state() is TokenState.INITIALISED


def test_a_program_that_has_written_by_other_ways_can_say_so() -> None:
    program = Configured(CACHED)
    program.state()
    program.desk.client.erase(READER)
    program.client.forget(READER)

    assert program.state() is TokenState.BLANK


def test_a_login_by_outdated_content_does_not_find_the_new_pins() -> None:
    program = Configured(CACHED)
    program.desk.client.erase(READER)
    assert program.state() is TokenState.BLANK
    program.desk.init(profile_text())

    with pytest.raises(MiddlewareError) as failed:
        program.client.login(READER, UserType.USER, PIN1)

    assert failed.value.rv is Ckr.CKR_USER_PIN_NOT_INITIALIZED


def test_clients_of_one_program_with_other_installations_keep_the_same_content() -> None:
    program = Configured(CACHED)
    program.state()
    other = program.client.with_installation(replace(program.client.installation, bits=64))

    assert other.installation.bits == 64
    assert program.client.installation.bits == 32
    assert program.asked(lambda: other.token(READER)) == []
    other.erase(READER)
    assert program.state() is TokenState.BLANK


def test_a_skipped_reader_is_nowhere_for_any_function() -> None:
    program = Configured("[Reader]\nSkipReader=Reader 1")
    client, secret = program.client, Secret.of("1111")
    calls: list[Callable[[], object]] = [
        lambda: client.atr(READER),
        lambda: client.chip_serial(READER),
        lambda: client.card_state(READER),
        lambda: client.token(READER),
        lambda: client.encrypted_pins(READER),
        lambda: client.read_file(READER, "3F00/5015/5031"),
        lambda: client.init_token(READER, SourceText("token.cpf", profile_text())),
        lambda: client.card_eraser(READER),
        lambda: client.erase(READER),
        lambda: client.login(READER, UserType.USER, secret),
        lambda: client.verify_pin(READER, secret),
        lambda: client.change_pin(READER, secret, secret),
        lambda: client.unblock_pin(READER, secret, secret),
        lambda: client.tries_left(READER),
    ]
    before = len(program.desk.commands)

    assert client.readers() == ()
    for call in calls:
        with pytest.raises(MiddlewareError, match="SkipReader") as failed:
            call()

        assert failed.value.rv is Ckr.CKR_SLOT_ID_INVALID

    assert len(program.desk.commands) == before


def test_properties_are_texts_by_name() -> None:
    client = Configured().client
    token = client.token(READER)

    assert {name: client.get_property(READER, name) for name in property_names()} == {
        "card_number": client.chip_serial(READER).hex().upper(),
        "chip_serial": client.chip_serial(READER).hex().upper(),
        "family": "cardos-4.4",
        "profile_name": "",
        "token_label": token.label,
        "token_serial": token.serial.hex().upper(),
    }


def test_a_property_that_is_not_known_is_refused_with_a_hint() -> None:
    with pytest.raises(MiddlewareError, match=r"CKR_ARGUMENTS_BAD.*did you mean 'chip_serial'"):
        Configured().client.get_property(READER, "chip_serail")


@pytest.mark.parametrize(
    ("name", "personal_cfg", "switch", "fails"),
    [
        (VIRTUAL, "", "fail", True),
        (VIRTUAL, SKIPPED, "fail", False),
        (VIRTUAL, "", "harmless", False),
        ("Reader 2", "", "fail", False),
        ("microsoft virtual smart card 0", "", "fail", False),
    ],
)
def test_a_virtual_reader_in_sight_makes_properties_fail(
    name: str, personal_cfg: str, switch: str, fails: bool
) -> None:
    program = Configured(personal_cfg, virtual_readers=switch)
    program.desk.manager.add_reader(name)

    for call in (
        lambda: program.client.chip_serial(READER),
        lambda: program.client.get_property(READER, "family"),
    ):
        if fails:
            with pytest.raises(MiddlewareError) as failed:
                call()

            assert failed.value.rv is Ckr.CKR_GENERAL_ERROR
            assert name in failed.value.message
        else:
            assert call()

    assert program.state() is TokenState.INITIALISED
    program.desk.manager.remove_reader(name)
    assert program.client.chip_serial(READER)


def test_every_function_leaves_one_line_and_no_secret(tmp_path: Path) -> None:
    client = Configured("[Colours]", log=tmp_path).client
    client.atr(READER)
    client.chip_serial(READER)
    client.token(READER)
    client.verify_pin(READER, PIN1)

    with pytest.raises(MiddlewareError):
        client.verify_pin(READER, Secret.of("98765432"))

    with pytest.raises(ProfileRefusedError):
        client.init_token(READER, SourceText("token.cpf", "SEC_PIN1 = '271828' nonsense"))

    client.erase(READER)
    text = (tmp_path / "personal.log").read_text(encoding="utf-8")

    assert [line.split(" java.exe ")[1].partition(":")[0] for line in text.splitlines()] == [
        "Personal.cfg warning",
        "ATR [Reader 1] CKR_OK",
        "C_GetProperty [Reader 1] CKR_OK",
        "token [Reader 1] CKR_OK",
        "verify PIN [Reader 1] CKR_OK",
        "verify PIN [Reader 1] CKR_PIN_INCORRECT",
        "InitTokenPPA [Reader 1] CKR_ARGUMENTS_BAD",
        "Card Eraser [Reader 1] CKR_OK",
    ]
    assert not [secret for secret in ("1111", "98765432", "271828") if secret in text]


def test_a_log_folder_that_cannot_be_written_does_not_break_an_operation(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    client = Configured(log=tmp_path / "file" / "log").client

    assert client.token(READER).initialised
    assert client.chip_serial(READER)
    assert len(caplog.records) == 1
