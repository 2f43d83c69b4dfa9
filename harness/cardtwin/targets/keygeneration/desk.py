"""The desk at which batches are made: empty cards, one reader, and the middleware above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin import ppa
from cardtwin.card import EmulatedCard, UnknownModelError, models
from cardtwin.card import image as images
from cardtwin.events import Defect, Event, Hub
from cardtwin.issuance.keygeneration import (
    BatchOrder,
    CardFailedError,
    GenerationBrokenError,
    OrderRefusedError,
    pre_personalise,
)
from cardtwin.middleware import Installation, MiddlewareError, PersonalDesktopClient, parse_certificate
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.provenance import Switches, UnknownSwitchError
from cardtwin.readers import ReaderManager

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.x509 import Certificate

    from cardtwin.issuance.keygeneration import Assignment, ProducedCard
    from cardtwin.pcsc import Context

__all__ = ["PersonalisationDesk", "order_for"]

_READER: Final = "Key generation"


def order_for(
    model: str, certificate: bytes, *, first_serial: bytes | None = None, **more: Any
) -> BatchOrder:
    """Return the order of a batch of emulated cards, checked.

    Args:
        model: The card model.
        certificate: The PIN encryption certificate, in PEM or DER.
        first_serial: The serial number of the first card's chip; None takes the model's.
        **more: The other members of :class:`BatchOrder`.

    Raises:
        OrderRefusedError: There is no such model or switch, no certificate, or the order contradicts itself.
    """
    try:
        serial = models.get(model).blank(serial=first_serial).serial
        Switches(more.get("switches", {}))
    except (UnknownModelError, UnknownSwitchError, ValueError) as error:
        raise OrderRefusedError(str(error)) from None

    der = _certificate(certificate).public_bytes(Encoding.DER)
    order = BatchOrder(model=model, certificate=der, first_serial=serial, **more)
    order.check()
    return order


def _certificate(data: bytes) -> Certificate:
    try:
        return parse_certificate(data)
    except ValueError:
        raise OrderRefusedError(
            "the file of the PIN encryption certificate holds no X.509 certificate"
        ) from None


class PersonalisationDesk:
    """Makes the cards of an order, each at the same reader.

    Args:
        order: The batch.
        now: The time, for the PIN encryption certificate's dates; None takes the system's.

    Raises:
        SourceError: The profile can't be read.
    """

    reader = _READER

    def __init__(self, order: BatchOrder, now: datetime | None = None) -> None:
        self.order = order
        self._profile = ppa.parse(order.profile)
        self._model = models.get(order.model)
        self._switches = Switches(order.switches)
        self._installation = Installation(parse_certificate(order.certificate))
        self._codec = CmsPinBlobCodec()
        self.now = now
        self._defect: Defect | None = None
        self._hub = Hub()
        self._hub.subscribe(self._note)
        self._manager = ReaderManager(self._hub)
        self._manager.add_reader(_READER)

    def make(self, index: int) -> ProducedCard:
        """Make the card at that place of the batch, from 0.

        Raises:
            CardFailedError: It can't be made; the message names it.
            GenerationBrokenError: A defect of the emulated card showed.
        """
        assignment = self.order.assignment(index)
        chip = EmulatedCard(
            self._model,
            image=self._model.blank(serial=assignment.serial),
            entropy=self.order.entropy(assignment, "card"),
            switches=self._switches,
            hub=self._hub,
            reader=_READER,
            fresh_keys=self.order.fresh_keys,
        )
        self._manager.insert(_READER, chip)

        try:
            with self._manager.context() as context:
                station = _Station(self._client(context, assignment), _READER, chip)
                return pre_personalise(self.order, self._profile, assignment, station, self._codec)
        except (MiddlewareError, CardFailedError) as error:
            if self._defect is not None:
                raise GenerationBrokenError.of(self._defect) from None

            place = f"card {index + 1} of {self.order.count} (serial {assignment.serial.hex().upper()})"
            raise CardFailedError(f"{place}: {error}") from None
        finally:
            self._manager.remove(_READER)

    def _client(self, context: Context, assignment: Assignment) -> PersonalDesktopClient:
        return PersonalDesktopClient(
            context,
            self._installation,
            entropy=self.order.entropy(assignment, "middleware"),
            codec=self._codec,
            switches=self._switches,
            now=None if self.now is None else self._time,
        )

    def _note(self, event: Event) -> None:
        if isinstance(event, Defect):
            self._defect = event

    def _time(self) -> datetime:
        assert self.now is not None
        return self.now


@dataclass(frozen=True, slots=True)
class _Station:
    client: PersonalDesktopClient
    reader: str
    chip: EmulatedCard

    def image(self) -> bytes:
        return images.text(self.chip.image).encode("ascii")
