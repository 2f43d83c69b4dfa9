"""Keys for encrypted PINs in SoftHSM2, through its PKCS#11 library, each in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from support.encodings import rsa_key
from support.interop import TIMEOUT, program, shared_library

if TYPE_CHECKING:
    from collections.abc import Sequence

PIN = "10297385314563206"
SCENARIOS = Path(__file__).parents[2] / "scenarios"
SCENARIO = Path(__file__).parent / "hsm.yaml"  # of no use by itself: not found as a scenario

PROGRAM = """
import sys
from cardtwin.cryptoki.constants import SlotFlag
from cardtwin.cryptoki.foreign import ForeignModule
from cardtwin.cryptoki.values import Buffer
from pathlib import Path
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cardtwin.encoding.keys import KeyConfiguration, decryption_keys, parse_key_table, parse_properties
from cardtwin.entropy import SystemEntropy
from cardtwin.plan import PinBlob, PinBlobError, Secret, SecretName, oaep
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.source import SourceError, SourceText

library, alias, pin, what, slot, *keys = sys.argv[1:]
module = ForeignModule(Path(library))
assert module.initialize().rv == 0
listed = module.call("C_GetSlotList", (True, Buffer(9))).results[0].content
infos = {each: module.call("C_GetTokenInfo", (each,)).results[0].label for each in listed}
number = slot or str(next(each for each, label in infos.items() if label == "pins"))
if what == "finalized":
    module.finalize()
text = f'''<engineSignEncrypt><descriptors>
<descriptor name="D" version="1"><type algorithm="RSA" key="K"/></descriptor></descriptors>
<keys><key name="K">
<type name="HSM" locationValue="{library}" pin="{pin}" alias="{alias}" slot="{number}"/></key></keys>
</engineSignEncrypt>'''
table = parse_key_table(SourceText("engineSignEncrypt.xml", text))
chosen = parse_properties(SourceText("system.properties", "pinBlobDecryptor.keyDescriptorNames=D"))
try:
    (key,) = decryption_keys(KeyConfiguration(table, chosen))
except SourceError as error:
    assert pin not in str(error.__cause__), "a secret"
    print("refused", error.diagnostics[0].code, error.diagnostics[0].message)
    sys.exit()
private = load_der_private_key(Path(keys[0]).read_bytes(), None)
assert key.key_id == oaep.key_identifier(private.public_key())
cek = bytes(range(32))
wrapped = oaep.encrypt(private.public_key(), cek, SystemEntropy())
assert key.unwrap(wrapped, "sha256") == cek
assert key.unwrap(wrapped, "sha256") == cek
for broken in (wrapped[:-1] + bytes((wrapped[-1] ^ 1,)), bytes(len(wrapped)), b"short"):
    try:
        key.unwrap(broken, "sha256")
    except PinBlobError as error:
        continue
    raise AssertionError("a changed cryptogram was taken")
assert pin not in repr(key)
print("opened")
"""


class Hsm:
    """A SoftHSM2 token with a key; `slot` is the number of its slot."""

    def __init__(self, folder: Path, key: RSAPrivateKey | None = None) -> None:
        key = key or rsa_key("hsm")
        (folder / "tokens").mkdir()
        (folder / "softhsm2.conf").write_text(
            f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n"
        )
        self.environment = {
            "SOFTHSM2_CONF": str(folder / "softhsm2.conf"),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        self.key = folder / "key.der"
        self.key.write_bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        pem = folder / "key.pem"
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        common = ("--label", "pins", "--pin", PIN)
        told = self._util("--init-token", "--free", *common, "--so-pin", "12345678")
        self.slot = told.split()[-1]
        self._util("--import", str(pem), "--token", *common[1:], "--label", "myOtherPinKey", "--id", "A1")

    def _util(self, *arguments: str) -> str:
        return run((program("softhsm2-util"), *arguments), self.environment)

    def open(self, alias: str = "myOtherPinKey", pin: str = PIN, what: str = "", slot: str = "") -> str:
        arguments = (shared_library("libsofthsm2.so"), alias, pin, what, slot, str(self.key))
        return run((sys.executable, "-c", PROGRAM, *arguments), self.environment)


def run(command: Sequence[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture
def hsm(tmp_path: Path) -> Hsm:
    return Hsm(tmp_path)


@pytest.mark.parametrize("what", ["", "finalized"])
def test_a_key_in_an_hsm_opens_what_was_encrypted_to_it(hsm: Hsm, what: str) -> None:
    assert hsm.open(what=what) == "opened"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"alias": "another"}, "no private keys called 'another'"),
        ({"pin": "0000"}, "CKR_PIN_INCORRECT: C_Login"),
        ({"slot": "987654"}, "CKR_SLOT_ID_INVALID: C_OpenSession"),
    ],
)
def test_what_does_not_lead_to_a_key_is_told(hsm: Hsm, arguments: dict[str, str], why: str) -> None:
    told = hsm.open(**arguments)
    assert told.startswith("refused unusable-hsm-key")
    assert why in told


def test_a_scenario_reads_encrypted_pins_with_a_key_in_an_hsm(tmp_path: Path) -> None:
    key, _, _ = pkcs12.load_key_and_certificates((SCENARIOS / "keys/pin-a.p12").read_bytes(), b"cardtwin")
    assert isinstance(key, RSAPrivateKey)
    hsm = Hsm(tmp_path, key)
    (tmp_path / "hsm.values.yaml").write_text(
        f'- {{id: softhsm, library: "{shared_library("libsofthsm2.so")}", slot: "{hsm.slot}"}}\n'
    )
    shutil.copy(SCENARIO, tmp_path / "hsm.scenario.yaml")

    for folder in ("config", "keys", "profiles"):
        shutil.copytree(SCENARIOS / folder, tmp_path / "scenarios" / folder)

    start = "from cardtwin.cli import main; main()"
    command = (sys.executable, "-c", start, "run", str(tmp_path / "hsm.scenario.yaml"))
    assert "4 passed" in run(command, hsm.environment)
