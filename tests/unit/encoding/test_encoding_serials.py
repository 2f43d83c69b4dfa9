"""Card serial numbers: written, read, and selected by."""

from __future__ import annotations

import pytest

from cardtwin.encoding import CardSelectionError, Engine, check_job
from cardtwin.middleware import Login, UserType
from cardtwin.plan import Secret
from support.encodings import INIT, FakeMiddleware, Token, job

PUK, PIN, OP = Secret.of("12345678"), Secret.of("1234"), Secret.of("87654321")
VALUES: dict[str, str | Secret | None] = {"PUK": PUK, "PIN": PIN, "OP": OP, "SERIAL": "4711000000000815"}
SERIAL = "CMSCardSerialNumber=SERIAL\n"
TWO = {"A": b"\x01", "B": b"\x02", "C": None}
CHIP = "useChipSerialAsIccsn=true\n"


def middleware() -> FakeMiddleware:
    """Return readers with two cards, of which the second has another number than its chip."""
    made = FakeMiddleware(readers=TWO)
    made.numbers["B"] = "4711"
    return made


@pytest.mark.parametrize(
    ("settings", "login"),
    [
        (f"{INIT}{SERIAL}", Login(UserType.SO, PUK)),
        (
            f"{INIT}{SERIAL}Operator_PIN=OP\nOperatorPinIsSOCredential=#true\n",
            Login(UserType.SO, OP),
        ),
        (f"{SERIAL}InitialPUK=PUK", Login(UserType.SO, PUK)),
        (SERIAL, None),
    ],
)
def test_the_serial_number_is_written_as_security_officer(settings: str, login: Login | None) -> None:
    made = FakeMiddleware()
    assert Engine(made).run(job(settings, VALUES)).succeeded
    assert made.numbers == {"Reader 1": "4711000000000815"}
    assert made.serial_logins == [login]


def test_a_token_without_security_officer_gets_its_serial_number_without_a_login() -> None:
    made = FakeMiddleware()
    made.state = Token(None)
    assert Engine(made).run(job(f"{INIT}{SERIAL}", VALUES)).succeeded
    assert made.serial_logins == [None]


def test_an_empty_serial_number_overrides_nothing() -> None:
    made = FakeMiddleware()
    assert Engine(made).run(job(f"{INIT}{SERIAL}", {**VALUES, "SERIAL": " "})).succeeded
    assert made.numbers == {}


def test_the_number_that_was_written_is_read_in_the_same_encoding() -> None:
    outcome = Engine(FakeMiddleware()).run(job(f"{SERIAL}ICCSN=F", {**VALUES, "F": ""}, read="F"))
    assert outcome.fields == {"F": "4711000000000815"}


@pytest.mark.parametrize(("settings", "number"), [("", "4711"), (CHIP, "02")])
@pytest.mark.parametrize("atr", ["", "-3B00"])
def test_the_active_card_is_read(settings: str, number: str, atr: str) -> None:
    settings += "UseICCSNwithATR=true\n" if atr else ""
    outcome = Engine(middleware()).run(job(f"{settings}ICCSN=F", {"F": ""}, read="F", reader="B"))
    assert outcome.fields == {"F": f"{number}{atr}"}


@pytest.mark.parametrize("atr", ["", "-3B00"])
@pytest.mark.parametrize(
    ("settings", "number", "reader"),
    [("", "4711", "B"), (CHIP, "02", "B"), ("", "01", "A"), (CHIP, "01", "A")],
)
def test_a_card_is_selected(settings: str, number: str, reader: str, atr: str) -> None:
    settings += "UseICCSNwithATR=true\n" if atr else ""
    chosen = f"{settings}UseSelectCriteriaIccsn=true\nSelectCriteriaIccsn=WHICH\nICCSN=F"
    outcome = Engine(middleware()).run(job(chosen, {"WHICH": f"{number}{atr}", "F": ""}))
    assert outcome.reader == reader


@pytest.mark.parametrize(("settings", "number"), [("", "02"), (CHIP, "4711")])
def test_by_its_other_number_no_card_is_selected(settings: str, number: str) -> None:
    chosen = f"{settings}UseSelectCriteriaIccsn=true\nSelectCriteriaIccsn=WHICH\nICCSN=F"
    outcome = Engine(middleware()).run(job(chosen, {"WHICH": number, "F": ""}))
    assert isinstance(outcome.error, CardSelectionError)


ALL = "RetrieveAllTokens=true\nAllTokensIccsnsField=F\n"


@pytest.mark.parametrize(
    ("settings", "numbers"),
    [
        ("", "01,4711"),
        (CHIP, "01,02"),
        ("UseICCSNwithATR=true\n", "01-3B00,4711-3B00"),
        (f"{CHIP}UseICCSNwithATR=true\n", "01-3B00,02-3B00"),
    ],
)
def test_the_numbers_of_all_cards_are_read(settings: str, numbers: str) -> None:
    outcome = Engine(middleware()).run(job(f"{settings}{ALL}", {"F": ""}, read="F"))
    assert outcome.fields == {"F": numbers}
    assert outcome.process.variables["var_F"] == numbers


def test_without_a_token_reading_all_fails() -> None:
    made = FakeMiddleware(readers={"A": None, "B": b""})
    outcome = Engine(made).run(job(ALL, {"F": ""}, read="F"))
    assert isinstance(outcome.error, CardSelectionError)


def test_a_card_that_nobody_knows_is_passed_over() -> None:
    made = FakeMiddleware(readers={"A": b"", "B": b"\x02"})
    assert Engine(made).run(job(ALL, {"F": ""}, read="F")).fields == {"F": "02"}


def test_reading_all_skips_all_else_and_says_so() -> None:
    made = middleware()
    task = job(f"{ALL}{INIT}{SERIAL}ICCSN=G", {**VALUES, "F": "", "G": ""}, read="F G")
    (warning,) = (found for found in check_job(task).warnings if found.code == "skipped-parts")
    assert "InitToken" in warning.message
    outcome = Engine(made).run(task)
    assert outcome.fields == {"F": "01,4711"}
    assert not [what for what in made.asked if "init" in what or "set" in what]


def test_reading_all_needs_a_field_to_go_to() -> None:
    errors = check_job(job("RetrieveAllTokens=true", {})).errors
    assert [found.code for found in errors] == ["missing-output"]


@pytest.mark.parametrize(("field", "found"), [("SERIAL", []), ("serial", []), ("OP", ["another-serial"])])
def test_a_certificate_with_another_number_than_the_cards_is_warned_of(field: str, found: list[str]) -> None:
    more = f"[Application_A]\nCertTempl=x\nCardSerialNumberField={field}\n"
    assert [each.code for each in check_job(job(f"{INIT}{SERIAL}", VALUES, more=more)).warnings] == found
