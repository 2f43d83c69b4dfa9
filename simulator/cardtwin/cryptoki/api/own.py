"""cardtwin_*: what the middleware can do and PKCS#11 has no function for. An interface of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import Cku
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.middleware import Ckr, PinKind
from cardtwin.plan import Secret, SecretName
from cardtwin.source import SourceText
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.values import Answer, Buffer, NamedValue

__all__ = ["get_property", "init_token_ppa", "login_operator", "unblock_pin"]

_PROFILE = "profile"


@function("cardtwin_InitTokenPPA")
def init_token_ppa(  # the function's own parameters
    application: Application,
    slot_id: int,
    profile: bytes,
    parameters: tuple[NamedValue, ...],
    secrets: tuple[NamedValue, ...],
    label: bytes,
) -> None:
    """Put a card profile on the card in a slot. No session may be open with it."""
    slot = application.slots.get(slot_id)
    slot.view()

    if any(any(application.sessions.of_slot(each)) for each in application.slots.of_bay(slot.bay)):
        raise CryptokiError(Ckr.CKR_SESSION_EXISTS, "sessions are open with the card")

    try:
        application.client.init_token(
            slot.bay.reader,
            SourceText(_PROFILE, decode_text(profile)),
            parameters={each.name: each.value for each in _once(parameters)},
            secrets={_secret_name(each.name): Secret(each.value) for each in _once(secrets)},
            label=_text(label) or None,
        )
    finally:
        application.forget_card(slot.bay)


def _once(values: tuple[NamedValue, ...]) -> Iterable[NamedValue]:
    if len({each.name for each in values}) != len(values):
        raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, "a name is there twice")

    return values


def _secret_name(name: str) -> SecretName:
    try:
        return SecretName(name)
    except ValueError:
        known = ", ".join(SecretName)
        raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, f"there is no secret {name!r}, only {known}") from None


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise CryptokiError(Ckr.CKR_ARGUMENTS_BAD, "a name is not UTF-8") from None


@function("cardtwin_GetProperty")
def get_property(application: Application, slot_id: int, name: bytes, room: Buffer[bytes]) -> Answer[bytes]:
    """Return a property of the card in a slot, as text in UTF-8."""
    slot = application.slots.get(slot_id)
    return room.answer(application.client.get_property(slot.bay.reader, _text(name)).encode())


@function("cardtwin_UnblockPIN")
def unblock_pin(application: Application, slot_id: int, puk: Secret | None, new: Secret | None) -> None:
    """Set a slot's PIN by its PUK, without a session. A wrong PUK costs one of its tries.

    A new PIN that is NULL is entered at the reader, and then so is a PUK that is.
    """
    slot = application.slots.get(slot_id)

    if new is None:
        slot.require_entry()

    view = slot.view()
    pin = slot.pin_of(Cku.CKU_USER, view)
    key = view.token.puk_of(pin)

    if key is None:
        raise CryptokiError(Ckr.CKR_FUNCTION_NOT_SUPPORTED, f"nothing resets {pin.label}")

    with slot.credentials() as (_, credentials), slot.noting(key):
        credentials.unblock(pin, puk, new)

    if new is None:
        application.forget_kept(slot)
    else:
        application.keep_anew(slot, new)

    slot.bay.failed.pop(pin.reference, None)


@function("cardtwin_LoginOperator")
def login_operator(application: Application, session: int, pin: Secret | None) -> None:
    """Verify the operator's PIN, for the Card Eraser, until somebody logs out. It is no login of PKCS#11."""
    found = application.session(session)
    found.require_writable()

    slot = found.slot

    if pin is None:
        slot.require_entry()

    operator = next((each for each in slot.view().token.pins if each.kind is PinKind.OPERATOR), None)

    if operator is None:
        raise CryptokiError(Ckr.CKR_USER_PIN_NOT_INITIALIZED, "the token has no operator PIN")

    slot.verify(operator, pin)
    slot.bay.extra.add(operator.reference)
