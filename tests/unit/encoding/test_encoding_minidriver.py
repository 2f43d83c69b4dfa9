"""Encodings by a minidriver: what they do to a card, and what they are refused."""

from __future__ import annotations

import pytest

from cardtwin.encoding import DialogEntry, Engine, Job, MinidriverMiddleware, Outcome
from cardtwin.entropy import SeededEntropy
from cardtwin.middleware import Ckr, MiddlewareError
from cardtwin.minidriver import CommandRefusedError, PinError
from cardtwin.plan import Secret
from cardtwin.source import SourceError
from support.encodings import LIBRARY, job
from support.minidriver import ADMIN_KEY, CARD_ID, PIN, READER, VirtualReader, initialised, virtual_reader

PATH = "C:/Windows/System32/msclmd.dll"
KEY = ADMIN_KEY.reveal().hex()
NEW = Secret.of("87654321")
OTHER_KEY = "00" * 24


def task(settings: str, values: dict[str, str | Secret | None] | None = None, **more: object) -> Job:
    return job(f"MiniDriverLibrary={PATH}\n{settings}", values or {}, **more)  # type: ignore[arg-type]  # as job()


def run(work: Job, reader: VirtualReader) -> Outcome:
    context = reader.manager.context()
    return Engine(lambda _: MinidriverMiddleware(context, SeededEntropy("encoding"))).run(work)


def rv_of(outcome: Outcome) -> Ckr:
    assert isinstance(outcome.error, MiddlewareError)
    return outcome.error.rv


def test_the_number_is_the_cards_identifier() -> None:
    reader, _ = initialised()
    outcome = run(task("ICCSN=F\nUseICCSNwithATR=true", {"F": ""}, read="F"), reader)
    atr = reader.manager.state(READER).atr.hex().upper()
    assert outcome.fields == {"F": f"{CARD_ID.hex().upper()}-{atr}"}


def test_it_is_in_the_list_of_all_cards_and_selects_its_card() -> None:
    reader, _ = initialised()
    number = CARD_ID.hex().upper()
    listing = task("RetrieveAllTokens=true\nAllTokensIccsnsField=F", {"F": ""}, read="F")
    assert run(listing, reader).fields == {"F": number}
    selecting = f"UseSelectCriteriaIccsn=true\nSelectCriteriaIccsn=#{number.lower()}\nICCSN=F"
    assert run(task(selecting, {"F": ""}, read="F"), reader).succeeded


def test_a_card_without_files_is_not_recognised() -> None:
    assert rv_of(run(task("ICCSN=F", {"F": ""}, read="F"), virtual_reader())) is Ckr.CKR_TOKEN_NOT_RECOGNIZED


def test_an_empty_reader_holds_no_card() -> None:
    reader = virtual_reader()
    reader.manager.remove(READER)
    assert not run(task("ICCSN=F", {"F": ""}, read="F"), reader).succeeded


def test_the_pin_is_set_by_the_admin_key_be_it_blocked() -> None:
    reader, host = initialised()

    while host.tries_left:
        with pytest.raises(PinError):
            host.verify(Secret.of("00000000"))

    outcome = run(task("SetPIN=true\nPIN=NEW\nInitialPUK=KEY", {"NEW": NEW, "KEY": KEY}), reader)
    assert outcome.succeeded
    host.verify(NEW)
    reader.check()


def test_another_admin_key_sets_nothing() -> None:
    reader, host = initialised()
    outcome = run(task(f"SetPIN=true\nPIN=NEW\nInitialPUK=#{OTHER_KEY}", {"NEW": NEW}), reader)
    assert rv_of(outcome) is Ckr.CKR_PIN_INCORRECT
    host.verify(PIN)


@pytest.mark.parametrize("length", [1, 3, 128])
def test_a_new_pin_of_a_length_that_the_card_does_not_take_is_told_as_that(length: int) -> None:
    reader, host = initialised()
    new = Secret.of("1" * length)
    unblocked = run(task(f"SetPIN=true\nPIN=NEW\nInitialPUK=#{KEY}", {"NEW": new}), reader)
    changing = task("SetPIN=true\nPIN=!FROM_USER_DIALOG_3_FIELD", dialog={3: DialogEntry(new, current=PIN)})

    for outcome in (unblocked, run(changing, reader)):
        assert rv_of(outcome) is Ckr.CKR_PIN_LEN_RANGE
        assert "takes a PIN of 4 to 127 bytes" in str(outcome.error)

    host.verify(PIN)
    assert host.tries_left == 3


def test_the_pin_is_changed_and_nothing_stays_verified() -> None:
    reader, host = initialised()
    host.forget()
    entry = DialogEntry(NEW, current=PIN)
    work = task("SetPIN=true\nPIN=!FROM_USER_DIALOG_3_FIELD", dialog={3: entry})
    assert run(work, reader).succeeded

    with pytest.raises(CommandRefusedError):
        host.write_file("", "note", b"x")

    host.verify(NEW)


def test_the_admin_key_is_changed_as_a_puk_is() -> None:
    reader, _ = initialised()
    assert run(task(f"SetPIN=true\nInitialPUK=#{KEY}\nPUK=#{'42' * 24}"), reader).succeeded
    reader.open().authenticate_admin(Secret(b"\x42" * 24))
    assert rv_of(run(task(f"SetPIN=true\nInitialPUK=#{KEY}\nPUK=#{KEY}"), reader)) is Ckr.CKR_PIN_INCORRECT


def test_a_wrong_current_pin_changes_nothing_and_costs_a_try() -> None:
    reader, host = initialised()
    context = reader.manager.context()
    middleware = MinidriverMiddleware(context, SeededEntropy("encoding"))

    with pytest.raises(MiddlewareError) as error:
        middleware.change_pin(READER, NEW, NEW, pin="user")

    assert error.value.rv is Ckr.CKR_PIN_INCORRECT
    assert host.tries_left == 2
    middleware.change_pin(READER, PIN, NEW, pin="user")
    host.verify(NEW)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("InitToken=true\nChipProfile=token.cpf\nInitialPUK=F", "minidriver-limits"),
        ("DeleteProfile=true", "minidriver-limits"),
        ("CMSCardSerialNumber=F\nInitialPUK=F", "minidriver-limits"),
        ("ICCSN=F\nuseChipSerialAsIccsn=true", "minidriver-limits"),
        ("SetPIN=true\nSignPIN=F\nSignPUK=F", "minidriver-limits"),
        ("SetPIN=true\nPIN=F\nInitialPUK=#12345678", "bad-admin-key"),
        (f"SetPIN=true\nInitialPUK=#{KEY}\nPUK=#{'xy' * 24}", "bad-admin-key"),
        (f"ICCSN=F\nPKCS11LibraryWindows32={LIBRARY}", "two-middlewares"),
    ],
)
def test_what_a_minidriver_does_not_do_is_refused(settings: str, code: str) -> None:
    reader, _ = initialised()
    before = len(reader.commands)

    with pytest.raises(SourceError) as error:
        run(task(settings, {"F": ""}, read="F"), reader)

    assert code in {found.code for found in error.value.diagnostics}
    assert len(reader.commands) == before


def test_applications_and_encrypted_pins_are_not_a_minidrivers() -> None:
    reader, _ = initialised()

    for work in (
        task("PIN=#1", more="[Application_A]\nCertTempl=x\n"),
        task("CardPinDecryption_Output_PIN1=F", {"F": Secret(b"")}, read="F"),
    ):
        with pytest.raises(SourceError) as error:
            run(work, reader)

        assert "minidriver-limits" in {found.code for found in error.value.diagnostics}


def test_the_library_of_a_middleware_is_no_minidriver() -> None:
    with pytest.raises(SourceError) as error:
        run(job(f"MiniDriverLibrary={LIBRARY}\nICCSN=F", {"F": ""}, read="F"), virtual_reader())

    assert [found.code for found in error.value.diagnostics] == ["no-minidriver"]
