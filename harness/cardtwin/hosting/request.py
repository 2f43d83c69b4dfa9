"""What is asked for: readers and cards, as plain values, which go to their process as a message."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from cardtwin.hosting.errors import CardRefusedError
from cardtwin.readers.vpcd import FIRST_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.hosting.messages import Message

__all__ = ["DEFAULT_READER", "FIRST_SLOT", "SPEEDS", "CardRequest", "HostRequest"]

DEFAULT_READER: Final = "Emulated reader"

_BELONGS_TO: Final = {
    "secrets": "profile",
    "parameters": "profile",
    "label": "profile",
    "fields": "encoding",
    "answers": "encoding",
    "attached": "encoding",
    "key_descriptors": "encoding",
    "key_properties": "encoding",
}
"""What has a meaning only beside something else."""

FIRST_SLOT: Final = f"127.0.0.1:{FIRST_PORT}"
"""Where vpcd has its first slot, as it comes."""

SPEEDS: Final = ("instant", "real")

_NOT_IN_PCSCD: Final = {
    "config": "the middleware that reads Personal.cfg is not above the card there",
    "user_config": "the middleware that reads Personal.cfg is not above the card there",
    "program": "the middleware that knows programs by name is not above the card there",
}
"""What has no meaning for a card in the system's pcscd, and why."""

_OWNERS: Final = {"profile": "a profile", "encoding": "an encoding"}
_PATHS: Final = ("image", "keep", "encoding", "key_descriptors", "key_properties")


def is_shipped(profile: str) -> bool:
    """Whether a profile is given by the name of one that is shipped: it has neither folder nor ending."""
    return Path(profile).name == profile and not Path(profile).suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRequest:
    """A card. Paths may be relative to the starter's folder.

    Attributes:
        model: The card model; None takes that of the image, or of what is kept.
        image: A saved card memory, which the card has at first; None starts it as delivered.
        factory: Whether the card starts as it leaves the factory, with neither files nor packages.
        serial: Its serial number in hex; None takes that of the image, or the model's one for all its cards.
        keep: A file that the card's memory is kept in. Where it is there already, the card goes on with what
            is in it, and nothing else is put on the card.
        profile: A card profile that is put on the card: a file, or the name of one that is shipped.
        secrets: PINs and PUKs for the profile by the name it knows them by, such as ``PIN1``.
        parameters: The profile's parameters, in hex.
        label: The token label for the profile.
        encoding: An encoding description that is run on the card.
        fields: Values of the description's fields.
        answers: What the user enters in the description's dialogs, by their numbers.
        attached: Files attached to the description, besides those that it names and that lie beside it.
        key_descriptors: Where the private keys for encrypted PINs are (engineSignEncrypt.xml).
        key_properties: Which of them are tried (system.properties).
        quirks: Oddities that are switched on.
        fresh_keys: Whether keys that it generates are new ones even where a seed is given.
        speed: `instant`, or `real` to take the time that real cards of its model take.
        faults: What goes wrong with it once it is ready, each as ``KEY=VALUE`` words.
    """

    model: str | None = None
    image: str | None = None
    factory: bool = False
    serial: str | None = None
    keep: str | None = None
    profile: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    label: str | None = None
    encoding: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    attached: tuple[str, ...] = ()
    key_descriptors: str | None = None
    key_properties: str | None = None
    quirks: tuple[str, ...] = ()
    fresh_keys: bool = False
    speed: str = "instant"
    faults: tuple[str, ...] = ()

    def check(self) -> None:
        """See that it doesn't contradict itself.

        Raises:
            CardRefusedError: It does.
        """
        if self.model is None and self.image is None and self.keep is None:
            raise CardRefusedError("which card? Give a card model, or the image of a card")

        if self.profile is not None and self.encoding is not None:
            raise CardRefusedError(
                "a profile and an encoding both make a token: give one of them. "
                "An encoding brings its profile, by ChipProfile"
            )

        if self.factory and any((self.image, self.profile, self.encoding)):
            raise CardRefusedError(
                "a card from the factory takes no profile and no encoding, and an image brings its own state"
            )

        for name, owner in _BELONGS_TO.items():
            if getattr(self, name) and getattr(self, owner) is None:
                raise CardRefusedError(
                    f"{name.replace('_', ' ')}: without {_OWNERS[owner]} that has no effect: give one, "
                    "or leave it out"
                )

        if (self.key_descriptors is None) is not (self.key_properties is None):
            raise CardRefusedError("key descriptors and key properties are given together, or neither is")

        if self.speed not in SPEEDS:
            raise CardRefusedError(f"there is no speed {self.speed!r}: there are {', '.join(SPEEDS)}")

    @property
    def makes_token(self) -> bool:
        """Whether something is put on the card."""
        return self.profile is not None or self.encoding is not None

    def located(self, folder: Path | str) -> Self:
        """Return it with its paths, which are relative to a folder, made absolute."""
        folder = Path(folder).absolute()
        given: dict[str, Any] = {
            name: str(folder / path) for name in _PATHS if (path := getattr(self, name)) is not None
        }
        attached = tuple(str(folder / path) for path in self.attached)

        if self.profile is not None and not is_shipped(self.profile):
            given["profile"] = str(folder / self.profile)

        return replace(self, attached=attached, **given)

    @classmethod
    def from_message(cls, message: object) -> Self:
        """Return what `asdict` and JSON have made a message of.

        Raises:
            CardRefusedError: The message is none of a card.
        """
        known = {each.name for each in fields(cls)}

        if not isinstance(message, dict) or not message.keys() <= known:
            raise CardRefusedError("this is no card that can be asked for")

        lists = ("attached", "quirks", "faults")
        given: dict[str, Any] = {
            key: tuple(value) if key in lists else value for key, value in message.items()
        }
        return cls(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRequest:
    """Readers, cards, and the middleware above them. :meth:`of` and :meth:`arranged` make one.

    Attributes:
        readers: The card in each reader at first, by the readers' names; None leaves the reader empty.
        cards: The cards by name, also those that are in no reader at first.
        ppa_config: iD2ppa.cfg; None takes one with a PIN encryption certificate of cardtwin's own.
        config: The system's Personal.cfg.
        user_config: The user's Personal.cfg.
        program: What all programs are called that call PKCS#11, instead of by the names of their files.
        pinpads: The readers that have a PIN pad.
        pcscd: Where vpcd has the slot (``HOST:PORT``) of the first reader, the next has the next port; None
            puts the cards into readers of cardtwin's own.
        switches: Values of switches by rule.
        seed: What all randomness comes from; None takes the system's.
        trace: The file that gets the trace.
        control: The path of the control socket; None makes one in a private folder.
    """

    readers: Mapping[str, str | None]
    cards: Mapping[str, CardRequest]
    ppa_config: str | None = None
    config: str | None = None
    user_config: str | None = None
    program: str | None = None
    pinpads: tuple[str, ...] = ()
    pcscd: str | None = None
    switches: Mapping[str, str] = field(default_factory=dict)
    seed: str | None = field(default=None, repr=False)
    trace: str | None = None
    control: str | None = None

    @classmethod
    def of(cls, card: CardRequest, *, reader: str = DEFAULT_READER, **more: Any) -> Self:
        """Return the request for one card in one reader."""
        return cls.arranged({reader: card}, **more)

    @classmethod
    def arranged(
        cls,
        readers: Mapping[str, CardRequest | str | None],
        cards: Mapping[str, CardRequest] | None = None,
        **more: Any,
    ) -> Self:
        """Return the request for these readers.

        Args:
            readers: What is in each at first: a card, the name of one among `cards`, a model, or None. A
                card that has no name is called as its reader.
            cards: Cards by name. Those in readers come first in the request, in the readers' order.
            **more: The other attributes.

        Raises:
            CardRefusedError: Two cards would have one name.
        """
        named = dict(cards or {})
        places: dict[str, str | None] = {}

        for reader, what in readers.items():
            if what is None or (isinstance(what, str) and what in named):
                places[reader] = what
            elif reader in named:
                raise CardRefusedError(
                    f"the card in {reader!r} would be called so too, but another card is: rename that one"
                )
            else:
                named[reader] = CardRequest(model=what) if isinstance(what, str) else what
                places[reader] = reader

        first = {card: named[card] for card in places.values() if card is not None}
        return cls(readers=places, cards=first | named, **more)

    def check(self) -> None:
        """See that it doesn't contradict itself.

        Raises:
            CardRefusedError: It does; where there are several cards, the message says which one.
        """
        if not self.readers:
            raise CardRefusedError("which card? Give a card model, or the image of a card")

        for name, card in self.cards.items():
            try:
                card.check()
            except CardRefusedError as error:
                raise self.blamed(name, error) from None

        if twice := next(self._twice(), None):
            raise CardRefusedError(f"the card {twice!r} can't be in two readers at once")

        if self.pcscd is not None:
            if self.pinpads:
                raise CardRefusedError("pinpad, with pcscd: vpcd's readers have no PIN pad")

            for name, reason in _NOT_IN_PCSCD.items():
                if getattr(self, name) is not None:
                    raise CardRefusedError(f"{name.replace('_', ' ')}, with pcscd: {reason}")

    def blamed(self, card: str, error: CardRefusedError) -> CardRefusedError:
        """Return an error that says which card it is about, where there are several."""
        return error if len(self.cards) == 1 else CardRefusedError(f"card {card!r}: {error}")

    def _twice(self) -> Iterator[str]:
        held = [card for card in self.readers.values() if card is not None]
        return (card for card in held if held.count(card) > 1)

    def to_message(self) -> Message:
        """Return it as a message, secrets included."""
        return asdict(self)

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Return what :meth:`to_message` has made a message of."""
        cards = {name: CardRequest.from_message(card) for name, card in message["cards"].items()}
        return cls(**{**message, "cards": cards, "pinpads": tuple(message["pinpads"])})
