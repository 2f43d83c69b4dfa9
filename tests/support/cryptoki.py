"""A made-up token behind the C library: functions that show what came through, and what goes back."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from cardtwin.cryptoki.calls import Client, Registry
from cardtwin.cryptoki.constants import UNAVAILABLE_INFORMATION, Cka
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.native.build import build, compiler
from cardtwin.cryptoki.server import CryptokiServer
from cardtwin.cryptoki.structures import Info, MechanismInfo, SessionInfo, SlotInfo, TokenInfo, Version
from cardtwin.middleware import Ckr
from cardtwin.sockets import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from cardtwin.cryptoki.values import Answer, Attribute, Buffer, Mechanism, NamedValue, Query, Reading
    from cardtwin.events import Hub
    from cardtwin.plan import Secret

SLOTS = (1, 2, 17)
OBJECTS = tuple(range(100, 110))
LABEL = "Zertifikat für Ü".encode()
BOUND = 20
SANITIZED = "LD_PRELOAD" in os.environ
"""Whether this is the run under sanitizers: everything takes several times as long."""

many = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15 if SANITIZED else 60
)
"""For properties of the library: one library and one server take all the examples."""

registry = Registry()
function = registry.function


@dataclass
class Program:
    """The application of one program: keeps what its functions were called with."""

    client: Client
    seen: list[tuple[object, ...]] = field(default_factory=list)
    found: int = 0
    log: list[str] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        """Let go of whoever waits."""
        self.closed.set()

    def abandon(self) -> None:
        """Do nothing: no call of it waits for a person."""

    def notes(self, name: str, rv: Ckr) -> bool:
        """Want every call in the log."""
        return True

    def note(self, call: str, rv: Ckr, reason: str) -> None:
        """Keep the line."""
        self.log.append(f"{call} {rv.name} {reason}".rstrip())


@dataclass
class Served:
    """A server, and the programs that came to it."""

    server: CryptokiServer
    programs: list[Program]

    @property
    def program(self) -> Program:
        """The latest one."""
        return self.programs[-1]


def compiled(folder: Path, *flags: str) -> Path:
    """Compile the library."""
    return build(folder, needed_compiler(), flags)


def needed_compiler() -> tuple[str, ...]:
    """Return the C compiler; without one the test is skipped, but never where all has to be tested."""
    command = compiler()

    if command is None and os.environ.get("CI") != "true":
        pytest.skip("there is no C compiler")

    assert command is not None
    return command


@contextmanager
def served(
    *, functions: Registry = registry, hub: Hub | None = None, program: str | None = None
) -> Iterator[Served]:
    """Serve the made-up token."""
    programs: list[Program] = []

    def begin(client: Client) -> Program:
        programs.append(Program(client))
        return programs[-1]

    with private_directory() as folder:
        server = CryptokiServer(folder / "pkcs11", begin, functions=functions, hub=hub, program=program)

        with server:
            yield Served(server, programs)


@function("C_GetInfo")
def get_info(program: Program) -> Info:
    return Info(
        manufacturer_id="cardtwin",
        flags=0,
        library_description="A library whose description is too long for its field",
        library_version=Version(3, 4),
    )


@function("C_GetSlotList")
def get_slot_list(program: Program, present: bool, slots: Buffer[Sequence[int]]) -> Answer[Sequence[int]]:
    program.seen.append((present, slots.capacity))
    return slots.answer(SLOTS[:1] if present else SLOTS)


@function("C_GetSlotInfo")
def get_slot_info(program: Program, slot: int) -> SlotInfo:
    if slot not in SLOTS:
        raise CryptokiError(Ckr.CKR_SLOT_ID_INVALID)

    return SlotInfo(
        slot_description="Lesegerät " * 9,
        manufacturer_id="",
        flags=slot,
        hardware_version=Version(1, 2),
        firmware_version=Version(254, 255),
    )


@function("C_GetTokenInfo")
def get_token_info(program: Program, slot: int) -> TokenInfo:
    return TokenInfo(
        label="Main",
        manufacturer_id="m",
        model="CardOS",
        serial_number="0123456789ABCDEF",
        flags=0x40D,
        max_session_count=1,
        session_count=2,
        max_rw_session_count=3,
        rw_session_count=4,
        max_pin_len=5,
        min_pin_len=6,
        total_public_memory=UNAVAILABLE_INFORMATION,
        free_public_memory=8,
        total_private_memory=9,
        free_private_memory=10,
        hardware_version=Version(11, 12),
        firmware_version=Version(13, 14),
    )


@function("C_GetMechanismList")
def get_mechanism_list(
    program: Program, slot: int, mechanisms: Buffer[Sequence[int]]
) -> Answer[Sequence[int]]:
    return mechanisms.answer(())


@function("C_GetMechanismInfo")
def get_mechanism_info(program: Program, slot: int, kind: int) -> MechanismInfo:
    return MechanismInfo(min_key_size=slot, max_key_size=kind, flags=7)


@function("C_GetSessionInfo")
def get_session_info(program: Program, session: int) -> SessionInfo:
    return SessionInfo(slot_id=1, state=2, flags=4, device_error=session)


@function("C_OpenSession")
def open_session(program: Program, slot: int, flags: int) -> int:
    program.seen.append((slot, flags))
    return len(program.seen)


@function("C_Login")
def login(program: Program, session: int, user: int, pin: Secret | None) -> None:
    program.seen.append((session, user, None if pin is None else pin.reveal()))


@function("C_InitToken")
def init_token(program: Program, slot: int, pin: Secret | None, label: bytes) -> None:
    program.seen.append((slot, None if pin is None else pin.reveal(), label))


@function("C_SetPIN")
def set_pin(program: Program, session: int, old: Secret | None, new: Secret | None) -> None:
    program.seen.append(tuple(None if pin is None else pin.reveal() for pin in (old, new)))


@function("C_CreateObject")
def create_object(program: Program, session: int, template: tuple[Attribute, ...]) -> int:
    program.seen.append(template)
    return len(template)


@function("C_GetAttributeValue")
def get_attribute_value(program: Program, session: int, key: int, wanted: tuple[Query, ...]) -> list[Reading]:
    values = {Cka.CKA_LABEL: LABEL, Cka.CKA_ID: b"", Cka.CKA_MODULUS: bytes(range(256))}
    return [
        query.answer(values[Cka(query.type)])
        if query.type in values
        else query.unavailable(
            Ckr.CKR_ATTRIBUTE_SENSITIVE
            if query.type == Cka.CKA_PRIVATE_EXPONENT
            else Ckr.CKR_ATTRIBUTE_TYPE_INVALID
        )
        for query in wanted
    ]


@function("C_FindObjectsInit")
def find_objects_init(program: Program, session: int, template: tuple[Attribute, ...]) -> None:
    program.found = 0
    program.seen.append(template)


@function("C_FindObjects")
def find_objects(program: Program, session: int, most: int) -> tuple[int, ...]:
    handles = OBJECTS[program.found :][:most]
    program.found += len(handles)
    return handles


@function("C_EncryptInit")
def encrypt_init(program: Program, session: int, mechanism: Mechanism, key: int) -> None:
    program.seen.append((mechanism, key))


@function("C_Sign")
def sign(program: Program, session: int, data: bytes, signature: Buffer[bytes]) -> Answer[bytes]:
    """Answer the data itself, backwards."""
    early = signature.without_room(len(data))

    if early is not None:
        return early

    program.seen.append((session, data))
    return signature.answer(data[::-1])


@function("C_Verify")
def verify(program: Program, session: int, data: bytes, signature: bytes) -> None:
    program.seen.append((data, signature))

    if data[::-1] != signature:
        raise CryptokiError(Ckr.CKR_SIGNATURE_INVALID)


@function("C_GenerateKeyPair")
def generate_key_pair(
    program: Program,
    session: int,
    mechanism: Mechanism,
    public: tuple[Attribute, ...],
    private: tuple[Attribute, ...],
) -> tuple[int, int]:
    program.seen.append((mechanism, public, private))
    return 71, 72


@function("C_SeedRandom")
def seed_random(program: Program, session: int, seed: bytes) -> None:
    message = "a bug"
    raise RuntimeError(message)


@function("C_GenerateRandom")
def generate_random(program: Program, session: int, length: int) -> bytes:
    return bytes(each % 251 for each in range(length))


@function("C_WaitForSlotEvent", alone=False)
def wait_for_slot_event(program: Program, flags: int) -> int:
    if flags & 1:
        raise CryptokiError(Ckr.CKR_NO_EVENT)

    program.waiting.set()

    if program.closed.wait(BOUND):
        raise CryptokiError(Ckr.CKR_CRYPTOKI_NOT_INITIALIZED)

    return 1


@function("cardtwin_InitTokenPPA")
def init_token_ppa(
    program: Program,
    slot: int,
    profile: bytes,
    parameters: tuple[NamedValue, ...],
    secrets: tuple[NamedValue, ...],
    label: bytes,
) -> None:
    program.seen.append((profile, parameters, secrets, label))


def with_function(name: str, run: Callable[..., object], *, alone: bool = True) -> Registry:
    """Return a registry that has that function alone."""
    functions = Registry()
    functions.function(name, alone=alone)(run)
    return functions
