"""The fixture ``cardtwin`` for clients that are loaded into the test's own process."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from support.hosted import TIMEOUT, environment

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


@pytest.mark.parametrize(
    "text", [PYTHON_PKCS11, PYKCS11, PYSCARD], ids=["python-pkcs11", "PyKCS11", "pyscard"]
)
def test_a_client_in_the_tests_process_uses_the_card(text: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_client.py").write_text(text)
    loaded = any(entry.value == "cardtwin.plugin" for entry in entry_points(group="pytest11"))
    plugin = () if loaded else ("-p", "cardtwin.plugin")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert result.returncode == 0, result.stdout
