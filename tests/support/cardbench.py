"""An emulated card on the bench: commands in hex, and the ones that most tests begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Defect, Event, Hub
from cardtwin.pcsc import Protocol

if TYPE_CHECKING:
    from cardtwin.card import CardImage, CardModel
    from cardtwin.provenance import Switches

OK = "9000"
DF_5015 = "5015"
AID = "A000000063504B43532D3135"
CARDOS = tuple(name for name in models.names() if name.startswith("cardos-"))
"""The models that run CardOS."""


class CardBench:
    """A powered card, with all its events, which holds that it shows no defect."""

    def __init__(
        self,
        model: str | CardModel = "cardos-4.4",
        *,
        image: CardImage | None = None,
        switches: Switches | None = None,
        seed: str = "bench",
    ) -> None:
        self.events: list[Event] = []
        hub = Hub()
        hub.subscribe(self.events.append)
        self.card = EmulatedCard(
            models.get(model) if isinstance(model, str) else model,
            image=image,
            entropy=SeededEntropy(seed),
            switches=switches,
            hub=hub,
            reader="bench",
        )
        self.card.power_on(Protocol.ANY)

    def send(self, command: str | bytes) -> str:
        """Return the whole response as upper-case hex; a defect of the card fails the test."""
        raw = command if isinstance(command, bytes) else bytes.fromhex(command)
        response = self.card.process(raw)
        defects = [event for event in self.events if isinstance(event, Defect)]
        assert not defects, defects[0].detail
        return response.hex().upper()

    def ok(self, command: str | bytes) -> str:
        """Return the data of a response that must be a success."""
        response = self.send(command)
        assert response.endswith(OK), f"{command!r} -> {response}"
        return response[:-4]

    def reset(self) -> None:
        """Reset the card."""
        self.card.power_on(Protocol.ANY)

    def create_df(self, file_id: str = DF_5015, access: str = "00" * 8, aid: str = AID) -> None:
        name = f"84{len(aid) // 2:02X}{aid}" if aid else ""
        self._create(f"810210008201388302{file_id}{name}850100{tlv('86', access)}")

    def create_ef(self, file_id: str, size: int = 0x100, access: str = "00" * 9, kind: str = "01") -> None:
        head = "" if len(kind) > 2 else f"8002{size:04X}"
        self._create(f"{head}{tlv('82', kind)}8302{file_id}850100{tlv('86', access)}")

    def _create(self, objects: str) -> None:
        self.ok(command("00E00000", tlv("62", objects)))

    def put_object(self, text: str) -> str:
        """Send PUT DATA OCI and return the response."""
        return self.send(command("00DA016E", text))

    def put_pin(
        self, id_: int, value: str, *, tries: int = 3, access: str = "", minimum: int = 4, consent: int = 0
    ) -> None:
        """Store a PIN with the conditions USE always, CHANGE itself, UNBLOCK never, or others."""
        access = access or f"00{id_:02X}FF"
        parameters = f"02{tries:02X}87{tries:02X}FFFF{consent:02X}{minimum:02X}"
        text = f"830200{id_:02X}{tlv('85', parameters)}{tlv('86', access)}{tlv('8F', pin(value))}"
        assert self.put_object(text) == OK

    def put_key(self, id_: int, bodies: list[str], *, algorithm: str = "0A", access: str = "00" * 7) -> None:
        """Store a private key of that many components."""
        for place, body in enumerate(bodies):
            option = "02" if place == len(bodies) - 1 else "22"
            text = f"8302{0x20 + place:02X}{id_:02X}8508{option}00{algorithm}00FFFF0000{tlv('86', access)}"
            assert self.put_object(text + tlv("8F", body)) == OK


def command(header: str, data: str = "", le: str = "") -> str:
    """Return a command with short lengths."""
    return header + (f"{len(data) // 2:02X}{data}" if data else "") + le


def extended(header: str, data: str, le: str = "") -> str:
    """Return a command with extended lengths."""
    return f"{header}00{len(data) // 2:04X}{data}{le}"


def tlv(tag: str, value: str) -> str:
    """Return tag, plain length, value."""
    return f"{tag}{len(value) // 2:02X}{value}"


def pin(value: str, length: int = 8) -> str:
    """Return a PIN in hex, filled up with 00."""
    return value.encode().ljust(length, b"\0").hex().upper()
