"""The process by which a user gets a virtual smart card, state by state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.issuance.virtualcard import (
    TRANSITIONS,
    CardRegister,
    CertificateKind,
    Event,
    Options,
    OrderFailedError,
    PinPolicy,
    PinRefusedError,
    State,
    StepRefusedError,
    User,
    UserRefusedError,
    VirtualSmartCardSelfServiceProcGet,
)
from cardtwin.minidriver import MinidriverCard, answer
from cardtwin.plan import Secret
from cardtwin.readers import ReaderManager
from support.cardkeys import SMALL
from support.minidriver import READER

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.pcsc import CardConnection

NOW = datetime(2028, 2, 29, 12, tzinfo=UTC)
JANE = User("jane", variables={"UsersDp_Email": "jane.doe@example.org"})
PIN = Secret.of("secret 1")
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A CA")])


class World:
    """A computer, a certificate authority and a register, which note what is done to them."""

    def __init__(self) -> None:
        self.manager = ReaderManager()
        self.manager.add_reader(READER)
        self.cards = CardRegister()
        self.notes: list[str] = []
        self.names: list[str] = []
        self.refuses: CertificateKind | None = None
        self.refusal: BaseException | None = None
        self.cut_after: int | None = None
        self.breaks: set[str] = set()
        self.requests: list[x509.CertificateSigningRequest] = []

    def process(
        self, user: User = JANE, options: Options | None = None
    ) -> VirtualSmartCardSelfServiceProcGet:
        return VirtualSmartCardSelfServiceProcGet(
            user,
            options,
            computer=self,
            issuer=self,
            cards=self.cards,
            entropy=SeededEntropy("order"),
            now=lambda: NOW,
        )

    def create(self, name: str) -> CardConnection:
        self.names.append(name)
        self.notes.append("create")
        card = EmulatedCard(models.get("virtual-smart-card"), entropy=SeededEntropy("card"))
        self.manager.insert(READER, card)
        card.cut_power_after(self.cut_after)
        return self.manager.context().connect(READER)

    def destroy(self) -> None:
        self.notes.append("destroy")

        if self.manager.context().state(READER).present:
            self.manager.remove(READER)

    def issue(self, request: bytes, kind: CertificateKind, valid_to: datetime) -> bytes:
        if kind is self.refuses:
            raise self.refusal or OrderFailedError(f"no certificate for {kind}")

        read = x509.load_der_x509_csr(request)
        self.requests.append(read)
        self.notes.append(f"issue {kind}")
        builder = x509.CertificateBuilder(NAME, read.subject, read.public_key(), len(self.requests))
        builder = builder.not_valid_before(NOW).not_valid_after(valid_to)
        return builder.sign(SMALL.to_cryptography(), SHA256()).public_bytes(Encoding.DER)

    def revoke(self, certificate: bytes) -> None:
        self.notes.append(f"revoke {x509.load_der_x509_certificate(certificate).serial_number}")

        if "revoke" in self.breaks:
            raise OrderFailedError("the authority is out of reach")

        if "revoke by defect" in self.breaks:
            raise ZeroDivisionError

    def card(self) -> MinidriverCard:
        return MinidriverCard(self.manager.context().connect(READER), entropy=SeededEntropy("after"))


def at(process: VirtualSmartCardSelfServiceProcGet, state: State) -> VirtualSmartCardSelfServiceProcGet:
    """Walk to a state."""
    steps: dict[State, Callable[[], object]] = {
        State.CONFIRMATION: process.next,
        State.DESKTOP_APP: process.open,
        State.PIN: lambda: process.enter_pin(PIN),
        State.DETAILS: process.next,
    }

    while process.state is not state:
        if state is State.CANCELLED:
            process.cancel()
        else:
            steps[process.state]()

    return process


def test_a_user_gets_a_card_with_keys_and_certificates() -> None:
    world = World()
    process = at(world.process(), State.ACTIVE)
    (record,) = world.cards.of("jane")
    assert record is process.card
    assert (record.state, record.user_id) == ("active", "jane.doe@example.org")
    assert world.names == [record.profile_name] == ["Virtual smart card jane.doe@example.org"]
    assert world.notes == ["create", "issue authentication", "issue signature"]
    card = world.card()
    assert card.card_id == record.card_id
    assert [found.spec.name for found in card.containers] == ["EXCHANGE", "SIGNATURE"]
    assert [card.certificate(index) for index in (0, 1)] == [
        found.certificate for found in record.certificates
    ]

    for index, found in enumerate(record.certificates):
        certificate = x509.load_der_x509_certificate(found.certificate)
        assert certificate.public_key() == card.public_key(index)
        assert certificate.subject.rfc4514_string() == "CN=jane.doe@example.org"

    assert all(request.is_signature_valid for request in world.requests)


def test_the_card_has_the_user_s_pin_and_the_record_s_admin_key() -> None:
    world = World()
    record = at(world.process(), State.ACTIVE).card
    assert record is not None
    card = world.card()
    card.verify(PIN)
    card.unblock(answer(record.admin_key, card.challenge()), Secret.of("other pin"))
    card.verify(Secret.of("other pin"))


def test_who_made_the_card_is_not_logged_in_any_more() -> None:
    world = World()
    at(world.process(), State.ACTIVE)

    with pytest.raises(Exception, match="6982"):
        world.card().generate()


@pytest.mark.parametrize(
    ("years", "end"), [(1, datetime(2029, 2, 28, 12, tzinfo=UTC)), (4, datetime(2032, 2, 29, 12, tzinfo=UTC))]
)
def test_card_and_certificates_are_valid_for_as_many_years(years: int, end: datetime) -> None:
    record = at(World().process(options=Options(years_of_validity=years)), State.ACTIVE).card
    assert record is not None
    assert (record.valid_from, record.valid_to) == (NOW, end)
    certificates = [x509.load_der_x509_certificate(found.certificate) for found in record.certificates]
    assert {certificate.not_valid_after_utc for certificate in certificates} == {end}


def test_the_certificates_are_those_of_the_option() -> None:
    world = World()
    options = Options(certificates=(CertificateKind.ENCRYPTION, CertificateKind.SIGNATURE))
    record = at(world.process(options=options), State.ACTIVE).card
    assert record is not None
    assert [found.kind for found in record.certificates] == ["encryption", "signature"]
    assert [found.spec.name for found in world.card().containers] == ["EXCHANGE", "SIGNATURE"]


@pytest.mark.parametrize("state", ["inactive", "", "Active"])
def test_a_user_who_is_not_active_gets_nowhere(state: str) -> None:
    with pytest.raises(UserRefusedError, match="only an active user"):
        World().process(replace(JANE, state=state))


def fire(process: VirtualSmartCardSelfServiceProcGet, event: Event) -> None:
    """Do what an event says."""
    if event is Event.ENTER_PIN:
        process.enter_pin(PIN)
    else:
        {Event.NEXT: process.next, Event.OPEN: process.open, Event.CANCEL: process.cancel}[event]()


def test_every_event_that_the_table_has_not_is_refused_and_changes_nothing() -> None:
    for state in State:
        world = World()
        process = at(world.process(), state)
        notes = list(world.notes)

        for event in Event:
            if (state, event) in TRANSITIONS:
                continue

            with pytest.raises(StepRefusedError, match=f"while the process is at '{state}'"):
                fire(process, event)

            assert (process.state, world.notes) == (state, notes)


@pytest.mark.parametrize("state", [State.CONFIRMATION, State.DESKTOP_APP, State.PIN, State.DETAILS])
def test_wherever_it_is_cancelled_nothing_is_left(state: State) -> None:
    world = World()
    process = at(world.process(), state)
    made = list(world.notes)
    process.cancel()
    assert (process.state, process.card) == (State.CANCELLED, None)
    assert world.cards.of("jane") == ()
    assert not world.manager.context().state(READER).present
    taken_back = world.notes[len(made) :]
    assert taken_back == (["revoke 2", "revoke 1", "destroy"] if made else [])


def test_a_refused_pin_may_be_entered_anew() -> None:
    world = World()
    process = at(world.process(options=Options(pin=PinPolicy(min_length=10))), State.PIN)

    with pytest.raises(PinRefusedError):
        process.enter_pin(PIN)

    assert (process.state, world.notes) == (State.PIN, [])
    process.enter_pin(Secret.of("longer than nine"[:15]))
    assert process.state == State.DETAILS


@pytest.mark.parametrize("refused", list(CertificateKind)[:2])
def test_where_a_certificate_is_refused_the_rest_is_taken_back(refused: CertificateKind) -> None:
    world = World()
    world.refuses = refused
    process = at(world.process(), State.PIN)

    with pytest.raises(OrderFailedError, match=f"no certificate for {refused}"):
        process.enter_pin(PIN)

    assert (process.state, process.card) == (State.CANCELLED, None)
    assert world.notes[-1] == "destroy"
    assert sum(note.startswith("issue") for note in world.notes) == sum(
        note.startswith("revoke") for note in world.notes
    )


@pytest.mark.parametrize("writes", [0, 5, 30])
def test_where_the_card_fails_the_rest_is_taken_back(writes: int) -> None:
    world = World()
    world.cut_after = writes
    process = at(world.process(), State.PIN)

    with pytest.raises(OrderFailedError, match="could not be made"):
        process.enter_pin(PIN)

    assert process.state == State.CANCELLED
    assert world.notes[-1] == "destroy"
    assert not world.manager.context().state(READER).present


def test_what_cannot_be_taken_back_does_not_keep_the_rest() -> None:
    world = World()
    world.breaks.add("revoke")
    process = at(world.process(), State.DETAILS)

    with pytest.raises(OrderFailedError, match="out of reach"):
        process.cancel()

    assert world.notes[-3:] == ["revoke 2", "revoke 1", "destroy"]
    assert process.state == State.CANCELLED


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("broken", [set(), {"revoke"}])
def test_an_interrupt_or_a_defect_leaves_nothing_behind(error: type[BaseException], broken: set[str]) -> None:
    world = World()
    world.refuses, world.refusal, world.breaks = CertificateKind.SIGNATURE, error(), broken
    process = at(world.process(), State.PIN)

    with pytest.raises(error):
        process.enter_pin(PIN)

    assert (process.state, process.card) == (State.CANCELLED, None)
    assert world.notes[-2:] == ["revoke 1", "destroy"]


def test_a_defect_of_what_takes_back_does_not_keep_the_rest() -> None:
    world = World()
    world.breaks.add("revoke by defect")
    process = at(world.process(), State.DETAILS)

    with pytest.raises(OrderFailedError, match="not all could be taken back"):
        process.cancel()

    assert world.notes[-3:] == ["revoke 2", "revoke 1", "destroy"]
    assert process.state == State.CANCELLED


@pytest.mark.parametrize("variables", [{}, {"UsersDp_Email": ""}])
def test_a_user_without_what_an_option_asks_for_gets_no_card(variables: dict[str, str]) -> None:
    world = World()
    process = at(world.process(replace(JANE, variables=variables)), State.PIN)

    with pytest.raises(OrderFailedError, match=r"has no field|empty user id"):
        process.enter_pin(PIN)

    assert "create" not in world.notes


def test_no_secret_is_in_the_process_s_repr_or_record() -> None:
    process = at(World().process(), State.ACTIVE)
    record = process.card
    assert record is not None
    shown = repr(process) + repr(record) + repr(vars(process))
    assert "secret 1" not in shown
    assert record.admin_key.reveal().hex() not in shown
