"""Pre-personalising one card, at a reader that somebody else has put it into."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from cardtwin.issuance.keygeneration.errors import CardFailedError
from cardtwin.issuance.keygeneration.records import CardRecord, KeyRecord
from cardtwin.middleware import Ckr, Login, MiddlewareError, UserType
from cardtwin.plan import PinBlobError, SecretName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.issuance.keygeneration.order import Assignment, BatchOrder
    from cardtwin.middleware import Initialised, PersonalDesktopClient
    from cardtwin.plan import PinBlobCodec, Plan
    from cardtwin.ppa import Profile

__all__ = ["IMAGES", "ProducedCard", "Station", "image_name", "pre_personalise"]

IMAGES: Final = "cards"
"""The folder of a batch that has the cards' memories."""


@dataclass(frozen=True, slots=True)
class ProducedCard:
    """A card that is finished.

    Attributes:
        record: Its line of the production list.
        image: The file with its memory.
    """

    record: CardRecord
    image: bytes = field(repr=False)


class Station(Protocol):
    """A reader with an empty card in it, and the middleware above it."""

    @property
    def client(self) -> PersonalDesktopClient:
        """The middleware."""

    @property
    def reader(self) -> str:
        """The reader's name."""

    def image(self) -> bytes:
        """Return the card's memory as a file has it."""


def image_name(serial: str) -> str:
    """Return the name of the file with a card's memory, from the batch's folder on."""
    return f"{IMAGES}/{serial}.image"


def pre_personalise(
    order: BatchOrder, profile: Profile, assignment: Assignment, station: Station, codec: PinBlobCodec
) -> ProducedCard:
    """Put the profile on the card in a station, and return the card with what it tells of itself then.

    Args:
        order: The batch.
        profile: Its profile, parsed.
        assignment: What this card gets.
        station: Where the card is.
        codec: The format of the encrypted PINs.

    Raises:
        MiddlewareError: The middleware or the card refuses; see :meth:`PersonalDesktopClient.initialise`.
        CardFailedError: The card doesn't tell what it should.
    """
    drawn = order.entropy(assignment, "PINs")
    made = station.client.initialise(
        station.reader,
        profile,
        parameters=order.parameters,
        secrets={name: form.make(drawn) for name, form in sorted(order.pins.items())},
        label=assignment.label,
    )

    if assignment.number is not None:
        _set_number(station, assignment.number, made.plan)

    image = station.image()
    record = _record(order, assignment, station, codec, made, hashlib.sha256(image).hexdigest())
    return ProducedCard(record, image)


def _set_number(station: Station, number: str, plan: Plan) -> None:
    """Give the card its number: as nobody, else as whoever the profile has given a PIN."""
    refused: MiddlewareError | None = None

    for login in _logins(plan):
        try:
            station.client.set_serial(station.reader, number, login)
        except MiddlewareError as error:
            if error.rv is not Ckr.CKR_USER_NOT_LOGGED_IN:
                raise

            refused = error
        else:
            return

    assert refused is not None, "the first try is without a login"
    raise refused


def _logins(plan: Plan) -> Iterator[Login | None]:
    yield None
    secrets = {pin.role: pin.value for pin in plan.pins}
    officer = next((pin.value for pin in plan.pins if pin.so), None)

    if officer is not None:
        yield Login(UserType.SO, officer)

    if SecretName.PIN1 in secrets:
        yield Login(UserType.USER, secrets[SecretName.PIN1])


def _record(
    order: BatchOrder,
    assignment: Assignment,
    station: Station,
    codec: PinBlobCodec,
    made: Initialised,
    sha256: str,
) -> CardRecord:
    """Return what the card tells of itself."""
    token = station.client.token(station.reader)
    iccsn = token.card_number
    expected = assignment.number or assignment.serial.hex().upper()

    if not token.initialised or token.chip_serial != assignment.serial or iccsn != expected:
        raise CardFailedError(f"the card that was to be {expected} is {iccsn}, {token.state.value}")

    serial = assignment.serial.hex().upper()
    return CardRecord(
        index=assignment.index + 1,
        serial=serial,
        iccsn=iccsn,
        label=token.label,
        state=token.state.value,
        fuse=station.client.card_state(station.reader).fuse,
        profile=token.profile_name,
        keys=tuple(_keys(made, public_keys=order.public_keys)),
        pins_for=_recipient(station, codec),
        image=image_name(serial),
        sha256=sha256,
    )


def _keys(made: Initialised, *, public_keys: bool) -> Iterator[KeyRecord]:
    for plan in made.plan.keys:
        if (spki := made.public_keys.get(plan.name)) is not None:
            fingerprint = hashlib.sha256(spki).hexdigest()
            shown = spki.hex() if public_keys else ""
            yield KeyRecord(plan.name, plan.algorithm.value, plan.size, fingerprint, shown)


def _recipient(station: Station, codec: PinBlobCodec) -> str:
    blob = station.client.encrypted_pins(station.reader)

    if blob is None:
        return ""

    try:
        return codec.recipients(blob)[0].hex()
    except PinBlobError as error:
        raise CardFailedError(str(error)) from None
