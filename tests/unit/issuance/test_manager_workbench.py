"""Token procedures: what they have to be like, and how they take effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.issuance.manager import (
    TRANSITIONS,
    Event,
    NumberRange,
    ProcedureRefusedError,
    ProcedureState,
    Request,
    Role,
    SignatureRefusedError,
    Stage,
    StageError,
    TokenProcedure,
    problems,
    signed,
    verify,
)
from cardtwin.issuance.manager.canonical import read_procedure, written
from support.managers import BOTH, Office, office, policy, procedure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def awb() -> Iterator[Office]:
    yield from office()


def test_two_signatures_of_different_officers_put_a_procedure_into_effect(awb: Office) -> None:
    workbench = awb.manager.workbench
    request = workbench.confirm(workbench.save(procedure()).id)
    assert workbench.sign(request.id, "anna", awb.signature(request, "anna")).stage is Stage.SIGNED_ONCE
    assert workbench.procedures() == {}

    with pytest.raises(SignatureRefusedError, match="signed already"):
        workbench.sign(request.id, "anna", awb.signature(request, "anna"))

    assert workbench.sign(request.id, "ben", awb.signature(request, "ben")).stage is Stage.IN_EFFECT
    assert workbench.procedures() == {"Card": procedure()}
    assert workbench.signers(request.id) == ("anna", "ben")


def test_a_signature_for_one_request_is_none_for_another_that_says_the_same(awb: Office) -> None:
    workbench = awb.manager.workbench
    first = workbench.confirm(workbench.save(procedure()).id)
    second = workbench.confirm(workbench.save(procedure()).id)

    with pytest.raises(SignatureRefusedError, match="isn't this request"):
        workbench.sign(second.id, "anna", awb.signature(first, "anna"))


def test_a_signature_from_before_a_change_is_none_after_it(awb: Office) -> None:
    workbench = awb.manager.workbench
    request = workbench.confirm(workbench.save(procedure()).id)
    signature = awb.signature(request, "anna")
    workbench.sign(request.id, "anna", signature)
    workbench.modify(request.id, procedure())
    assert workbench.signers(request.id) == ()
    workbench.confirm(request.id)

    with pytest.raises(SignatureRefusedError):
        workbench.sign(request.id, "anna", signature)


def test_nobody_signs_with_a_certificate_that_has_expired(awb: Office) -> None:
    workbench = awb.manager.workbench
    request = workbench.confirm(workbench.save(procedure()).id)
    signature = awb.signature(request, "anna")
    awb.now += timedelta(days=1000)

    with pytest.raises(SignatureRefusedError, match="isn't valid"):
        workbench.sign(request.id, "anna", signature)


@pytest.mark.parametrize("roles", [(), (Role.USE_AWB,), (Role.POLICY_TASKS,)])
def test_both_roles_are_needed_to_sign(awb: Office, roles: tuple[Role, ...]) -> None:
    awb.keys["carl"] = ec.generate_private_key(ec.SECP256R1())
    awb.manager.officers.enrol("carl", awb.keys["carl"].public_key(), roles)
    request = awb.manager.workbench.confirm(awb.manager.workbench.save(procedure()).id)

    with pytest.raises(SignatureRefusedError, match="doesn't have the role"):
        awb.manager.workbench.sign(request.id, "carl", awb.signature(request, "carl"))


def test_every_bit_of_a_signature_counts(awb: Office) -> None:
    workbench = awb.manager.workbench
    request = workbench.save(procedure())
    message = awb.signature(request, "ben")
    (officer,) = [found for found in awb.manager.officers.all() if found.name == "ben"]
    verify(message, request.content, officer.certificate)
    broken = message[:-1] + bytes([message[-1] ^ 1])

    with pytest.raises(SignatureRefusedError):
        verify(broken, request.content, officer.certificate)

    with pytest.raises(SignatureRefusedError):
        verify(message[:-1], request.content, officer.certificate)

    with pytest.raises(SignatureRefusedError, match="isn't this request"):
        verify(message, request.content + b" ", officer.certificate)


def test_what_isn_t_signed_attribute_by_attribute_is_refused(awb: Office) -> None:
    request = awb.manager.workbench.save(procedure())
    (officer,) = [found for found in awb.manager.officers.all() if found.name == "ben"]
    foreign = signed(request.content, officer.certificate, awb.now, lambda _data: b"no signature")

    with pytest.raises(SignatureRefusedError, match="isn't that officer's"):
        verify(foreign, request.content, officer.certificate)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("event", Event)
def test_each_stage_takes_what_the_table_has_and_nothing_else(
    awb: Office, stage: Stage, event: Event
) -> None:
    workbench = awb.manager.workbench
    request = workbench.save(procedure())
    order = (Stage.SAVED, Stage.REQUESTED, Stage.SIGNED_ONCE, Stage.IN_EFFECT)

    if order.index(stage) > 0:
        request = workbench.confirm(request.id)

    for officer in ("anna", "ben")[: max(0, order.index(stage) - 1)]:
        request = workbench.sign(request.id, officer, awb.signature(request, officer))

    assert request.stage is stage
    done: Callable[[], Request] = {
        Event.MODIFY: lambda: workbench.modify(request.id, procedure()),
        Event.OK: lambda: workbench.confirm(request.id),
        Event.SIGN: lambda: workbench.sign(request.id, "ben", awb.signature(request, "ben")),
    }[event]
    following = TRANSITIONS.get((stage, event))

    if following is None:
        with pytest.raises(StageError):
            done()
    else:
        assert done().stage is following


def test_of_two_procedures_with_one_range_the_second_to_be_signed_is_refused(awb: Office) -> None:
    workbench = awb.manager.workbench
    first, second = (
        workbench.confirm(workbench.save(replace(procedure(), name=name)).id) for name in ("One", "Two")
    )

    for officer in ("anna", "ben"):
        workbench.sign(first.id, officer, awb.signature(first, officer))

    workbench.sign(second.id, "anna", awb.signature(second, "anna"))

    with pytest.raises(ProcedureRefusedError, match="in use"):
        workbench.sign(second.id, "ben", awb.signature(second, "ben"))

    assert workbench.signers(second.id) == ("anna",)
    assert workbench.request(second.id).stage is Stage.SIGNED_ONCE


def test_a_procedure_in_effect_is_replaced_by_a_new_request_of_its_name(awb: Office) -> None:
    awb.put_in_effect()
    workbench = awb.manager.workbench
    closed = replace(procedure(), state=ProcedureState.CLOSED)
    request = workbench.confirm(workbench.save(closed).id)
    workbench.sign(request.id, "anna", awb.signature(request, "anna"))
    assert workbench.procedures()["Card"].state is ProcedureState.ACTIVE
    workbench.sign(request.id, "ben", awb.signature(request, "ben"))
    assert workbench.procedures()["Card"].state is ProcedureState.CLOSED


def test_an_officer_s_key_is_nobody_else_s(awb: Office) -> None:
    with pytest.raises(SignatureRefusedError, match="'anna'"):
        awb.manager.officers.enrol("carl", awb.keys["anna"].public_key(), BOTH)


def test_an_empty_form_lacks_all_that_is_mandatory() -> None:
    found = {problem.code for problem in problems(TokenProcedure(), policy(), {})}
    assert found == {
        "name-missing",
        "state-missing",
        "storage-profile-missing",
        "pin-procedure-missing",
        "issuer-certificates-missing",
        "certificate-procedures-missing",
    }


def test_a_procedure_s_own_range_is_no_obstacle_to_it() -> None:
    ranges = {"Card": NumberRange("1000", "1999")}
    assert problems(procedure(), policy(), ranges) == ()
    (problem,) = problems(replace(procedure(), name="Other"), policy(), ranges)
    assert problem.code == "serial-range-in-use"


@pytest.mark.parametrize("name", ["Card", "Recovery"])
def test_a_procedure_is_read_as_it_was_written(name: str) -> None:
    assert read_procedure(written(procedure(name))) == procedure(name)
    assert read_procedure(written(TokenProcedure())) == TokenProcedure()


_NUMBERS = st.integers(0, 30).map(lambda number: f"{number:03}")
_RANGES = st.tuples(_NUMBERS, _NUMBERS).map(lambda ends: NumberRange(min(ends), max(ends)))


@given(_RANGES, _RANGES)
def test_ranges_overlap_if_a_number_is_in_both(one: NumberRange, other: NumberRange) -> None:
    numbers = [f"{number:03}" for number in range(31)]
    assert one.overlaps(other) is any(number in one and number in other for number in numbers)


@pytest.mark.parametrize(
    ("domain", "visible", "user", "expected"),
    [
        ("/sales", False, "/sales", True),
        ("/sales", False, "/sales/north", False),
        ("/sales", True, "/sales/north", True),
        ("/sales", True, "/salesmen", False),
        ("/sales", True, "/", False),
        ("/", True, "/sales/north", True),
        ("/", False, "/sales", False),
    ],
)
def test_a_procedure_is_visible_in_its_domain_and_below(
    domain: str, visible: bool, user: str, expected: bool
) -> None:
    found = TokenProcedure(domain=domain, visible_in_subdomain=visible)
    assert found.visible_in(user) is expected
