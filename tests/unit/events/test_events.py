from __future__ import annotations

import threading
from dataclasses import FrozenInstanceError, replace

import pytest

from cardtwin.events import (
    CallBegan,
    Cause,
    Defect,
    Event,
    Exchange,
    Hub,
    SharedCause,
    because,
    current_cause,
)


def test_every_observer_is_told_in_the_order_of_subscription() -> None:
    hub, told = Hub(), list[str]()
    hub.subscribe(lambda _: told.append("first"))
    hub.subscribe(lambda _: told.append("second"))
    hub.emit(Event())
    assert told == ["first", "second"]


def test_who_has_unsubscribed_is_told_no_more() -> None:
    hub, told = Hub(), list[Event]()
    unsubscribe = hub.subscribe(told.append)
    unsubscribe()
    unsubscribe()
    hub.emit(Event())
    assert told == []


def test_a_hub_is_silent_while_nobody_listens() -> None:
    hub = Hub()
    before = hub.silent
    unsubscribe = hub.subscribe(lambda _: None)
    during = hub.silent
    unsubscribe()
    assert (before, during, hub.silent) == (True, False, True)


def test_one_observer_subscribed_twice_is_told_twice_until_each_is_taken_off() -> None:
    hub, told = Hub(), list[Event]()
    first = hub.subscribe(told.append)
    hub.subscribe(told.append)
    hub.emit(Event())
    first()
    hub.emit(Event())
    assert len(told) == 3


def test_an_event_takes_the_cause_that_is_in_force() -> None:
    with because("step 1 (encode)"), because("C_Sign") as call:
        event = Event()

    assert event.cause is call
    assert call.chain() == ("step 1 (encode)", "C_Sign")
    assert call.path() == (call.parent, call)
    assert Event().cause is None


def test_two_causes_of_one_name_are_told_apart_by_their_numbers() -> None:
    with because("C_Sign") as first:
        pass

    with because("C_Sign") as second:
        event = CallBegan(cause=second.parent, call=second, interface="PKCS#11")

    assert first == second
    assert first.number != second.number == event.call.number


def test_a_cause_ends_with_its_block_also_by_an_error() -> None:
    with pytest.raises(RuntimeError), because("step 1"):
        raise RuntimeError

    assert current_cause() is None


def test_a_cause_holds_in_its_own_thread_only() -> None:
    seen: list[Cause | None] = []

    with because("step 1"):
        thread = threading.Thread(target=lambda: seen.append(current_cause()))
        thread.start()
        thread.join()

    assert seen == [None]


def test_a_shared_cause_is_that_of_who_shares_it_and_else_the_programs_own() -> None:
    shared, seen = SharedCause("java.exe"), list[Cause | None]()

    def served() -> None:
        with shared.take():
            seen.append(current_cause())

        seen.append(current_cause())

    def serve() -> None:
        thread = threading.Thread(target=served)
        thread.start()
        thread.join()

    with because("step 1") as step:
        with shared.share():
            serve()

        serve()

    assert seen[0] is step
    assert seen[2] == Cause("java.exe")
    assert seen[1] is seen[3] is None


def test_the_repr_of_an_exchange_hides_its_bytes() -> None:
    event = Exchange(reader="R1", command=b"\x00\x20\x00\x81\x041234", response=b"\x90\x00")
    assert "1234" not in repr(event)
    assert "R1" in repr(event)


def test_events_do_not_change() -> None:
    event = Defect(where="card", detail="traceback")

    with pytest.raises(FrozenInstanceError):
        event.where = "reader"  # type: ignore[misc]


def test_an_exchange_takes_the_cause_in_force_or_the_one_it_is_given() -> None:
    with because("step 1"):
        taken = Exchange(reader="R1", command=b"\x00", response=b"\x90\x00")
        given = replace(taken, cause=None)

    assert taken.cause == Cause("step 1")
    assert given.cause is None
    assert (given.reader, given.command, given.response) == ("R1", b"\x00", b"\x90\x00")


def test_a_defect_tells_where_and_what_kind_and_never_the_exceptions_text() -> None:
    try:
        int("PIN 4711")
    except ValueError as error:
        defect = Defect.of("card", error)

    assert "ValueError" in defect.detail
    assert __file__ in defect.detail
    assert "invalid literal" not in defect.detail
