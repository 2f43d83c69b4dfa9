"""SetPIN in its meanings, the change of the PUK, and dialogs."""

from __future__ import annotations

import pytest

from cardtwin.encoding import DialogEntry, Engine, Job, check_job
from cardtwin.middleware import Version
from cardtwin.plan import Secret
from support.encodings import FakeMiddleware, job

PIN, PUK, NEW = Secret.of("1234"), Secret.of("12345678"), Secret.of("87654321")
CHANGED = DialogEntry(Secret.of("5555"), Secret.of("1234"))
VALUES = {"PIN": PIN, "PUK": PUK, "NEW": NEW}
DIALOG_3 = "!FROM_USER_DIALOG_3_FIELD"


def work(settings: str, **more: object) -> Job:
    return job(f"SetPIN=true\n{settings}", VALUES, **more)  # type: ignore[arg-type]  # as job()


def refused(task: Job) -> list[str]:
    return [found.code for found in check_job(task).errors]


def done(task: Job) -> list[tuple[str, str, bytes, bytes]]:
    middleware = FakeMiddleware()
    outcome = Engine(middleware).run(task)
    assert outcome.succeeded
    return middleware.changed


@pytest.mark.parametrize("pin", ["PIN=PIN", "PIN=#1234", "PIN=!FROM_USER_DIALOG_2_FIELD"])
def test_beside_a_puk_the_pin_is_set_by_it(pin: str) -> None:
    task = work(f"{pin}\nInitialPUK=PUK", dialog={2: PIN})
    assert done(task) == [("unblock", "user", b"12345678", b"1234")]


def test_by_dialog_3_the_user_changes_the_pin() -> None:
    assert done(work(f"PIN={DIALOG_3}", dialog={3: CHANGED})) == [("change", "user", b"1234", b"5555")]


def test_a_new_puk_is_written_last_and_by_the_old_one() -> None:
    assert done(work("PUK=NEW\nPIN=PIN\nInitialPUK=PUK")) == [
        ("unblock", "user", b"12345678", b"1234"),
        ("change", "puk", b"12345678", b"87654321"),
    ]
    assert done(work("PUK=NEW\nInitialPUK=PUK")) == [("change", "puk", b"12345678", b"87654321")]


def test_a_new_puk_may_stand_beside_a_pin_that_the_user_changes() -> None:
    assert [
        what[:2] for what in done(work(f"PUK=NEW\nPIN={DIALOG_3}\nInitialPUK=PUK", dialog={3: CHANGED}))
    ] == [("change", "user"), ("change", "puk")]


def test_an_empty_new_puk_changes_none() -> None:
    task = job("SetPIN=true\nPIN=PIN\nInitialPUK=PUK\nPUK=NEW", {**VALUES, "NEW": ""})
    assert done(task) == [("unblock", "user", b"12345678", b"1234")]


def test_the_signature_pin_is_set_by_its_own_puk_or_changed() -> None:
    assert done(work("SignPIN=PIN\nSignPUK=NEW")) == [("unblock", "signature", b"87654321", b"1234")]
    assert done(work(f"SignPIN={DIALOG_3}", dialog={3: CHANGED})) == [
        ("change", "signature", b"1234", b"5555")
    ]


def test_beside_init_token_the_profile_sets_the_pin_and_nothing_more_is_done() -> None:
    task = work("InitToken=true\nChipProfile=token.cpf\nInitialPUK=PUK\nPIN=PIN")
    assert done(task) == []


def test_without_the_flag_no_pin_is_set() -> None:
    middleware = FakeMiddleware()
    Engine(middleware).run(job("SetPIN=false\nPIN=PIN\nInitialPUK=PUK\nICCSN=F", {**VALUES, "F": ""}))
    assert middleware.changed == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("", "set-pin-without-pin"),
        ("InitialPUK=PUK", "set-pin-without-pin"),
        ("PIN=PIN", "missing-initial-puk"),
        ("PUK=NEW", "missing-initial-puk"),
        ("SignPIN=PIN\nInitialPUK=PUK", "missing-sign-puk"),
        (f"PIN={DIALOG_3}\nInitialPUK=PUK", "change-and-unblock"),
        (f"SignPIN={DIALOG_3}\nSignPUK=PUK", "change-and-unblock"),
        ("PIN=!FROM_USER_DIALOG_1_FIELD\nInitialPUK=PUK", "dialog-for-login"),
        (
            f"InitToken=true\nChipProfile=token.cpf\nInitialPUK=PUK\nPIN={DIALOG_3}",
            "change-of-new-token",
        ),
        ("DeleteProfile=true\nPIN=PIN\nInitialPUK=PUK", "delete-with-others"),
    ],
)
def test_credentials_that_say_nothing_or_two_things_are_refused(settings: str, code: str) -> None:
    assert refused(work(settings, dialog={1: PIN, 3: CHANGED})) == [code]


@pytest.mark.parametrize("empty", ["PIN", "PUK"])
def test_an_empty_pin_or_puk_is_refused(empty: str) -> None:
    task = job("SetPIN=true\nPIN=PIN\nInitialPUK=PUK", {**VALUES, empty: ""})
    assert refused(task) == ["empty-value"]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (DialogEntry(PIN), "lacks the current PIN"),
        (DialogEntry(PIN, NEW, Secret.of("4321")), "not the same"),
    ],
)
def test_a_dialog_that_is_not_answered_as_a_whole_is_refused(entry: DialogEntry, why: str) -> None:
    (error,) = check_job(work(f"PIN={DIALOG_3}", dialog={3: entry})).errors
    assert error.code == "missing-value"
    assert why in error.message
    assert "4321" not in str(error)


def test_the_same_value_entered_twice_is_taken() -> None:
    entry = DialogEntry(PIN, NEW, Secret.of("1234"))
    assert done(work(f"PIN={DIALOG_3}", dialog={3: entry})) == [("change", "user", b"87654321", b"1234")]


@pytest.mark.parametrize(
    ("version", "blocked"), [("21.04.2", True), ("20.11", True), ("21.04.3", False), ("21.4.10", False)]
)
def test_identity_manager_before_21_04_3_changes_no_puk(version: str, blocked: bool) -> None:
    task = work("PUK=NEW\nInitialPUK=PUK", identity_manager=Version.of(version))
    assert refused(task) == (["puk-change-blocked"] if blocked else [])


def test_identity_manager_before_21_04_3_deletes_a_profile_by_the_puk_all_the_same() -> None:
    task = job("DeleteProfile=true\nPUK=PUK", VALUES, identity_manager=Version.of("20.11"))
    assert refused(task) == []
