"""Slots and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import (
    UNAVAILABLE_INFORMATION,
    Ckm,
    SlotFlag,
    TokenFlag,
    WaitFlag,
    name_of,
)
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.mechanisms import offered
from cardtwin.cryptoki.slots import SlotKind
from cardtwin.cryptoki.structures import MechanismInfo, SlotInfo, TokenInfo, cut
from cardtwin.middleware import Ckr
from cardtwin.pkcs15 import PinFlags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.bay import TokenView
    from cardtwin.cryptoki.slots import Slot
    from cardtwin.cryptoki.values import Answer, Buffer
    from cardtwin.middleware import PinInfo

__all__ = [
    "get_mechanism_info",
    "get_mechanism_list",
    "get_slot_info",
    "get_slot_list",
    "get_token_info",
    "wait_for_slot_event",
]

_LABEL: Final = 32
_SERIAL: Final = 16
_MANUFACTURER: Final = "cardtwin"
_MANY_TRIES: Final = 3
_LONGEST_PIN: Final = 64


@function("C_GetSlotList")
def get_slot_list(
    application: Application,
    token_present: bool,  # noqa: FBT001  # it is a CK_BBOOL
    slots: Buffer[Sequence[int]],
) -> Answer[Sequence[int]]:
    """List the slots, or those with a token."""
    table = application.slots
    found = [slot.slot_id for slot in table.all() if not token_present or table.is_present(slot)]
    return slots.answer(found)


@function("C_GetSlotInfo")
def get_slot_info(application: Application, slot_id: int) -> SlotInfo:
    """Describe a slot: the reader, and whether a token is in it."""
    slot = application.slots.get(slot_id)
    flags = SlotFlag.CKF_REMOVABLE_DEVICE | SlotFlag.CKF_HW_SLOT

    if application.slots.is_present(slot):
        flags |= SlotFlag.CKF_TOKEN_PRESENT

    return SlotInfo(slot_description=slot.bay.reader, manufacturer_id=_MANUFACTURER, flags=int(flags))


@function("C_GetTokenInfo")
def get_token_info(application: Application, slot_id: int) -> TokenInfo:
    """Describe a token, as far as the card tells: of its versions it tells none."""
    slot = application.slots.get(slot_id)
    view = slot.view(latest=True)
    token, pin = view.token, slot.user_pin(view)
    sessions = list(application.sessions.of_slot(slot))
    memory = UNAVAILABLE_INFORMATION
    return TokenInfo(
        label=token_label(slot, view),
        manufacturer_id=token.manufacturer or _MANUFACTURER,
        model=view.title,
        serial_number=token.card_number[-_SERIAL:],
        flags=int(_token_flags(slot, view)),
        max_session_count=0,
        session_count=len(sessions),
        max_rw_session_count=0,
        rw_session_count=sum(session.writable for session in sessions),
        max_pin_len=(pin.entry.max_length or pin.entry.stored_length) if pin else _LONGEST_PIN,
        min_pin_len=pin.entry.min_length if pin else 0,
        total_public_memory=memory,
        free_public_memory=view.free_memory,
        total_private_memory=memory,
        free_private_memory=view.free_memory,
    )


def token_label(slot: Slot, view: TokenView) -> str:
    """Return the token's label; the signature PIN's is added in brackets, and the token's cut for it."""
    pin = slot.user_pin(view)

    if slot.kind is SlotKind.MAIN or pin is None:
        return view.token.label

    suffix = cut(f" ({pin.label})", _LABEL)
    return cut(view.token.label, _LABEL - len(suffix.encode())) + suffix


def _token_flags(slot: Slot, view: TokenView) -> TokenFlag:
    flags = TokenFlag.CKF_RNG

    if view.pinpad:
        flags |= TokenFlag.CKF_PROTECTED_AUTHENTICATION_PATH

    if view.token.initialised:
        flags |= TokenFlag.CKF_TOKEN_INITIALIZED

    if pin := slot.user_pin(view):
        flags |= TokenFlag.CKF_LOGIN_REQUIRED | _state_of(slot, pin, _USER_FLAGS)

        if PinFlags.INITIALIZED in pin.entry.flags:
            flags |= TokenFlag.CKF_USER_PIN_INITIALIZED

    if so := slot.so_pin(view):
        flags |= _state_of(slot, so, _SO_FLAGS)

    return flags


_USER_FLAGS: Final = (
    TokenFlag.CKF_USER_PIN_COUNT_LOW,
    TokenFlag.CKF_USER_PIN_FINAL_TRY,
    TokenFlag.CKF_USER_PIN_LOCKED,
)
_SO_FLAGS: Final = (
    TokenFlag.CKF_SO_PIN_COUNT_LOW,
    TokenFlag.CKF_SO_PIN_FINAL_TRY,
    TokenFlag.CKF_SO_PIN_LOCKED,
)


def _state_of(slot: Slot, pin: PinInfo, names: tuple[TokenFlag, ...]) -> TokenFlag:
    """Return what is known of a PIN's tries (rule ``cryptoki.count-low``)."""
    low, final, locked = names
    failed = slot.bay.failed.get(pin.reference)

    with slot.credentials() as (_, credentials):
        left = credentials.tries_left(pin)

    flags = TokenFlag(0)

    if failed is not None or (left is not None and left < _MANY_TRIES):
        flags |= low

    if left == 1:
        flags |= final

    if left == 0 or (left is None and failed is Ckr.CKR_PIN_LOCKED):
        flags |= locked

    return flags


@function("C_GetMechanismList")
def get_mechanism_list(
    application: Application, slot_id: int, mechanisms: Buffer[Sequence[int]]
) -> Answer[Sequence[int]]:
    """List the mechanisms that the card in a slot offers."""
    view = application.slots.get(slot_id).view()
    return mechanisms.answer(list(offered(view)))


@function("C_GetMechanismInfo")
def get_mechanism_info(application: Application, slot_id: int, mechanism: int) -> MechanismInfo:
    """Describe one of them."""
    found = offered(application.slots.get(slot_id).view())

    if mechanism not in found:
        raise CryptokiError(Ckr.CKR_MECHANISM_INVALID, f"the card does not offer {name_of(Ckm, mechanism)}")

    return found[mechanism]


@function("C_WaitForSlotEvent", alone=False)
def wait_for_slot_event(application: Application, flags: int) -> int:
    """Return the slot of the next insertion or removal."""
    if flags & WaitFlag.CKF_DONT_BLOCK:
        return application.events.poll()

    return application.events.wait()
