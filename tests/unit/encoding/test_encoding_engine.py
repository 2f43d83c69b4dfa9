from __future__ import annotations

import base64
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.encoding import (
    ERROR_MESSAGE,
    RESULT,
    CardSelectionError,
    EncryptedField,
    Engine,
    FieldMapping,
    Job,
    NoCardEraserError,
    Process,
    parse,
)
from cardtwin.encoding.keys import RsaDecryptionKey
from cardtwin.entropy import SeededEntropy
from cardtwin.middleware import Ckr, MiddlewareError, UserType
from cardtwin.plan import PinBlob, PinBlobError, Secret, SecretName, oaep
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.provenance import Switches
from cardtwin.source import SourceError, SourceText
from support.encodings import INIT, FakeMiddleware, Token, certificate, description_text, job, rsa_key

if TYPE_CHECKING:
    from cardtwin.encoding import Outcome

PUK, PIN, OP = Secret.of("12345678"), Secret.of("1234"), Secret.of("87654321")
CREDENTIALS = {"PUK": PUK, "PIN": PIN}
ALL_PINS = {name: Secret.of(f"value of {name}") for name in SecretName}
SELECT_02 = "UseSelectCriteriaIccsn=true\nSelectCriteriaIccsn=#02\n"
OUTPUTS = "\n".join(f"CardPinDecryption_Output_{name}=OUT_{name}" for name in SecretName)
TARGETS = {f"OUT_{name}": Secret(b"") for name in SecretName}
KEY = RsaDecryptionKey(rsa_key("a"))


def blob(secrets: dict[SecretName, Secret] | None = None, key: str = "a") -> bytes:
    content = PinBlob(tuple((ALL_PINS if secrets is None else secrets).items()), "P15")
    return CmsPinBlobCodec().encrypt(content, certificate(key), SeededEntropy("blob"))


def run(work: Job, middleware: FakeMiddleware | None = None, *keys: RsaDecryptionKey) -> Outcome:
    return Engine(middleware or FakeMiddleware(), keys=keys).run(work)


def test_init_token_hands_over_profile_secrets_parameters_and_label() -> None:
    middleware = FakeMiddleware()
    outcome = run(
        job(
            f"{INIT}Operator_Pin=OP\nPIN2=SIGN\nInitialLabel=#My Token\nProfileParameters=one, Two",
            {
                **CREDENTIALS,
                "OP": OP,
                "SIGN": "9999",
                "ONE": base64.b64encode(b"\x00\xff").decode(),
                "Two": "",
            },
        ),
        middleware,
    )
    assert outcome.succeeded
    assert middleware.profile == SourceText("token.cpf", "CreateFiles()")
    assert middleware.label == "My Token"
    assert middleware.parameters == {"ONE": b"\x00\xff", "Two": b""}
    assert middleware.secrets == {
        SecretName.PIN1: PIN,
        SecretName.PIN2: Secret.of("9999"),
        SecretName.PUK: PUK,
        SecretName.OP: OP,
    }


def test_what_is_not_given_is_not_handed_over() -> None:
    middleware = FakeMiddleware()
    run(job(f"{INIT}Operator_PIN=OP", {**CREDENTIALS, "PIN": "", "OP": ""}), middleware)
    assert middleware.secrets == {SecretName.PUK: PUK}
    assert middleware.label is None


@pytest.mark.parametrize("operator_pin", [True, False])
@pytest.mark.parametrize("form", ["literal", "field"])
def test_the_flag_says_which_credential_logs_in_as_security_officer(operator_pin: bool, form: str) -> None:
    word = str(operator_pin).lower()
    value = f"#{word}" if form == "literal" else "use"
    middleware = FakeMiddleware()
    work = job(
        f"{INIT}Operator_PIN=OP\nOperatorPinIsSOCredential={value}", {**CREDENTIALS, "OP": OP, "use": word}
    )
    assert run(work, middleware).succeeded
    assert middleware.logins == [(UserType.SO, (OP if operator_pin else PUK).reveal())]


def test_without_the_flag_the_puk_logs_in() -> None:
    middleware = FakeMiddleware()
    run(job(f"{INIT}Operator_PIN=OP", {**CREDENTIALS, "OP": OP}), middleware)
    assert middleware.logins == [(UserType.SO, PUK.reveal())]


def test_a_token_without_security_officer_sees_no_login() -> None:
    middleware = FakeMiddleware()
    middleware.state = Token(None)
    assert run(job(INIT, CREDENTIALS), middleware).succeeded
    assert middleware.logins == []


def test_the_login_after_initialisation_can_be_left_out() -> None:
    middleware = FakeMiddleware()
    Engine(middleware, switches=Switches({"encoding.so-login": "never"})).run(job(INIT, CREDENTIALS))
    assert middleware.logins == []


@pytest.mark.parametrize(
    ("settings", "login"),
    [
        ("", None),
        ("PIN=#1234", (UserType.USER, b"1234")),
        ("InitialPUK=#567", (UserType.SO, b"567")),
        ("PUK=#567\nInitialPUK=#1", (UserType.SO, b"567")),
        ("PIN=#1234\nPUK=#567", (UserType.SO, b"567")),
        ("Operator_PIN=#999", None),
        ("PIN=EMPTY", None),
    ],
)
def test_the_highest_credential_logs_in_before_deleting(
    settings: str, login: tuple[UserType, bytes] | None
) -> None:
    middleware = FakeMiddleware()
    outcome = run(job(f"DeleteProfile=true\n{settings}", {"EMPTY": ""}), middleware)
    assert outcome.succeeded
    assert middleware.asked == ["card eraser of Reader 1", "destroy"]
    assert middleware.logins == ([login] if login else [])


def test_a_card_without_eraser_is_an_exception() -> None:
    middleware = FakeMiddleware()
    middleware.has_eraser = False
    outcome = run(job("DeleteProfile=true", {}), middleware)
    assert isinstance(outcome.error, NoCardEraserError)
    assert outcome.variables[RESULT] == "error"
    assert 'object "Card Eraser" not found' in outcome.variables[ERROR_MESSAGE]
    assert "destroy" not in middleware.asked


def test_the_iccsn_goes_where_the_field_is_mapped_to() -> None:
    outcome = run(job("iccsnfield=F", {"F": ""}, read="F"))
    assert outcome.fields == {"F": "0102030405060708"}
    assert outcome.variables["var_F"] == "0102030405060708"
    assert outcome.variables[RESULT] == "success"
    assert ERROR_MESSAGE not in outcome.variables


def test_the_atr_follows_the_iccsn_where_wanted() -> None:
    outcome = run(job("ICCSN=F\nUseICCSNwithATR=true", {"F": "plain:"}, read="F"))
    assert outcome.fields == {"F": "0102030405060708-3B00"}


def test_without_the_read_flag_no_value_goes_anywhere() -> None:
    work = job("ICCSN=F", {"F": "before"})
    outcome = run(work)
    assert outcome.fields == {}
    assert outcome.variables["var_F"] == "before"


def test_one_card_of_several_is_selected_by_its_iccsn() -> None:
    middleware = FakeMiddleware(readers={"R1": b"\x01", "R2": b"\xab"})
    work = job("UseSelectCriteriaIccsn=true\nSelectCriteriaIccsn=#ab\nICCSN=F", {"F": ""}, read="F")
    outcome = run(work, middleware)
    assert (outcome.reader, outcome.fields) == ("R2", {"F": "AB"})


def test_a_card_is_selected_by_iccsn_and_atr() -> None:
    middleware = FakeMiddleware(readers={"R1": b"\x01", "R2": b"\xab"})
    settings = "UseSelectCriteriaIccsn=true\nSelectCriteriaIccsn=#01-3B00\nUseICCSNwithATR=true\nICCSN=F"
    assert run(job(settings, {"F": ""}), middleware).reader == "R1"


def test_a_number_from_an_encrypted_field_is_not_told() -> None:
    work = job("UseSelectCriteriaIccsn=true\nSelectCriteriaIccsn=WHICH\n", {"WHICH": Secret.of("97319731")})
    message = run(work).variables[ERROR_MESSAGE]
    assert "no card has the ICCSN that is asked for" in message
    assert "9731" not in message


@pytest.mark.parametrize(
    ("readers", "settings", "message"),
    [
        ({}, "", "no reader holds a card"),
        ({"R1": None}, "", "no reader holds a card"),
        ({"R1": None, "R2": b""}, SELECT_02, "no card has the ICCSN 02"),
        ({"R1": b"\x01", "R2": b"\x02"}, "", "2 cards could be meant: R1, R2"),
        (
            {"R1": b"\x01"},
            SELECT_02,
            "no card has the ICCSN 02",
        ),
    ],
)
def test_a_card_that_cannot_be_told_is_an_error(
    readers: dict[str, bytes | None], settings: str, message: str
) -> None:
    outcome = run(job(f"{settings}ICCSN=F", {"F": ""}), FakeMiddleware(readers=readers))
    assert isinstance(outcome.error, CardSelectionError)
    assert message in outcome.variables[ERROR_MESSAGE]


def test_the_only_card_is_found_among_empty_readers() -> None:
    middleware = FakeMiddleware(readers={"R1": None, "R2": b"\x02", "R3": None})
    assert run(job("ICCSN=F", {"F": ""}), middleware).reader == "R2"


def test_a_reader_that_the_job_names_is_taken() -> None:
    middleware = FakeMiddleware(readers={"R1": b"\x01", "R2": b"\x02"})
    assert run(job("ICCSN=F", {"F": ""}, reader="R2"), middleware).reader == "R2"


@given(st.sets(st.sampled_from(SecretName)), st.sets(st.sampled_from(SecretName), min_size=1))
def test_any_subset_of_pins_is_read_from_any_blob(held: set[SecretName], wanted: set[SecretName]) -> None:
    middleware = FakeMiddleware(blob({name: ALL_PINS[name] for name in held}))
    settings = "\n".join(f"CardPinDecryption_Output_{name}=OUT_{name}" for name in wanted)
    targets = {f"OUT_{name}": Secret(b"") for name in wanted}
    outcome = run(job(settings, targets, read=" ".join(targets)), middleware, KEY)
    assert outcome.fields == {f"OUT_{name}": ALL_PINS[name] for name in held & wanted}

    for name in held & wanted:
        assert outcome.process.pools[f"Card_OUT_{name}"] == EncryptedField(ALL_PINS[name])


def test_pins_and_iccsn_are_read_together_and_the_pins_last() -> None:
    middleware = FakeMiddleware(blob())
    work = job(f"{OUTPUTS}\nICCSN=F", {**TARGETS, "F": ""}, read=" ".join((*TARGETS, "F")))
    outcome = run(work, middleware, KEY)
    assert set(outcome.fields) == {*TARGETS, "F"}
    assert middleware.asked == ["chip serial of Reader 1", "encrypted pins of Reader 1"]


def test_a_pin_without_read_flag_gives_no_value() -> None:
    outcome = run(job(OUTPUTS, TARGETS, read="OUT_PIN1"), FakeMiddleware(blob()), KEY)
    assert outcome.succeeded
    assert set(outcome.fields) == {"OUT_PIN1"}
    assert outcome.process.pools["Card_OUT_PUK"] == EncryptedField(Secret(b""))


@pytest.mark.parametrize("data", [None, b"", b"\x00" * 40, b"\x30\x03\x02\x01\x00"])
def test_a_card_without_blob_gives_no_values_and_no_error(data: bytes | None) -> None:
    outcome = run(job(OUTPUTS, TARGETS, read=" ".join(TARGETS)), FakeMiddleware(data), KEY)
    assert outcome.succeeded
    assert outcome.fields == {}
    assert outcome.variables[RESULT] == "success"


def test_without_a_matching_key_the_message_is_the_documented_one() -> None:
    needed = oaep.key_identifier(rsa_key("b").public_key()).hex().upper()
    work = job(f"{OUTPUTS}\nICCSN=F", {**TARGETS, "F": ""}, read=" ".join((*TARGETS, "F")))
    outcome = run(work, FakeMiddleware(blob(key="b")), KEY)
    assert outcome.variables[RESULT] == "error"
    assert outcome.variables[ERROR_MESSAGE] == (
        "Error Accessing Smartcard ( (PkiUtilsException): java.lang.IllegalArgumentException: "
        f"No decryption key found matching #{needed})"
    )
    assert outcome.fields == {}
    assert outcome.variables["var_F"] == ""


def test_the_matching_key_of_several_is_taken() -> None:
    keys = [RsaDecryptionKey(rsa_key(name)) for name in ("b", "a")]
    assert run(job(OUTPUTS, TARGETS, read="OUT_OP"), FakeMiddleware(blob()), *keys).succeeded


def test_a_changed_blob_gives_nothing() -> None:
    data = bytearray(blob())
    data[-1] ^= 0x01
    outcome = run(job(OUTPUTS, TARGETS, read=" ".join(TARGETS)), FakeMiddleware(bytes(data)), KEY)
    assert isinstance(outcome.error, PinBlobError)
    assert outcome.fields == {}
    assert all(field == EncryptedField(Secret(b"")) for field in outcome.process.pools.values())


def test_initialisation_comes_before_reading() -> None:
    middleware = FakeMiddleware()
    run(job(f"ICCSN=F\n{INIT}", {**CREDENTIALS, "F": ""}), middleware)
    assert [entry.partition(" of ")[0] for entry in middleware.asked] == [
        "init token in Reader 1",
        "login in Reader 1",
        "chip serial",
    ]


BASES = (
    {"InitToken": "true", "ChipProfile": "token.cpf", "InitialPUK": "SECRET", "Operator_PIN": "SECRET"},
    {"DeleteProfile": "true", "PIN": "SECRET"},
)
CREDENTIAL = ("#", "#true", "EMPTY", "SECRET", "NOWHERE", "!FROM_USER_DIALOG_2_FIELD")
CHANGES = {
    "ChipProfile": ("token.cpf", "other.cpf"),
    "ProfileParameters": ("FULL", "EMPTY, SECRET", "NOWHERE"),
    "UseSelectCriteriaIccsn": ("true", "false"),
    "ICCSN": ("FULL", "SECRET", "NOWHERE"),
    "CardPinDecryption_Output_PIN1": ("FULL", "SECRET", "NOWHERE"),
    "ClearFields": ("FULL", "SECRET, NOWHERE"),
    "PIN": CREDENTIAL,
    "PUK": CREDENTIAL,
    "InitialPUK": CREDENTIAL,
    "Operator_PIN": CREDENTIAL,
    "OperatorPinIsSOCredential": CREDENTIAL,
    "InitialLabel": CREDENTIAL,
    "SelectCriteriaIccsn": CREDENTIAL,
}


@pytest.mark.parametrize("base", BASES, ids=["initialise", "delete"])
def test_any_two_changes_are_refused_before_the_card_or_carried_out(base: dict[str, str]) -> None:
    values: dict[str, str | Secret | None] = {
        "FULL": "true",
        "EMPTY": "",
        "SECRET": Secret.of("SECR"),
        "NOWHERE": None,
    }
    content = blob()
    singles = [(name, value) for name, all_ in CHANGES.items() for value in all_]

    for changes in combinations(singles, 2):
        settings = "\n".join(f"{name}={value}" for name, value in {**base, **dict(changes)}.items())
        middleware = FakeMiddleware(content)

        try:
            outcome = run(job(settings, values, read="SECRET", dialog={2: PIN}), middleware)
        except SourceError:
            assert middleware.asked == [], settings
        else:
            assert outcome.variables[RESULT] == ("error" if outcome.error else "success")


def test_what_the_middleware_refuses_is_told_to_the_process() -> None:
    middleware = FakeMiddleware()
    middleware.failure = MiddlewareError(Ckr.CKR_PIN_INCORRECT, "the PUK is wrong")
    outcome = run(job(INIT, CREDENTIALS), middleware)
    assert outcome.error is middleware.failure
    assert outcome.variables[RESULT] == "error"
    assert "CKR_PIN_INCORRECT" in outcome.variables[ERROR_MESSAGE]


def test_after_an_error_the_next_success_takes_the_message_away() -> None:
    work = job("ICCSN=F", {"F": ""}, read="F")
    before = work.process.with_variable(ERROR_MESSAGE, "old").with_variable(RESULT, "error")
    outcome = run(Job(work.description, mapping=work.mapping, process=before))
    assert outcome.variables[RESULT] == "success"
    assert ERROR_MESSAGE not in outcome.variables


@pytest.mark.parametrize("fails", [True, False])
def test_cleared_fields_are_empty_afterwards_whatever_happened(
    fails: bool,
) -> None:
    middleware = FakeMiddleware()
    middleware.failure = MiddlewareError(Ckr.CKR_DEVICE_REMOVED, "gone") if fails else None
    work = job(f"{INIT}ClearFields=PIN,PUK", {"PIN": PIN, "PUK": "12345678"})
    outcome = run(work, middleware)
    assert outcome.succeeded is not fails
    assert outcome.process.pools["Card_PIN"] == EncryptedField(Secret(b""))
    assert outcome.variables["var_PUK"] == ""
    assert work.process.variables["var_PUK"] == "12345678"


def test_no_outcome_shows_a_secret() -> None:
    outcome = run(job(OUTPUTS, TARGETS, read=" ".join(TARGETS)), FakeMiddleware(blob()), KEY)
    assert outcome.fields
    assert "value of" not in repr(outcome)


def test_the_dialogs_answer_becomes_the_pin() -> None:
    middleware = FakeMiddleware()
    text = description_text(INIT.replace("PIN=PIN", "PIN=!FROM_USER_DIALOG_2_FIELD"), fields="PUK")
    work = Job(
        parse(SourceText("test.dsc", text)),
        attachments={"token.cpf": SourceText("token.cpf", "")},
        mapping={"puk": FieldMapping.of("${Card_Puk}")},
        process=Process({}, {"Card_Puk": EncryptedField(PUK)}),
        dialog={2: PIN},
    )
    assert run(work, middleware).succeeded
    assert middleware.secrets[SecretName.PIN1] == PIN


def test_the_library_that_is_named_is_opened_once() -> None:
    middleware = FakeMiddleware()
    run(job("ICCSN=F", {"F": ""}), middleware)
    assert [(library.product, library.bits) for library in middleware.opened] == [
        ("Personal Desktop Client", 32)
    ]
