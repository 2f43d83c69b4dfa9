"""Tokens for tests of the middleware: a profile by its parts, a desk with a card, a way to it that fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cardtwin.card import CardView, EmulatedCard, models
from cardtwin.card.memory import Ef
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Event, Exchange, Hub
from cardtwin.middleware import Installation, PersonalDesktopClient
from cardtwin.pcsc import CardConnection, CardRemovedError, Context, Disposition, Protocol, ShareMode
from cardtwin.plan import Secret
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.readers import ReaderManager
from cardtwin.source import SourceText
from support.profiles import certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from cardtwin.card import CardImage
    from cardtwin.pcsc import ReaderState
    from cardtwin.plan import Plan
    from cardtwin.provenance import Switches

READER = "Reader 1"
AID = "aid=0x{A0 00 00 00 63 50 4B 43 53 2D 31 35}"
MODELS = ("cardos-4.4", "cardos-5.3")
FAMILIES = (*MODELS, "cosmo-8.2", "idclassic-340")
"""One model of every family that has a driver."""

OPENSC_FAMILIES = (*MODELS, "cosmo-8.2")
"""One model of every family whose encoded cards OpenSC reads by PKCS#15."""

CARD_MODEL = {
    "cardos-4.4": "SIEMENS44",
    "cardos-5.3": "SIEMENS50",
    "cosmo-7": "X_COSMO",
    "cosmo-8.2": "X_COSMO",
    "idclassic-340": "X_GEMALTO",
}
PIN1, PUK, PIN2, PUK2, OP = (Secret.of(text) for text in ("1111", "11112222", "3333", "33334444", "55556666"))

# INS of commands that read, select or speak about credentials; everything else may change files or the phase.
_READING = {0xA4, 0xCA, 0xB0, 0xB2, 0x16, 0xEA}


def profile_text(
    model: str = "cardos-4.4",
    *,
    eraseable: bool = False,
    burn: bool = False,
    operator: bool = True,
    so: str = "PUK",
    keys: str = "",
    files: str = "",
) -> str:
    """Return a small profile: PINs with their PUKs, an AODF, and what is added."""
    pins = [
        "X_Pin PIN1 reference=1 label='PIN' min=4 max=8 tries=3 unblocked_by=PUK",
        f"X_Pin PUK reference=2 label='PUK' min=4 max=8 tries=5 so={'yes' if so == 'PUK' else 'no'}",
        "X_Pin PIN2 reference=3 label='Signature PIN' min=4 max=8 tries=3 unblocked_by=PUK2 slot=signature",
        "X_Pin PUK2 reference=4 label='Signature PUK' min=4 max=8 tries=5",
    ]
    secrets = {"PIN1": PIN1, "PUK": PUK, "PIN2": PIN2, "PUK2": PUK2}

    if operator:
        secrets["OP"] = OP
        pins.append(f"X_Pin OP reference=5 label='Operator' tries=4 so={'yes' if so == 'OP' else 'no'}")

    lines = [
        "MakeCardEraseable()" if eraseable else "",
        f"CardModel '{CARD_MODEL[model]}'",
        *(f"SEC_{name} = '{secret.reveal().decode()}'" for name, secret in secrets.items()),
        *pins,
        "MasterFile",
        "CreateDf DF id=0x5015 maxsize=4000 update=puk create=puk " + AID,
        "CreateEf EFODF id=0x5031 maxsize=64 read=always update=puk",
        "CreateEf EFTOKENINFO id=0x5032 maxsize=auto read=always update=puk",
        "CreateEf EFAODF id=0x4481 maxsize=auto read=always update=puk",
        files.partition("---")[0],
        "EndDF",
        "Endfile",
        "X_Token label='Badge' manufacturer='cardtwin'",
        keys,
        "File Dynamic EFODF\ndata = X_ODF()\nEndfile",
        "File Dynamic EFTOKENINFO\ndata = X_TOKENINFO()\nEndfile",
        "File Dynamic EFAODF\ndata = X_AODF()\nEndfile",
        files.partition("---")[2],
        "CreateFiles()",
        "BurnFuse()" if burn else "",
    ]
    return "\n".join(lines)


def key_line(*more: str, reference: int = 3, size: int = 2048) -> str:
    """Return the statement of a key that PIN1 guards."""
    rest = " ".join(more)
    return f"X_Key K reference={reference} directory=DF size={size} access=pin1 label='Key' {rest}"


class TokenDesk:
    """A reader with a card, and a client above it."""

    def __init__(
        self,
        model: str = "cardos-4.4",
        *,
        image: CardImage | None = None,
        installation: Installation | None = None,
        switches: Switches | None = None,
        wrap: Callable[[Context], Context] = lambda context: context,
    ) -> None:
        self.model = models.get(model)
        self.commands: list[bytes] = []
        hub = Hub()
        hub.subscribe(self._note)
        self.manager = ReaderManager(hub)
        self.manager.add_reader(READER)
        self.card = EmulatedCard(
            self.model, image=image, entropy=SeededEntropy("token card"), hub=hub, reader=READER
        )
        self.manager.insert(READER, self.card)
        self.context = self.manager.context()
        self.client = PersonalDesktopClient(
            wrap(self.context),
            installation or Installation(certificate()),
            entropy=SeededEntropy("token middleware"),
            codec=CmsPinBlobCodec(),
            switches=switches,
        )

    def _note(self, event: Event) -> None:
        if isinstance(event, Exchange):
            self.commands.append(event.command)

    @property
    def view(self) -> CardView:
        return CardView(self.card.image)

    @property
    def blank(self) -> CardImage:
        return self.model.blank()

    @property
    def changing(self) -> list[bytes]:
        """The commands that may change the card, so far."""
        return [command for command in self.commands if command[1] not in _READING]

    def init(self, text: str = "", **parts: Any) -> Plan:
        source = SourceText("test.cpf", text or profile_text(self.model.name, **parts))
        return self.client.init_token(READER, source)

    def tries(self, reference: int) -> int:
        return self.view.pins["3F00", reference].tries_left


def write(desk: TokenDesk, path: str, content: bytes) -> None:
    """Put other contents into a file of the card, as another program could."""
    files = dict(desk.card.image.files)
    key = bytes.fromhex(path.replace("/", ""))
    file = files[key]
    assert isinstance(file, Ef)
    files[key] = replace(file, content=content.ljust(file.size, b"\0")[: file.size])
    desk.card.load(replace(desk.card.image, files=files))


class FailingContext(Context):
    """A context whose connections lose the card at one command; the next connection works again."""

    def __init__(self, inner: Context, place: int, *, executed: bool) -> None:
        self._inner = inner
        self.place = place
        self.executed = executed

    def readers(self) -> tuple[str, ...]:
        return self._inner.readers()

    def state(self, reader: str) -> ReaderState:
        return self._inner.state(reader)

    def wait(self, states: Sequence[ReaderState], timeout: float | None) -> tuple[ReaderState, ...]:
        return self._inner.wait(states, timeout)

    def cancel(self) -> None:
        self._inner.cancel()

    def connect(
        self, reader: str, *, share: ShareMode = ShareMode.SHARED, protocol: Protocol = Protocol.ANY
    ) -> CardConnection:
        return _FailingConnection(self._inner.connect(reader, share=share, protocol=protocol), self)

    def release(self) -> None:
        self._inner.release()


class _FailingConnection(CardConnection):
    def __init__(self, inner: CardConnection, context: FailingContext) -> None:
        self._inner = inner
        self._context = context
        self._dead = False

    @property
    def reader(self) -> str:
        return self._inner.reader

    @property
    def atr(self) -> bytes:
        return self._inner.atr

    @property
    def protocol(self) -> Protocol:
        return self._inner.protocol

    @property
    def max_command_data(self) -> int:
        return self._inner.max_command_data

    def transmit(self, command: bytes) -> bytes:
        context = self._context
        context.place -= 1

        if context.place == -1:
            self._dead = True

            if context.executed:
                self._inner.transmit(command)

        if self._dead:
            raise CardRemovedError(self.reader)

        return self._inner.transmit(command)

    def transaction(self, disposition: Disposition = Disposition.LEAVE) -> AbstractContextManager[None]:
        return self._inner.transaction(disposition)

    def reconnect(
        self,
        disposition: Disposition = Disposition.LEAVE,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> None:
        self._inner.reconnect(disposition, share=share, protocol=protocol)

    def disconnect(self, disposition: Disposition = Disposition.LEAVE) -> None:
        self._inner.disconnect(disposition)
