"""Personal Mobile: profiles, phones, and the table of a login's course."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.authority import NameRefusedError
from cardtwin.login import (
    ActivationError,
    FlowError,
    LoginRefusedError,
    MethodKind,
    Refusal,
    SameDevice,
    UserAccount,
)
from cardtwin.login.mobile import PROFILE_LIFE, TRANSITIONS, Event, Invitation, Phone, State
from cardtwin.plan import Secret
from cardtwin.targets.access import HolderTemplate
from support.access import CURVE_KEY, DESKTOP, MAIL, USER, World, signed, spki
from support.qr import read_qr

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.login.mobile import Course

HERE, THERE = "Here", "There"
MOBILE = replace(DESKTOP, kind=MethodKind.PERSONAL_MOBILE, authority=None)


@pytest.fixture
def world() -> World:
    """Both methods, and no phone yet."""
    world = World()
    world.admin.add_method(replace(MOBILE, display_name=HERE, same_device=SameDevice(5, "Go on")))
    world.admin.add_method(replace(MOBILE, display_name=THERE))
    world.admin.publish()
    return world


def activated(world: World, name: str = "pixel", user: str = USER) -> Phone:
    phone = world.site.phone(name)
    phone.activate(world.site.activations.issue(user).invitation.text, world.site.activations)
    return phone


# Activation


def test_the_image_that_is_delivered_holds_what_activates(world: World) -> None:
    profile = world.site.activations.issue(USER)
    text = read_qr(profile.image)
    assert Invitation.read(Secret.of(text)) == profile.invitation
    assert text.startswith("cardtwin-personal://access.example.com:443/activate?")


def test_a_profile_activates_one_phone_once(world: World) -> None:
    profile = world.site.activations.issue(USER)
    phone, thief = world.site.phone("pixel"), world.site.phone("thief")
    phone.activate(profile.invitation.text, world.site.activations)

    for late in (phone, thief):
        with pytest.raises(ActivationError, match="already"):
            late.activate(profile.invitation.text, world.site.activations)

    assert (phone.user, thief.user) == (USER, "")


def test_a_profile_is_good_for_seven_days(world: World) -> None:
    first = world.site.activations.issue(USER)
    world.wait(seconds=PROFILE_LIFE.total_seconds() - 1)
    world.site.phone("pixel").activate(first.invitation.text, world.site.activations)
    second = world.site.activations.issue(USER)
    world.wait(seconds=PROFILE_LIFE.total_seconds())

    with pytest.raises(ActivationError, match="too old"):
        world.site.phone("spare").activate(second.invitation.text, world.site.activations)


def test_a_new_profile_takes_the_place_of_the_one_before(world: World) -> None:
    first, second = (world.site.activations.issue(USER) for _ in range(2))

    with pytest.raises(ActivationError, match="no such profile"):
        world.site.phone("pixel").activate(first.invitation.text, world.site.activations)

    world.site.phone("pixel").activate(second.invitation.text, world.site.activations)


@pytest.mark.parametrize("user", ["bert", "nobody"])
def test_no_profile_is_made_for_who_may_not_use_personal(world: World, user: str) -> None:
    world.admin.put_user(UserAccount("bert"))
    world.admin.publish()

    with pytest.raises(ActivationError, match=f"no user account '{user}' with Personal enabled"):
        world.site.activations.issue(user)


def test_personal_that_was_disabled_in_between_activates_nothing(world: World) -> None:
    profile = world.site.activations.issue(USER)
    world.admin.put_user(UserAccount(USER))
    world.admin.publish()

    with pytest.raises(ActivationError, match="Personal enabled"):
        world.site.phone("pixel").activate(profile.invitation.text, world.site.activations)


def test_who_does_not_know_the_secret_activates_nothing(world: World) -> None:
    invitation = world.site.activations.issue(USER).invitation
    guessed = replace(invitation, secret=Secret(bytes(20)))

    with pytest.raises(ActivationError, match="proof"):
        world.site.phone("thief").activate(guessed.text, world.site.activations)

    world.site.phone("pixel").activate(invitation.text, world.site.activations)


def test_who_does_not_have_the_key_enrols_nothing(world: World) -> None:
    invitation = world.site.activations.issue(USER).invitation
    _, proof = signed(invitation.message, CURVE_KEY)

    for key in (spki(world.company.ca().key), b"no key"):
        with pytest.raises(ActivationError, match="proof"):
            world.site.activations.activate(invitation.profile, key, proof)


@given(st.text())
def test_other_codes_are_no_profiles(text: str) -> None:
    with pytest.raises(ActivationError, match="no QR code of an activation profile"):
        Invitation.read(Secret.of(text))


@pytest.mark.parametrize(
    "text",
    ["https://a:1/activate?profile=1&user=u&code=00", "cardtwin-personal://a:1/x?profile=1&user=u&code=00"],
)
def test_a_code_that_leads_elsewhere_is_no_profile(text: str) -> None:
    with pytest.raises(ActivationError, match="no QR code"):
        Invitation.read(Secret.of(text))


def test_the_secret_of_a_profile_shows_in_no_repr(world: World) -> None:
    profile = world.site.activations.issue(USER)
    assert profile.invitation.secret.reveal().hex() not in repr(profile)


def test_phones_make_their_own_keys() -> None:
    world = World()
    phones = [Phone(name, SystemEntropy()) for name in ("one", "two")]

    for phone in phones:
        phone.activate(world.site.activations.issue(USER).invitation.text, world.site.activations)

    challenge = world.access.begin("Card", USER)
    assert phones[0].answer(challenge).key != phones[1].answer(challenge).key


def test_no_certificate_is_issued_for_what_cannot_be_activated(world: World) -> None:
    used = world.site.activations.issue(USER).invitation.text
    world.site.phone("pixel").activate(used, world.site.activations)
    requests: list[bytes] = []

    def certify(request: bytes) -> list[bytes]:
        requests.append(request)
        return [b"certificate"]

    with pytest.raises(ActivationError, match="already"):
        world.site.phone("spare").activate(used, world.site.activations, certify)

    assert requests == []


def test_a_refused_certificate_leaves_phone_and_profile_as_they_were(world: World) -> None:
    phone = activated(world)
    before = phone.answer(world.access.begin(HERE, USER)).key
    text = world.site.activations.issue(USER).invitation.text

    with pytest.raises(NameRefusedError):
        phone.activate(
            text, world.site.activations, world.site.certifier("Company", HolderTemplate("n" * 65))
        )

    assert phone.answer(world.access.begin(HERE, USER)).key == before
    world.site.phone("spare").activate(text, world.site.activations)


@pytest.mark.parametrize("publications", [1, 2])
def test_an_account_that_is_taken_out_takes_its_phones_and_profiles_along(
    world: World, publications: int
) -> None:
    phone, account = activated(world), world.admin.published.users[USER]
    pending = world.site.activations.issue(USER).invitation.text
    world.admin.remove_user(USER)

    if publications == 2:
        world.admin.publish()

    world.admin.put_user(account)
    assert world.admin.changed
    world.admin.publish()
    course = opened(world, THERE, "laptop")
    course.scan(phone)

    with pytest.raises(LoginRefusedError) as caught:
        course.confirm(phone)

    assert caught.value.refusal is Refusal.NO_SUCH_USER

    with pytest.raises(ActivationError, match="taken out"):
        world.site.phone("spare").activate(pending, world.site.activations)

    again, course = activated(world), opened(world, THERE, "laptop")
    course.scan(again)
    assert course.confirm(again).user == USER


def test_an_account_that_is_changed_keeps_its_phones(world: World) -> None:
    phone, account = activated(world), world.admin.published.users[USER]
    world.admin.put_user(replace(account, attributes={}))
    world.admin.publish()
    course = opened(world, THERE, "laptop")
    course.scan(phone)
    assert course.confirm(phone).user == USER


# The course of a login


def opened(world: World, method: str, device: str = "pixel") -> Course:
    return world.site.open_login(method, USER, device)


def test_on_another_device_the_phone_scans_the_image(world: World) -> None:
    phone, course = activated(world), opened(world, THERE, "laptop")
    assert read_qr(course.page().image).startswith("cardtwin-personal:login?challenge=")
    course.scan(phone)
    assert course.page().state is State.IN_APP
    assert course.confirm(phone).user == USER
    assert course.page().state is State.LOGGED_IN
    assert course.login is not None


def test_on_the_same_device_the_redirection_opens_personal_mobile(world: World) -> None:
    phone, course = activated(world), opened(world, HERE)
    world.wait(seconds=4.9)
    assert (course.page().state, course.page().text) == (State.IMAGE, "")
    world.wait(seconds=0.1)
    assert (course.page().state, course.page().text, course.page().image) == (State.REDIRECTING, "Go on", b"")
    course.follow(phone)
    assert course.confirm(phone).user == USER


def test_another_device_is_refused_where_the_same_is_enforced(world: World) -> None:
    phone, course = activated(world), opened(world, HERE, "laptop")
    course.scan(phone)

    with pytest.raises(LoginRefusedError) as caught:
        course.confirm(phone)

    assert caught.value.refusal is Refusal.WRONG_DEVICE
    assert course.page().state is State.REFUSED


def test_two_devices_without_names_are_not_the_same(world: World) -> None:
    phone, challenge = activated(world), world.access.begin(HERE, USER)

    with pytest.raises(LoginRefusedError) as caught:
        world.access.finish(replace(phone.answer(challenge), device=""))

    assert caught.value.refusal is Refusal.WRONG_DEVICE


def test_the_redirection_opens_nothing_elsewhere(world: World) -> None:
    phone, course = activated(world), opened(world, HERE, "laptop")
    world.wait(seconds=5)

    with pytest.raises(FlowError, match="'laptop'"):
        course.follow(phone)


def test_a_phone_does_not_scan_itself(world: World) -> None:
    with pytest.raises(FlowError, match="itself"):
        opened(world, THERE).scan(activated(world))


def test_only_the_phone_that_scanned_can_confirm(world: World) -> None:
    phone, other, course = activated(world), activated(world, "other"), opened(world, THERE, "laptop")
    course.scan(phone)

    with pytest.raises(FlowError, match="does not ask on 'other'"):
        course.confirm(other)

    assert course.confirm(phone).user == USER


def test_a_phone_of_somebody_else_is_refused(world: World) -> None:
    world.admin.put_user(UserAccount("bert", personal=True))
    world.admin.publish()
    phone, course = activated(world, user="bert"), opened(world, THERE, "laptop")
    course.scan(phone)

    with pytest.raises(LoginRefusedError) as caught:
        course.confirm(phone)

    assert caught.value.refusal is Refusal.OTHER_USER


def test_a_login_that_takes_too_long_expires(world: World) -> None:
    phone, course = activated(world), opened(world, THERE, "laptop")
    course.scan(phone)
    world.wait(minutes=2)

    with pytest.raises(FlowError, match="too late"):
        course.confirm(phone)

    assert course.page().state is State.EXPIRED


def test_what_is_cancelled_is_over(world: World) -> None:
    phone, course = activated(world), opened(world, THERE, "laptop")
    course.cancel()
    assert course.page().state is State.CANCELLED

    for act in (course.cancel, lambda: course.scan(phone), lambda: course.confirm(phone)):
        with pytest.raises(FlowError):
            act()


def test_a_certificate_of_the_phone_is_validated_and_mapped(world: World) -> None:
    mapped = replace(
        DESKTOP, kind=MethodKind.PERSONAL_MOBILE, same_device=SameDevice(0), display_name="Mapped"
    )
    world.admin.add_method(mapped)
    world.admin.publish()
    phone = activated(world)
    course = opened(world, "Mapped")
    course.page()
    course.follow(phone)

    with pytest.raises(LoginRefusedError) as caught:
        course.confirm(phone)

    assert caught.value.refusal is Refusal.NO_CERTIFICATE
    certify = world.site.certifier("Company", HolderTemplate("Anna's phone", (MAIL,)))
    phone.activate(world.site.activations.issue(USER).invitation.text, world.site.activations, certify)
    course = opened(world, "Mapped")
    course.follow(phone)
    assert len(course.confirm(phone).chain) == 2


def test_the_table_says_one_thing_for_each_state_event_and_device() -> None:
    for same in (True, False):
        lines = [(line.state, line.event) for line in TRANSITIONS if line.same_device in {None, same}]
        assert len(set(lines)) == len(lines)


def test_nothing_leads_out_of_an_end() -> None:
    ends = {State.LOGGED_IN, State.REFUSED, State.EXPIRED, State.CANCELLED}
    assert ends.isdisjoint(line.state for line in TRANSITIONS)
    assert set(State) - ends == {line.state for line in TRANSITIONS}
    assert set(Event) == {line.event for line in TRANSITIONS}


@given(st.booleans(), st.lists(st.sampled_from(["scan", "follow", "confirm", "cancel", "wait"]), max_size=8))
def test_no_order_of_events_logs_in_without_the_right_phone(same: bool, events: list[str]) -> None:
    world = World()
    method = replace(MOBILE, display_name=HERE, same_device=SameDevice(5) if same else None)
    world.admin.add_method(method)
    world.admin.publish()
    phone, course = activated(world), opened(world, HERE, "pixel" if same else "laptop")
    acts: dict[str, Callable[[], object]] = {
        "scan": lambda: course.scan(phone),
        "follow": lambda: course.follow(phone),
        "confirm": lambda: course.confirm(phone),
        "cancel": course.cancel,
        "wait": lambda: world.wait(seconds=30),
    }
    done = []

    for event in events:
        try:
            acts[event]()
            done.append(event)
        except FlowError:
            pass

    steps = [event for event in done if event != "wait"]
    assert (course.login is not None) == (steps[:2] == ["follow" if same else "scan", "confirm"])
