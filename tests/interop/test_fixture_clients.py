"""The fixture ``cardtwin`` for clients that are loaded into the test's own process."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from support.hosted import TIMEOUT, environment
from support.pcscd import WAIT, started_daemon

if TYPE_CHECKING:
    from pathlib import Path

PYTHON_PKCS11 = """\
import pkcs11


def test_sign(cardtwin):
    card = cardtwin.start("cardos-5.3", profile="full")

    with card.in_environment():
        library = pkcs11.lib(str(card.library))
        token = next(library.get_tokens())

        with token.open(user_pin=card.pin()) as session:
            key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY)
            public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY)
            assert public.verify(b"data", key.sign(b"data"))

        card.remove()
        assert list(library.get_tokens()) == []
"""
PYKCS11 = """\
import pytest
from PyKCS11 import CKF_SERIAL_SESSION, CKO_PRIVATE_KEY, CKA_CLASS, PyKCS11Error, PyKCS11Lib


def test_sign(cardtwin):
    card = cardtwin.start("cardos-5.3", profile="full")

    with card.in_environment():
        library = PyKCS11Lib()
        library.load(str(card.library))
        slot = library.getSlotList(tokenPresent=True)[0]
        session = library.openSession(slot, CKF_SERIAL_SESSION)
        session.login(card.pin())
        key = session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY)])[0]
        assert len(session.sign(key, b"data")) == 256
        card.remove()

        with pytest.raises(PyKCS11Error, match="TOKEN_NOT_PRESENT|DEVICE_REMOVED|SESSION_HANDLE_INVALID"):
            session.sign(key, b"data")

        card.insert()
        assert library.getSlotList(tokenPresent=True)
        del session
        library.unload()
"""
PYSCARD = """\
from smartcard.System import readers


def test_transmit(cardtwin):
    card = cardtwin.start("cardos-5.3", reader="My reader")

    with card.in_environment():
        (reader,) = readers()
        assert str(reader) == "My reader"
        connection = reader.createConnection()
        connection.connect()
        assert connection.transmit([0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00])[1:] == (0x90, 0x00)
        connection.disconnect()
        connection.release()
"""

SETTINGS = """\
import json
import subprocess
import sys
from pathlib import Path

import pytest

DRAWING = '''
import json
from time import monotonic
from smartcard.System import readers

connection = readers()[0].createConnection()
connection.connect()
begin = monotonic()
answers = [connection.transmit([0x00, 0x84, 0x00, 0x00, 0x08]) for _ in range(20)]
print(json.dumps([answers, monotonic() - begin]))
'''


def drawn(card):
    with card.in_environment():  # libpcsclite reads it once in a process
        told = subprocess.run([sys.executable, "-c", DRAWING], capture_output=True, check=True)
        return json.loads(told.stdout)


@pytest.mark.parametrize("turn", [1, 2])
def test_settings(cardtwin, turn):
    settings = {"speed": "real", "faults": ["do=answer sw=6F01 at=0084"], "seed": "the same"}
    (refused, *others), took = drawn(cardtwin.start("cardos-5.3", trace=f"{turn}.trace", **settings))
    assert refused == [[], 0x6F, 0x01]
    assert {tuple(sw) for _, *sw in others} == {(0x90, 0x00)}
    assert took > 0.1  # 6 ms each
    Path(f"{turn}.numbers").write_text(str(others))


def test_what_is_left():
    assert Path("1.numbers").read_text() == Path("2.numbers").read_text()
    assert "6F 01" in Path("1.trace").read_text()


def test_others_have_other_numbers(cardtwin):
    one, two = (drawn(cardtwin.start("cardos-5.3"))[0] for _ in range(2))
    assert one != two
"""
IN_PCSCD = """\
import os
import subprocess
import sys

from smartcard.System import readers


def test_pcscd(cardtwin):
    slot, wait = os.environ["SLOT"], os.environ["WAIT"]
    cardtwin.start("cardos-4.4", pcscd=slot)
    reader = readers()[0]
    subprocess.run([sys.executable, "-c", wait, str(reader), "present"], check=True, timeout=60)
    connection = reader.createConnection()
    connection.connect()
    assert bytes(connection.getATR()).hex().upper() == "3BD21802C10A31FE58C80D51"
    assert connection.transmit([0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00])[1:] == (0x90, 0x00)
    connection.disconnect()
    connection.release()
"""


@pytest.mark.parametrize(
    "text", [PYTHON_PKCS11, PYKCS11, PYSCARD], ids=["python-pkcs11", "PyKCS11", "pyscard"]
)
def test_a_client_in_the_tests_process_uses_the_card(text: str, tmp_path: Path) -> None:
    run(text, tmp_path)


def test_speed_faults_seed_and_trace_of_the_fixture_hold(tmp_path: Path) -> None:
    run(SETTINGS, tmp_path)


def test_the_fixture_s_card_is_in_the_systems_pcscd(tmp_path: Path) -> None:
    with started_daemon() as daemon:
        run(IN_PCSCD, tmp_path, SLOT=str(daemon.port), WAIT=WAIT, **daemon.environment)


def run(text: str, tmp_path: Path, **variables: str) -> None:
    """Run a suite in a process of its own; its tests pass."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_client.py").write_text(text)
    loaded = any(entry.value == "cardtwin.plugin" for entry in entry_points(group="pytest11"))
    plugin = () if loaded else ("-p", "cardtwin.plugin")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", *plugin],
        cwd=tmp_path,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert result.returncode == 0, result.stdout
