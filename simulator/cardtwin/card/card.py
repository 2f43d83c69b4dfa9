"""The emulated card: the contact side of one chip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card import cos
from cardtwin.card.chip import Chip
from cardtwin.card.commands import ANY, transmission
from cardtwin.card.errors import ImageError, Refusal
from cardtwin.events import Defect, Hub
from cardtwin.iso7816 import ApduFormatError, CommandApdu, StatusWord
from cardtwin.pcsc import CardMuteError, Protocol, ProtocolMismatchError
from cardtwin.provenance import Switches

if TYPE_CHECKING:
    from cardtwin.card.chip import CardModel
    from cardtwin.card.memory import CardImage
    from cardtwin.entropy import Entropy

__all__ = ["EmulatedCard"]

_WRONG_LENGTH: Final = StatusWord.WRONG_LENGTH.to_bytes(2)
_NO_DIAGNOSIS: Final = StatusWord.NO_PRECISE_DIAGNOSIS.to_bytes(2)


class EmulatedCard:
    """A card of a model, in software. It has the shape of :class:`cardtwin.pcsc.Card`.

    It does no input or output, reads no clock and starts no thread; whoever shares it takes care that one
    command comes after the other.
    """

    def __init__(
        self,
        model: CardModel,
        *,
        image: CardImage | None = None,
        entropy: Entropy,
        switches: Switches | None = None,
        hub: Hub | None = None,
        reader: str = "",
        fresh_keys: bool = False,
    ) -> None:
        """Make a card, without power.

        Args:
            model: What card it is.
            image: Its memory; without one, the card is as delivered.
            entropy: Where its random numbers come from.
            switches: Which of several possible behaviours holds.
            hub: Who is told of changes and defects.
            reader: The reader's name, for events.
            fresh_keys: Search for RSA keys also where the entropy is seeded, and take none of the pool.

        Raises:
            ImageError: The image is another model's, or doesn't fit into the card.
            UnknownSystemError: The catalogue has no card system of the name that the model gives.
        """
        self._hub = hub or Hub()
        self._system = cos.get(model.system)
        self._powered = False
        self._chip = Chip(
            model,
            self._system.dialect,
            _of_model(image or model.blank(), model),
            entropy,
            switches or Switches(),
            hub=self._hub,
            reader=reader,
            fresh_keys=fresh_keys,
        )
        self._routes = self._system.routes(self._chip.image.life_cycle)

    @property
    def model(self) -> CardModel:
        """What card it is."""
        return self._chip.model

    @property
    def reader(self) -> str:
        """The reader that the card is in, as events name it; whoever puts it into another one says so."""
        return self._chip.reader

    @reader.setter
    def reader(self, name: str) -> None:
        self._chip.reader = name

    @property
    def image(self) -> CardImage:
        """The whole non-volatile memory, with the secrets in it."""
        return self._chip.image

    @property
    def protocol(self) -> Protocol:
        """The one that the model speaks while the card has power, else UNDEFINED."""
        return self._chip.model.protocol if self._powered else Protocol.UNDEFINED

    def load(self, image: CardImage) -> None:
        """Put another memory into the card. What it knew only since its last reset is lost.

        Raises:
            ImageError: The image is another model's, or doesn't fit into the card.
        """
        self._chip.image = _of_model(image, self._chip.model)
        self._reset()

    def cut_power_after(self, writes: int | None) -> None:
        """Let only so many more writes reach the memory: the next one finds no power, and the card is mute.

        Args:
            writes: How many; None takes an earlier call back.
        """
        self._chip.cut_power_after(writes)

    def power_on(self, protocol: Protocol) -> bytes:
        """Power or reset the card and return its ATR.

        Raises:
            ProtocolMismatchError: The reader doesn't speak the card's protocol.
        """
        if not protocol & self._chip.model.protocol:
            raise ProtocolMismatchError(self.reader)

        self._reset()
        self._powered = True
        return self._chip.image.atr

    def power_off(self) -> None:
        """Take the power away."""
        self._reset()
        self._powered = False

    def _reset(self) -> None:
        self._chip.forget()
        self._routes = self._system.routes(self._chip.image.life_cycle)

    def process(self, command: bytes) -> bytes:  # noqa: C901  # every call on the way would be paid for
        """Take one command APDU and return one response APDU. Any byte string is answered.

        Raises:
            CardMuteError: The card has no power, or lost it while it wrote.
        """
        if not self._powered:
            raise CardMuteError(self.reader, "the card has no power")

        chip = self._chip

        try:
            apdu = CommandApdu.parse(command)
            route = self._routes.get(apdu.cla << 8 | apdu.ins)
            session = chip.session

            if route is None or apdu.extended or session.chain is not None or session.rest:
                form, apdu = transmission.unusual(chip, self._routes, apdu)
            else:
                found = route.get(apdu.p1 << 8 | apdu.p2) or route.get(ANY)

                if found is None:
                    return StatusWord.INCORRECT_P1_P2.to_bytes(2)

                form = found

            data, status, writes = form.handler(chip, apdu)

            if writes:
                chip.commit(*writes)
                self._routes = self._system.routes(chip.image.life_cycle)

            if len(data) > (apdu.le or 0):
                return transmission.shortened(chip, apdu, data, status)

            return data + status.to_bytes(2)
        except Refusal as refusal:
            return refusal.status.to_bytes(2)
        except ApduFormatError:
            chip.session.chain = None
            return _WRONG_LENGTH
        except CardMuteError:
            self.power_off()
            raise
        except Exception as error:  # noqa: BLE001  # a card answers; the scenario hears of it by the event
            self._report(command, error)
            return _NO_DIAGNOSIS
        finally:
            # Two empty ones are the rule, and seen to be so in no time.
            if (chip.session.passed or chip.told) and chip.session.passed != chip.told:
                chip.tell_status()

    def _report(self, command: bytes, error: Exception) -> None:
        where = f"{self.model.name}, command {command[:4].hex(' ').upper()}"
        self._hub.emit(Defect.of(where, error))


def _of_model(image: CardImage, model: CardModel) -> CardImage:
    if image.model != model.name:
        raise ImageError(f"the image is that of a {image.model!r}, the card is a {model.name!r}")

    if len(image.serial) != len(model.serial):
        wanted, found = len(model.serial), len(image.serial)
        raise ImageError(f"the serial number of a {model.name} has {wanted} bytes, the image's has {found}")

    if image.used > model.memory:
        raise ImageError(f"the image takes {image.used} bytes, a {model.name} has {model.memory}")

    return image
