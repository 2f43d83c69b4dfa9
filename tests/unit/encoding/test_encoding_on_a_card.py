"""Encodings all the way down: Identity Manager's part, the middleware, PC/SC, an emulated card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.encoding import ERROR_MESSAGE, RESULT, Engine, Job
from cardtwin.encoding.keys import RsaDecryptionKey
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Event, Exchange, Hub
from cardtwin.middleware import Ckr, Installation, Login, MiddlewareError, PersonalDesktopClient, UserType
from cardtwin.plan import Secret, SecretName, oaep
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.readers import ReaderManager
from cardtwin.source import SourceText
from support.encodings import INIT, certificate, job, rsa_key

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from cardtwin.encoding import LibraryEntry, Outcome

PROFILES = Path(__file__).resolve().parents[3] / "profiles"
PUK, PIN, OP = Secret.of("12345678"), Secret.of("1234"), Secret.of("87654321")
CREDENTIALS = {"PUK": PUK, "PIN": PIN, "OP": OP}
ALL = f"{INIT}Operator_PIN=OP\n"
OUTPUTS = "\n".join(f"CardPinDecryption_Output_{name}=OUT_{name}" for name in SecretName)
TARGETS = {f"OUT_{name}": Secret(b"") for name in SecretName}
READER = "Reader 1"


class Desk:
    """A reader with a card, a middleware, and the engine above."""

    def __init__(self, model: str = "cardos-5.3", pin_certificate: Certificate | None = None) -> None:
        self.commands: list[bytes] = []
        self.certificate = pin_certificate
        hub = Hub()
        hub.subscribe(self._note)
        self._manager = ReaderManager(hub)
        self._manager.add_reader(READER)
        self._manager.insert(
            READER, EmulatedCard(models.get(model), entropy=SeededEntropy("card"), hub=hub, reader=READER)
        )
        self.engine = Engine(self.client, keys=[RsaDecryptionKey(rsa_key("pins"))])

    def client(self, library: LibraryEntry | None = None) -> PersonalDesktopClient:
        return PersonalDesktopClient(
            self._manager.context(),
            Installation(self.certificate, library.bits if library else 32),
            entropy=SeededEntropy("middleware"),
            codec=CmsPinBlobCodec(),
        )

    def run(self, settings: str, profile: str = "", **rest: str) -> Outcome:
        return self.engine.run(self.job(settings, profile, **rest))

    def job(self, settings: str, profile: str = "", *, read: str = "") -> Job:
        known: dict[str, str | Secret | None] = {**CREDENTIALS, **TARGETS, "F": ""}
        wanted = {name: value for name, value in known.items() if f"={name}" in settings}
        files = {"token.cpf": SourceText("token.cpf", profile or text_of("cardos-5.3-full"))}
        return job(settings, wanted, read=read, attachments=files)

    def _note(self, event: Event) -> None:
        if isinstance(event, Exchange):
            self.commands.append(event.command)


def text_of(profile: str) -> str:
    return (PROFILES / f"{profile}.cpf").read_text()


@pytest.fixture
def desk() -> Desk:
    return Desk(pin_certificate=certificate("pins"))


def failed(outcome: Outcome) -> Ckr:
    assert isinstance(outcome.error, MiddlewareError)
    assert outcome.variables[RESULT] == "error"
    assert outcome.error.rv.name in outcome.variables[ERROR_MESSAGE]
    return outcome.error.rv


def test_a_token_is_made_from_a_card_profile(desk: Desk) -> None:
    outcome = desk.run(f"{ALL}SignPIN=#9999\nInitialLabel=#My Token\nICCSN=F", read="F")
    assert outcome.error is None
    client = desk.client()
    token = client.token(READER)
    assert (token.initialised, token.label) == (True, "My Token")
    assert outcome.fields == {"F": client.chip_serial(READER).hex().upper()}
    client.verify_pin(READER, PIN, pin="user")
    client.verify_pin(READER, Secret.of("9999"), pin="signature")
    client.login(READER, UserType.SO, PUK)


@pytest.mark.parametrize(
    ("profile", "flag", "right"),
    [
        ("cardos-5.3-full", "", True),
        ("cardos-5.3-full", "OperatorPinIsSOCredential=#true", False),
        ("cardos-5.3-operator", "OperatorPinIsSOCredential=#true", True),
        ("cardos-5.3-operator", "OperatorPinIsSOCredential=#false", False),
        ("cardos-5.3-operator", "", False),
    ],
)
def test_a_flag_that_disagrees_with_the_profile_costs_one_try(
    desk: Desk, profile: str, flag: str, right: bool
) -> None:
    outcome = desk.run(f"{ALL}{flag}", text_of(profile))
    so = desk.client().token(READER).so_credential
    assert so is not None

    if right:
        assert outcome.error is None
    else:
        assert failed(outcome) is Ckr.CKR_PIN_INCORRECT

    assert desk.client().tries_left(READER, pin=so.kind.value) in {None, 10 if right else 9}


def test_a_profile_that_assigns_what_the_encoding_gives_is_refused_naming_both(desk: Desk) -> None:
    profile = "CardModel 'SIEMENS50'\nSEC_PIN1 = '1234'\nSEC_PUK = '12345678'\nCreateFiles()\n"
    outcome = desk.run(ALL, profile)
    failed(outcome)
    assert "SEC_PIN1" in outcome.variables[ERROR_MESSAGE]
    assert "SEC_PUK" in outcome.variables[ERROR_MESSAGE]
    assert desk.commands == []


def test_without_pin_certificate_no_command_is_sent() -> None:
    desk = Desk(pin_certificate=None)
    failed(desk.run(ALL))
    assert desk.commands == []


def test_the_64_bit_library_makes_no_token(desk: Desk) -> None:
    library = "PKCS11LibraryWindows32=C:/Program Files (x86)/Personal/bin64/personal64.dll\n"
    assert failed(desk.run(f"{library}{ALL}")) is Ckr.CKR_FUNCTION_NOT_SUPPORTED
    assert desk.commands == []


def test_a_profile_for_another_family_writes_nothing() -> None:
    desk = Desk("cardos-4.4", certificate("pins"))
    failed(desk.run(ALL))
    assert {command[1] for command in desk.commands} <= {0xA4, 0xCA}


def test_a_whole_life_on_cardos_4_4() -> None:
    desk = Desk("cardos-4.4", certificate("pins"))
    assert desk.run(ALL, text_of("cardos-4.4-full")).error is None
    assert desk.client().token(READER).initialised
    assert desk.run("DeleteProfile=true").error is None
    assert not desk.client().token(READER).initialised
    assert desk.run(ALL, text_of("cardos-4.4-full")).error is None


@pytest.mark.parametrize("login", ["", "PIN=PIN\n", "PUK=PUK\n", "Operator_PIN=OP\n"])
@pytest.mark.parametrize(
    ("eraseable", "burnt", "deleted"),
    [(True, True, True), (False, False, True), (False, True, False), (True, False, True)],
)
def test_the_four_rows_of_fuse_and_erasable(
    desk: Desk, login: str, eraseable: bool, burnt: bool, deleted: bool
) -> None:
    profile = text_of("cardos-5.3-full")
    profile = profile if eraseable else profile.replace("MakeCardEraseable()", "")
    profile = profile if burnt else profile.replace("BurnFuse()", "")
    assert desk.run(ALL, profile).error is None

    outcome = desk.run(f"DeleteProfile=true\n{login}")

    if deleted:
        assert outcome.error is None
        assert not desk.client().token(READER).initialised
        assert desk.run(ALL).error is None
    else:
        failed(outcome)
        assert desk.client().token(READER).initialised
        desk.client().card_eraser(READER).destroy(Login(UserType.OPERATOR, OP))  # type: ignore[union-attr]  # CardOS has one
        assert desk.run(ALL).error is None


def test_encrypted_pins_and_iccsn_are_read(desk: Desk) -> None:
    client = desk.client()
    client.init_token(READER, SourceText("pre.cpf", text_of("cardos-5.3-prepersonalised")))
    outcome = desk.run(f"{OUTPUTS}\nICCSN=F", read=" ".join((*TARGETS, "F")))
    assert outcome.error is None
    pins = {name: value for name, value in outcome.fields.items() if isinstance(value, Secret)}
    assert set(pins) == set(TARGETS)
    client.verify_pin(READER, pins["OUT_PIN1"], pin="user")
    client.login(READER, UserType.SO, pins["OUT_PUK"])
    client.verify_pin(READER, pins["OUT_OP"], pin="Operator PIN")


def test_pins_encrypted_to_an_unknown_key_are_reported_by_the_keys_id(desk: Desk) -> None:
    desk.certificate = certificate("unknown")
    desk.client().init_token(READER, SourceText("pre.cpf", text_of("cardos-5.3-prepersonalised")))
    outcome = desk.run(OUTPUTS, read=" ".join(TARGETS))
    needed = oaep.key_identifier(rsa_key("unknown").public_key()).hex().upper()
    assert outcome.variables[ERROR_MESSAGE].endswith(f"No decryption key found matching #{needed})")
    assert outcome.fields == {}


@pytest.mark.parametrize("made", [True, False])
def test_a_card_without_encrypted_pins_gives_none(desk: Desk, made: bool) -> None:
    if made:
        desk.run(ALL)

    outcome = desk.run(OUTPUTS, read=" ".join(TARGETS))
    assert outcome.error is None
    assert outcome.fields == {}
