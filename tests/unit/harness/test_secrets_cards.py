"""Whatever secrets the commands of a card family carry, no trace shows them, nor what a key deciphers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from cardtwin.card import EmulatedCard, models
from cardtwin.card.crypto import RsaPrivateKey
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Hub
from cardtwin.iso7816 import CommandApdu, Tlv
from cardtwin.minidriver import MinidriverCard, answer
from cardtwin.plan import Secret
from cardtwin.readers import ReaderManager
from cardtwin.targets.issuing import issue
from cardtwin.trace import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.card import CardImage
    from cardtwin.pcsc import CardConnection

READER = "Reader 0"
PINS = {"user": "73918264", "other": "86420975", "unblocking": "95173820", "officer": "60481937"}
KEY = RsaPrivateKey.generate(SeededEntropy("an own key"), 1024)
PARTS = {
    0x92: KEY.p.to_bytes(64),
    0x93: KEY.q.to_bytes(64),
    0x94: KEY.qinv.to_bytes(64),
    0x95: KEY.dp.to_bytes(64),
    0x96: KEY.dq.to_bytes(64),
}
PLAIN = b"for the holder of the key alone"
WINDOW = 4
"""How many bytes of a secret in a row are a leak."""


@dataclass
class Wire:
    """A card in a reader, with a recorder that hears everything."""

    connection: CardConnection
    recorder: Recorder = field(default_factory=Recorder)

    def send(self, header: str, data: bytes = b"", le: int | None = None) -> bytes:
        """Send a command that succeeds, chained where it is long; return what it answers in the end."""
        cla, ins, p1, p2 = bytes.fromhex(header)
        links = [data[at : at + 200] for at in range(0, len(data), 200)] or [b""]

        for link in links[:-1]:
            assert self._sent(CommandApdu(cla | 0x10, ins, p1, p2, link))[-2:] == b"\x90\x00"

        told = self._sent(CommandApdu(cla, ins, p1, p2, links[-1], le))
        found = told[:-2]

        while told[-2] == 0x61:
            told = self._sent(CommandApdu(0x00, 0xC0, 0, 0, le=told[-1] or 256))
            found += told[:-2]

        assert told[-2:] == b"\x90\x00", (header, told.hex())
        return found

    def _sent(self, command: CommandApdu) -> bytes:
        return self.connection.transmit(command.encode())


def wire(model: str, image: CardImage | None = None) -> Wire:
    hub = Hub()
    manager = ReaderManager(hub)
    manager.add_reader(READER)
    card = EmulatedCard(models.get(model), image=image, entropy=SeededEntropy("card"), hub=hub)
    manager.insert(READER, card)
    made = Wire(manager.context().connect(READER))
    hub.subscribe(made.recorder)
    return made


def pin(name: str, length: int) -> bytes:
    return PINS[name].encode().ljust(length, b"\xff")


def cryptogram() -> bytes:
    return KEY.public.to_cryptography().encrypt(PLAIN, PKCS1v15())


def pair() -> Tlv:
    private = Tlv.constructed(0x7F48, (Tlv(tag, value) for tag, value in PARTS.items()))
    told = (Tlv(0x81, KEY.n.to_bytes(128)), Tlv(0x82, KEY.e.to_bytes(3)))
    return Tlv.constructed(0xA5, (private, Tlv.constructed(0x7F49, told)))


def virtual_smart_card() -> Recorder:
    made = wire("virtual-smart-card")
    host = MinidriverCard(made.connection, entropy=SeededEntropy("host"))
    admin, other = Secret(PARTS[0x92][:24]), Secret(PARTS[0x93][:24])
    host.initialise(Secret.of(PINS["user"]), admin)
    host.verify(Secret.of(PINS["user"]))
    container = host.import_key(KEY.to_cryptography())
    assert host.decrypt(container.index, cryptogram()) == PLAIN
    host.change_pin(Secret.of(PINS["user"]), Secret.of(PINS["other"]))
    host.unblock(answer(admin, host.challenge()), Secret.of(PINS["unblocking"]))
    host.change_admin_key(admin, other)
    return made.recorder


def authentic_2() -> Recorder:
    made = wire("authentic-2", issue("authentic-2", SeededEntropy("awp"), {"SO": PINS["officer"]}).image)
    made.send("00200004", pin("officer", 64))
    head = Tlv(0x82, b"\x38\0"), Tlv(0x83, b"\x50\x11"), Tlv(0x85, b"\0\x28"), Tlv(0x86, bytes(8))
    made.send("00E00000", Tlv.constructed(0x62, head).encode())
    code = PARTS[0x92][:16]
    made.send("00240104", b"\x03\x40" + pin("unblocking", 64))
    made.send("00240101", b"\x03\x40" + pin("user", 64) + b"\x03\x01" + code)
    made.send("00200081", pin("user", 64))
    made.send("00240001", pin("user", 64) + pin("other", 64))
    made.send("00200084", pin("unblocking", 64))
    made.send("002C0001", code + pin("user", 64))
    head = Tlv(0x82, b"\x14\0"), Tlv(0x83, b"\x30\x01"), Tlv(0x85, b"\x04\0"), Tlv(0x86, bytes(8))
    made.send("00E00000", Tlv.constructed(0x62, head).encode())

    for number, value in enumerate(PARTS.values(), 1):
        made.send(f"90D8{number:02X}04", b"\xa3\x20" + value[:32] + b"\0")
        made.send(f"80D8{number:02X}04", b"\xa3\x20" + value[32:] + b"\0")

    made.send("002241B8", bytes.fromhex("800111"))
    assert made.send("002A8086", cryptogram(), 256) == PLAIN
    return made.recorder


def authentic_3() -> Recorder:
    pins = {"PIN": PINS["user"], "PUK": PINS["unblocking"]}
    made = wire("authentic-3", issue("authentic", SeededEntropy("authentic"), pins).image)
    made.send("00A4080C", b"\x50\x15")
    made.send("00200001", pin("user", 63))
    made.send("00240001", pin("user", 63) + pin("other", 63))
    made.send("00200002", pin("unblocking", 63))
    made.send("002C0201", pin("user", 63))
    made.send("00200001", pin("user", 63))
    parameters = Tlv(0x80, b"\x08"), Tlv(0x83, b"\x05")

    for purpose in (Tlv(0x86, bytes.fromhex("0001" * 6)), pair()):
        made.send("00DB3FFF", Tlv.constructed(0xA1, (*parameters, purpose)).encode())

    made.send("002241B8", bytes.fromhex("800111830105"))
    assert made.send("002A8086", cryptogram(), 8) == PLAIN
    return made.recorder


def idclassic() -> Recorder:
    made = wire("idclassic-340")
    rules = bytes.fromhex("A10A8C087F") + bytes(7)
    values = Tlv(0x7F41, bytes((0x80, 1, 8, 0x81, 1, 4)) + Tlv(0x82, pin("user", 8)).encode())
    parameters = Tlv(0xA0, bytes.fromhex("9A0103") + rules)
    made.send("00DB3FFF", sdo(0xBF8101, parameters, values))
    made.send("00200001", pin("user", 8))
    made.send("00240001", pin("user", 8) + pin("other", 8))
    made.send("00DB3FFF", sdo(0xBF9001, Tlv(0xA0, bytes.fromhex("80020080") + rules)))

    for tag, value in PARTS.items():
        made.send("00DB3FFF", sdo(0xBF9001, Tlv.constructed(0x7F48, (Tlv(tag, value),))))

    made.send("002241B8", bytes.fromhex("80011A840101"))
    assert made.send("802A8084", cryptogram()) == PLAIN
    assert made.send("002A8086", b"\x81" + cryptogram()) == PLAIN
    return made.recorder


def sdo(tag: int, *objects: Tlv) -> bytes:
    return Tlv.constructed(0x70, (Tlv.constructed(tag, objects),)).encode()


def estonian_eid() -> Recorder:
    pins = {"PIN1": PINS["user"], "PUK": PINS["unblocking"]}
    made = wire("eid-8.1", issue("estonian-eid", SeededEntropy("eid"), pins).image)
    made.send("00200002", pin("unblocking", 12))
    made.send("002C0201", pin("other", 12))
    made.send("00200001", pin("other", 12))
    made.send("00240001", pin("other", 12) + pin("user", 12))
    return made.recorder


def idprime() -> Recorder:
    pins = {"PIN": PINS["user"], "Digital Signature PIN": PINS["other"]}
    made = wire("idprime-940", issue("idprime", SeededEntropy("idprime"), pins).image)
    user, other = (PINS[name].encode().ljust(16, b"\0") for name in ("user", "other"))
    made.send("00200011", user)
    made.send("00200083", other)
    made.send("00240011", user + other)
    return made.recorder


@pytest.mark.cardtwin_proves("RR-01")
@pytest.mark.parametrize(
    "play", [virtual_smart_card, authentic_2, authentic_3, idclassic, estonian_eid, idprime]
)
def test_no_trace_of_a_card_shows_its_secrets(play: Callable[[], Recorder]) -> None:
    text = play().text("secrets")
    told = text.replace(" ", "").upper()
    secrets = [*(value.encode() for value in PINS.values()), *PARTS.values(), KEY.d.to_bytes(128), PLAIN]
    windows = {
        secret[at : at + WINDOW].hex().upper() for secret in secrets for at in range(len(secret) - WINDOW + 1)
    }

    assert "**" in text
    assert not {window for window in windows if window in told}
    assert not [value for value in PINS.values() if value in text]
