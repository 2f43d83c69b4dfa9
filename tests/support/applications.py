"""An office that runs the applications of an encoding on a card."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.cryptoki.constants import Cka, Cko
from cardtwin.cryptoki.values import Attribute
from cardtwin.encoding import Engine, ServerSide
from cardtwin.entropy import SeededEntropy
from cardtwin.issuance import LocalAuthority, TokenRegister
from cardtwin.middleware import Installation, PersonalDesktopClient
from cardtwin.middleware.configuration import load
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.source import Diagnostics, SourceText
from cardtwin.targets.programs import EmulatedProgram
from support.encodings import certificate, job
from support.programs import MAIN, PIN, PROFILES, PUK, SIGN_PIN, Desk, Program

if TYPE_CHECKING:
    from cardtwin.encoding import Job, LibraryEntry, Outcome
    from cardtwin.plan import Secret

MODELS = ("cardos-4.4", "cardos-5.3", "cosmo-8.2")
CRITERIA = 'ObjectCriteria=CKO_PUBLIC_KEY,CKA_LABEL,string,"Digital Signature"\n'
VALUES: dict[str, str | Secret | None] = {
    "PIN": PIN,
    "SIGN": SIGN_PIN,
    "PUK": PUK,
    "SERIAL": "4711",
    "PW": "secret",
}
LOGIN = "PIN=PIN\nSignPIN=SIGN\n"
P10 = f"[Application_A]\nCertTempl=Sign\nCardSerialNumberField=SERIAL\n{CRITERIA}"


class Office:
    """A desk with an encoded card, an engine, and an authority behind it."""

    def __init__(self, model: str = "cardos-5.3", config: str = "", *, blank: bool = False) -> None:
        self.desk = Desk(model, blank=blank)
        self.authority = LocalAuthority(entropy=SeededEntropy("ca"), serials=lambda: "900001")
        self.tokens = TokenRegister()
        settings = load(SourceText("Personal.cfg", config), None, "java.exe", Diagnostics())
        self.settings = settings
        self.engine = Engine(
            self.client,
            programs=self.program_of,
            server=ServerSide(self.authority, self.tokens),
        )

    def client(self, library: LibraryEntry | None = None) -> PersonalDesktopClient:
        del library
        return PersonalDesktopClient(
            self.desk.manager.context(),
            Installation(certificate("pins")),
            entropy=SeededEntropy("middleware"),
            codec=CmsPinBlobCodec(),
            configuration=self.settings,
        )

    def program_of(self, library: LibraryEntry | None = None) -> EmulatedProgram:
        del library
        return EmulatedProgram(
            lambda: self.desk.program(configuration=self.settings).application, self.desk.hub, "java.exe"
        )

    def run(self, settings: str, more: str, values: dict[str, str | Secret | None] | None = None) -> Outcome:
        return self.engine.run(self.job(settings, more, values))

    def job(self, settings: str, more: str, values: dict[str, str | Secret | None] | None = None) -> Job:
        known = {**VALUES, **(values or {})}
        profile = SourceText("token.cpf", _profile(self.desk.model.name))
        return job(settings, known, read=" ".join(known), more=more, attachments={"token.cpf": profile})

    def look(self) -> Program:
        program = self.desk.program()
        program.slots()
        return program


def _profile(model: str) -> str:
    return (PROFILES / f"{model}-full.cpf").read_text()


def certificates(program: Program, slot: int = MAIN) -> list[x509.Certificate]:
    session = program.session(slot=slot)
    handles = program.find(session, Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE)))
    return [x509.load_der_x509_certificate(program.read(session, each, Cka.CKA_VALUE)) for each in handles]


def private_key(program: Program, session: int, found: x509.Certificate) -> int:
    """Return the private key on the token that has the CKA_ID of a certificate."""
    der = found.public_bytes(Encoding.DER)
    (handle,) = program.find(session, Attribute(Cka.CKA_VALUE, der))
    identifier = program.read(session, handle, Cka.CKA_ID)
    of_class = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY))
    (key,) = program.find(session, of_class, Attribute(Cka.CKA_ID, identifier))
    return key


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
