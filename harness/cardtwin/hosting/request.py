"""What card is asked for: a plain value, which goes to the card's process as a message."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Final, Self

from cardtwin.hosting.errors import CardRefusedError
from cardtwin.readers.vpcd import FIRST_PORT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.hosting.messages import Message

__all__ = ["DEFAULT_READER", "FIRST_SLOT", "SPEEDS", "CardRequest"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRequest:
    """A card in a reader, and the middleware above it. Paths may be relative to the starter's folder.

    Attributes:
        card: The card model; None takes that of the image.
        reader: The reader's name.
        image: A saved card memory, which the card has at first; None starts it as delivered.
        factory: Whether the card starts as it leaves the factory, with neither files nor packages.
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
        ppa_config: iD2ppa.cfg; None takes one with a PIN encryption certificate of cardtwin's own.
        config: The system's Personal.cfg.
        user_config: The user's Personal.cfg.
        program: What all programs are called that call PKCS#11, instead of by the names of their files.
        pinpad: Whether the reader has a PIN pad.
        pcscd: Where vpcd has a slot (``HOST:PORT``) that the card is put into; None puts it into a reader of
            cardtwin's own.
        quirks: The card's.
        speed: `instant`, or `real` to take the time that real cards of its model take.
        faults: What goes wrong with it once it is ready, each as ``KEY=VALUE`` words.
        switches: Values of switches by rule.
        seed: What all randomness comes from; None takes the system's.
        trace: The file that gets the trace.
        control: The path of the control socket; None makes one in a private folder.
    """

    card: str | None = None
    reader: str = DEFAULT_READER
    image: str | None = None
    factory: bool = False
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
    ppa_config: str | None = None
    config: str | None = None
    user_config: str | None = None
    program: str | None = None
    pinpad: bool = False
    pcscd: str | None = None
    quirks: tuple[str, ...] = ()
    speed: str = "instant"
    faults: tuple[str, ...] = ()
    switches: Mapping[str, str] = field(default_factory=dict)
    seed: str | None = field(default=None, repr=False)
    trace: str | None = None
    control: str | None = None

    def check(self) -> None:
        """See that it doesn't contradict itself.

        Raises:
            CardRefusedError: It does.
        """
        if self.card is None and self.image is None:
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

        if self.pcscd is not None:
            self._check_pcscd()

    def _check_pcscd(self) -> None:
        if self.reader != DEFAULT_READER:
            raise CardRefusedError("reader: pcscd gives its readers their names itself")

        if self.pinpad:
            raise CardRefusedError("pinpad, with pcscd: vpcd's readers have no PIN pad")

        for name, reason in _NOT_IN_PCSCD.items():
            if getattr(self, name) is not None:
                raise CardRefusedError(f"{name.replace('_', ' ')}, with pcscd: {reason}")

    def to_message(self) -> Message:
        """Return it as a message, secrets included."""
        return asdict(self)

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Return what :meth:`to_message` has made a message of."""
        request = cls(**message)
        return replace(
            request,
            attached=tuple(request.attached),
            quirks=tuple(request.quirks),
            faults=tuple(request.faults),
        )
