"""Descriptions, jobs, and a middleware that only notes what it is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.encoding import EncryptedField, FieldMapping, Job, PlainField, Process, parse
from cardtwin.middleware import Ckr, MiddlewareError
from cardtwin.plan import Secret
from cardtwin.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.encoding import CardEraser, Description, LibraryEntry
    from cardtwin.middleware import Login, UserType
    from cardtwin.plan import SecretName

LIBRARY = "C:/Program Files (x86)/Personal/bin/personal.dll"

INIT = """
InitToken=true
ChipProfile=token.cpf
InitialPUK=PUK
PIN=PIN
"""


def description_text(settings: str, *, fields: str = "", devices: str = "8711", more: str = "") -> str:
    """Return a description with these lines in [Description], and a field for every word of `fields`."""
    declared = "\n".join(f"{name}=" for name in fields.split())
    library = "" if "library" in settings.casefold() else f"PKCS11LibraryWindows32={LIBRARY}\n"
    return (
        f"[Encoding]\nType=1024,Chip\nDevices={devices}\n\n[Fields]\n{declared}\n\n"
        f"[Description]\n{library}{settings}\n{more}"
    )


def description(settings: str, *, fields: str = "", devices: str = "8711", more: str = "") -> Description:
    """Return that description, read."""
    text = description_text(settings, fields=fields, devices=devices, more=more)
    return parse(SourceText("test.dsc", text))


def job(
    settings: str,
    values: Mapping[str, str | Secret | None],
    *,
    read: str = "",
    devices: str = "8711",
    more: str = "",
    **rest: object,
) -> Job:
    """Return a job: a str is a process variable's value, a Secret an encrypted field's, None maps nothing.

    A value that starts with ``plain:`` goes into a plain data-pool field. Fields in `read` have that flag.
    """
    mapping: dict[str, FieldMapping] = {}
    variables: dict[str, str] = {}
    pools: dict[str, PlainField | EncryptedField] = {}

    for name, value in values.items():
        reads = name in read.split()

        if isinstance(value, Secret):
            pools[f"Card_{name}"] = EncryptedField(value)
            mapping[name] = FieldMapping.of(f"${{Card_{name}}}", read=reads)
        elif value is not None and value.startswith("plain:"):
            pools[f"Card_{name}"] = PlainField(value.removeprefix("plain:"))
            mapping[name] = FieldMapping.of(f"${{Card_{name}}}", read=reads)
        elif value is not None:
            variables[f"var_{name}"] = value
            mapping[name] = FieldMapping.of(f"var_{name}", read=reads)

    return Job(
        description(settings, fields=" ".join(values), devices=devices, more=more),
        attachments=rest.pop("attachments", {"token.cpf": SourceText("token.cpf", "CreateFiles()")}),  # type: ignore[arg-type]  # each test gives what it means
        mapping=mapping,
        process=Process(variables, pools),
        **rest,  # type: ignore[arg-type]  # likewise
    )


class Token:
    """The state of a fake token."""

    def __init__(self, so_credential: str | None = "PUK") -> None:
        self.so_credential = so_credential


class FakeMiddleware:
    """Notes every call that would send a card a command in `asked`.

    Its cards are serial numbers: None is an empty reader, an empty serial number an unknown card.
    """

    def __init__(self, blob: bytes | None = None, readers: Mapping[str, bytes | None] | None = None) -> None:
        self.asked: list[str] = []
        self.opened: list[LibraryEntry] = []
        self.blob = blob
        given = {"Reader 1": bytes.fromhex("0102030405060708")} if readers is None else readers
        self.cards: dict[str, bytes | None] = dict(given)
        self.parameters: Mapping[str, bytes] = {}
        self.secrets: Mapping[SecretName, Secret] = {}
        self.label: str | None = None
        self.profile: SourceText | None = None
        self.logins: list[tuple[UserType, bytes]] = []
        self.changed: list[tuple[str, str, bytes, bytes]] = []
        self.numbers: dict[str, str] = {}
        self.serial_logins: list[Login | None] = []
        self.state = Token()
        self.has_eraser = True
        self.failure: Exception | None = None

    def __call__(self, library: LibraryEntry) -> FakeMiddleware:
        """Open the middleware, as the engine is told to."""
        self.opened.append(library)
        return self

    def _ask(self, what: str) -> None:
        self.asked.append(what)

        if self.failure is not None:
            raise self.failure

    def readers(self) -> list[str]:
        return list(self.cards)

    def atr(self, reader: str) -> bytes:
        if self.cards[reader] is None:
            raise MiddlewareError(Ckr.CKR_TOKEN_NOT_PRESENT, "no card")

        return bytes.fromhex("3B00")

    def chip_serial(self, reader: str) -> bytes:
        self._ask(f"chip serial of {reader}")
        serial = self.cards[reader]

        if not serial:
            raise MiddlewareError(Ckr.CKR_TOKEN_NOT_RECOGNIZED, "unknown card")

        return serial

    def card_number(self, reader: str) -> str:
        return self.numbers.get(reader) or self.chip_serial(reader).hex().upper()

    def change_pin(self, reader: str, old: Secret, new: Secret, *, pin: str) -> None:
        self._ask(f"change {pin} in {reader}")
        self.changed.append(("change", pin, old.reveal(), new.reveal()))

    def unblock_pin(self, reader: str, puk: Secret, new: Secret, *, pin: str) -> None:
        self._ask(f"unblock {pin} in {reader}")
        self.changed.append(("unblock", pin, puk.reveal(), new.reveal()))

    def set_serial(self, reader: str, serial: str, login: Login | None) -> None:
        self._ask(f"set serial in {reader}")
        self.numbers[reader] = serial
        self.serial_logins.append(login)

    def token(self, reader: str) -> Token:
        assert reader in self.cards
        return self.state

    def init_token(
        self,
        reader: str,
        profile: SourceText,
        *,
        parameters: Mapping[str, bytes],
        secrets: Mapping[SecretName, Secret],
        label: str | None,
    ) -> None:
        self._ask(f"init token in {reader}")
        self.profile, self.parameters, self.secrets, self.label = profile, parameters, secrets, label

    def login(self, reader: str, user: UserType, secret: Secret) -> None:
        self._ask(f"login in {reader}")
        self.logins.append((user, secret.reveal()))

    def card_eraser(self, reader: str) -> CardEraser | None:
        self._ask(f"card eraser of {reader}")
        return self if self.has_eraser else None

    def destroy(self, login: Login | None) -> None:
        self._ask("destroy")

        if login is not None:
            self.logins.append((login.user, login.secret.reveal()))

    def encrypted_pins(self, reader: str) -> bytes | None:
        self._ask(f"encrypted pins of {reader}")
        return self.blob


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """Return one and the same key for a name, within one run of the tests."""
    assert name
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate(name: str) -> x509.Certificate:
    """Return a certificate for the key of that name."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder(subject, subject, rsa_key(name).public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(rsa_key(name), SHA256())
    )
