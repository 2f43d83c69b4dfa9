"""Programs that call PKCS#11 in process, above emulated cards."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cardtwin.cryptoki.api  # noqa: F401  # enters the functions in the registry
from cardtwin.card import CardView, EmulatedCard, models
from cardtwin.card.memory import Ef
from cardtwin.card.memory.access import EfOperation
from cardtwin.cryptoki.application import Application
from cardtwin.cryptoki.calls import registry
from cardtwin.cryptoki.constants import Cka, Cko, Cku, SessionFlag
from cardtwin.cryptoki.dispatch import Caller
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism, Query
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Event, Exchange, Hub
from cardtwin.middleware import Ckr, Installation, PersonalDesktopClient
from cardtwin.middleware.configuration import load
from cardtwin.plan import Secret, SecretName
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.ppa.shipped import shipped_profile
from cardtwin.readers import PinEntry, PinPad, ReaderManager
from cardtwin.source import Diagnostics, SourceText
from support.profiles import certificate
from support.tokens import READER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cardtwin.card import CardImage
    from cardtwin.middleware.configuration import ClientConfiguration
    from cardtwin.provenance import Switches

PROFILES = Path(__file__).parents[2] / "profiles"
PIN, PUK, SIGN_PIN, OPERATOR = (Secret.of(text) for text in ("1234", "12345678", "4321", "87654321"))
WRONG = Secret.of("9999")
RO = SessionFlag.CKF_SERIAL_SESSION
RW = RO | SessionFlag.CKF_RW_SESSION
MAIN, SIGNATURE = 1, 2
READING = {0xA4, 0xB0, 0xB2, 0xCA, 0x16, 0x22}
"""INS of commands that change nothing which stays."""


@cache
def encoded(model: str, profile: str = "") -> CardImage:
    """Return the image of a card with a profile, its PINs known: the shipped full one, or that text."""
    card = EmulatedCard(models.get(model), entropy=SeededEntropy("encoded card"))
    manager = ReaderManager()
    manager.add_reader(READER)
    manager.insert(READER, card)
    source = profile or shipped_profile(model, "full").read_text()
    client = PersonalDesktopClient(
        manager.context(),
        Installation(certificate()),
        entropy=SeededEntropy("encoded middleware"),
        codec=CmsPinBlobCodec(),
    )
    secrets = {
        SecretName.PIN1: PIN,
        SecretName.PUK: PUK,
        SecretName.PIN2: SIGN_PIN,
        SecretName.OP: OPERATOR,
    }
    client.init_token(READER, SourceText("full.cpf", source), secrets={} if profile else secrets)
    manager.remove(READER)
    return card.image


def configured(*lines: str) -> ClientConfiguration:
    """Return what a Personal.cfg of these lines amounts to."""
    diagnostics = Diagnostics()
    found = load(SourceText("Personal.cfg", "\n".join(lines)), None, "program", diagnostics)
    assert not diagnostics.errors
    return found


LOGOUT_AFTER_SIGN = configured("[CSP_PKCS11]", "P11_LogoutAfterSign=1")
KEPT_PIN = configured("[CSP_PKCS11]", "P11_EnableCachePIN=1")


class Program:
    """A program that has called C_Initialize. `program("C_Login", ...)` returns the results, or fails."""

    def __init__(
        self,
        manager: ReaderManager,
        hub: Hub,
        *,
        configuration: ClientConfiguration | None = None,
        switches: Switches | None = None,
        now: Callable[[], datetime] | None = None,
        log_folder: Path | None = None,
    ) -> None:
        self.application = Application(
            manager.context(),
            Installation(certificate(), log_folder=log_folder),
            codec=CmsPinBlobCodec(),
            entropy=SeededEntropy("program"),
            configuration=configuration,
            switches=switches,
            now=now,
            hub=hub,
        )
        self._caller = Caller(self.application, registry, hub, self.application.settings.program)

    def ask(self, name: str, *arguments: object) -> tuple[Ckr, tuple[Any, ...]]:
        """Call a function and return its return value and results."""
        outcome = self._caller.call(name, arguments)
        return outcome.rv, outcome.results

    def rv(self, name: str, *arguments: object) -> Ckr:
        """Call a function and return its return value."""
        return self.ask(name, *arguments)[0]

    def __call__(self, name: str, *arguments: object) -> Any:
        """Call a function that succeeds and return its result, or results."""
        rv, results = self.ask(name, *arguments)
        assert rv is Ckr.CKR_OK, f"{name}: {rv.name}"
        return results[0] if len(results) == 1 else results

    def close(self) -> None:
        self._caller.close()

    # What tests say often

    def slots(self, *, present: bool = False) -> list[int]:
        found: list[int] = list(self("C_GetSlotList", present, Buffer(50)).content)
        return found

    def session(self, flags: int = RW, slot: int = MAIN) -> int:
        found: int = self("C_OpenSession", slot, int(flags))
        return found

    def user_session(self, flags: int = RW, slot: int = MAIN) -> int:
        session = self.session(flags, slot)
        self("C_Login", session, Cku.CKU_USER, PIN if slot == MAIN else SIGN_PIN)
        return session

    def find(self, session: int, *template: Attribute) -> list[int]:
        self("C_FindObjectsInit", session, template)
        found = list(self("C_FindObjects", session, 100))
        self("C_FindObjectsFinal", session)
        return found

    def key(self, session: int, label: str = "Digital Signature", kind: Cko = Cko.CKO_PRIVATE_KEY) -> int:
        found = self.find(session, Attribute.of(Cka.CKA_CLASS, int(kind)), Attribute.of(Cka.CKA_LABEL, label))
        assert len(found) == 1
        return found[0]

    def read(self, session: int, handle: int, kind: Cka) -> bytes:
        (reading,) = self("C_GetAttributeValue", session, handle, (Query(kind, 1 << 16),))
        value: bytes = reading.value
        return value

    def sign(self, session: int, key: int, mechanism: Mechanism, data: bytes) -> bytes:
        self("C_SignInit", session, mechanism, key)
        signature: bytes = self("C_Sign", session, data, Buffer(1024)).content
        return signature


class Desk:
    """Readers with encoded cards, and programs above them."""

    def __init__(
        self,
        model: str = "cardos-5.3",
        *,
        image: CardImage | None = None,
        blank: bool = False,
        pinpad: bool = False,
    ) -> None:
        self.model = models.get(model)
        self.hub = Hub()
        self.commands: list[bytes] = []
        self.events: list[Event] = []
        self.hub.subscribe(self._note)
        self.manager = ReaderManager(self.hub)
        self.manager.add_reader(READER, pinpad=PinPad() if pinpad else None)
        self.card = self.new_card(None if blank else image or encoded(model))
        self.manager.insert(READER, self.card)

    def new_card(self, image: CardImage | None) -> EmulatedCard:
        return EmulatedCard(
            self.model, image=image, entropy=SeededEntropy("desk card"), hub=self.hub, reader=READER
        )

    def _note(self, event: Event) -> None:
        self.events.append(event)

        if isinstance(event, Exchange):
            self.commands.append(event.command)

    def program(self, **settings: Any) -> Program:
        return Program(self.manager, self.hub, **settings)

    def enter(self, *texts: str) -> None:
        """Enter something at the reader's PIN pad, one thing for each prompt."""
        self.manager.enter(READER, [PinEntry.parse(text) for text in texts])

    def write(self, path: str, content: bytes) -> None:
        """Put other contents into a file of the card, as another program could."""
        self._change(path, lambda file: replace(file, content=content.ljust(file.size, b"\0")))

    def guard(self, path: str, reference: int) -> None:
        """Have a file of the card be read by those alone who have verified a PIN."""

        def guarded(file: Ef) -> Ef:
            access = bytearray(file.access)
            access[EfOperation.READ] = reference
            return replace(file, access=bytes(access))

        self._change(path, guarded)

    def _change(self, path: str, change: Callable[[Ef], Ef]) -> None:
        image = self.card.image
        key = bytes.fromhex(path.replace("/", ""))
        file = image.files[key]
        assert isinstance(file, Ef)
        self.card.load(replace(image, files={**image.files, key: change(file)}))

    def tries(self, reference: int) -> int:
        return CardView(self.card.image).pins["3F00", reference].tries_left


def refusing(desk: Desk, place: int) -> None:
    """Have the card refuse one command, counted from now, with 6581."""
    process, places = desk.card.process, count()

    def once(command: bytes) -> bytes:
        return bytes.fromhex("6581") if next(places) == place else process(command)

    desk.card.process = once  # type: ignore[method-assign]  # this card alone is out of order
