"""What an encoding does at its end to the card, and before its beginning to reach it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardtwin.encoding import CardSelectionError, Engine, Job, MessagingServerError, parse
from cardtwin.middleware import Ckr, MiddlewareError
from cardtwin.pcsc import CardRemovedError
from cardtwin.plan import Secret
from cardtwin.provenance import Switches
from cardtwin.source import SourceError, SourceText
from support.encodings import FakeMiddleware, job


def reading(setting: str = "", *, devices: str = "8711") -> Job:
    """Return a job that reads the ICCSN, with another setting in [Encoding]."""
    work = job("ICCSN=F", {"F": ""}, read="F", devices=devices)
    text = work.description.source.text.replace("[Fields]", f"{setting}\n[Fields]")
    return replace(work, description=parse(SourceText("test.dsc", text)))


def ejected(
    work: Job, middleware: FakeMiddleware | None = None, switches: Switches | None = None
) -> list[str]:
    """Run a job and return the readers that threw their cards out."""
    found: list[str] = []
    Engine(middleware or FakeMiddleware(), switches=switches, eject=found.append).run(work)
    return found


@pytest.mark.parametrize("setting", ["", "SkipEject=false"])
def test_the_reader_throws_the_card_out_at_the_end(setting: str) -> None:
    middleware = FakeMiddleware()
    seen: list[list[str]] = []
    engine = Engine(middleware, eject=lambda _: seen.append(list(middleware.asked)))
    assert engine.run(reading(setting)).succeeded
    assert seen == [["chip serial of Reader 1"]]
    assert ejected(reading(setting)) == ["Reader 1"]


def test_so_it_does_after_a_failure() -> None:
    middleware = FakeMiddleware()
    middleware.failure = MiddlewareError(Ckr.CKR_DEVICE_ERROR, "broken")
    assert ejected(reading(), middleware) == ["Reader 1"]


def test_skip_eject_keeps_the_card_in() -> None:
    assert ejected(reading("SkipEject=true")) == []


def test_so_does_the_switch() -> None:
    assert ejected(reading(), switches=Switches({"encoding.eject": "stay"})) == []


def test_no_card_is_thrown_out_that_was_not_meant() -> None:
    engine = Engine(FakeMiddleware(readers={"R": None}), eject=lambda _: pytest.fail("no card"))
    outcome = engine.run(reading())
    assert isinstance(outcome.error, CardSelectionError)
    assert ejected(job("RetrieveAllTokens=true\nAllTokensIccsnsField=F", {"F": ""}, read="F")) == []


def test_none_is_after_a_refusal() -> None:
    with pytest.raises(SourceError):
        ejected(job("InitToken=true", {}))


def test_a_card_that_is_stuck_is_no_failure() -> None:
    def stuck(reader: str) -> None:
        raise CardRemovedError(reader)

    assert Engine(FakeMiddleware(), eject=stuck).run(reading()).succeeded


@pytest.mark.parametrize("setting", ["MessagingServerField=#one", "MessagingServerField=F"])
def test_a_messaging_server_that_cannot_be_reached_ends_the_encoding_before_the_card(setting: str) -> None:
    middleware = FakeMiddleware()
    work = reading(setting)
    work = replace(work, process=work.process.with_variable("var_F", "one"))
    outcome = Engine(middleware).run(replace(work, messaging_servers=frozenset({"two"})))
    assert isinstance(outcome.error, MessagingServerError)
    assert str(outcome.error) == "messaging server 'one' cannot be reached"
    assert middleware.opened == []
    assert Engine(middleware).run(replace(work, messaging_servers=frozenset({"one", "two"}))).succeeded
    assert Engine(middleware).run(work).succeeded


def test_what_is_stored_encrypted_is_not_named_in_its_place() -> None:
    work = job("ICCSN=F", {"F": "", "S": Secret.of("97319731")}, read="F")
    text = work.description.source.text.replace("[Fields]", "MessagingServerField=S\n[Fields]")
    work = replace(work, description=parse(SourceText("test.dsc", text)), messaging_servers=frozenset())
    assert "97319731" not in str(Engine(FakeMiddleware()).run(work).error)


def test_jpki_encoder_needs_no_messaging_server() -> None:
    work = reading("MessagingServerField=#one", devices="8710")
    assert Engine(FakeMiddleware()).run(replace(work, messaging_servers=frozenset())).succeeded
