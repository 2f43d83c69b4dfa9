"""Python's two packages for PKCS#11 above our library: python-pkcs11 and PyKCS11."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from cardtwin.cryptoki.constants import Ckk
from cardtwin.cryptoki.mechanisms import MECHANISMS
from support.interop import TIMEOUT
from support.opinions import CURVE_PIN, CURVES, curve_card, data_for, is_right, short_name, signing
from support.pkcs11_tool import PIN, SIGN_PIN
from support.rig import READER, Rig, opened_rig
from support.signers import HASHES
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.opinions import PublicKey

SUPPORT = Path(__file__).parent.parent / "support"
PACKAGES = ("python_pkcs11", "pykcs11")


@dataclass
class Client:
    """Programs above one of the packages, each in a process of its own."""

    rig: Rig
    package: str
    bits: int = 2048

    def __call__(self, name: str, *arguments: str) -> Any:
        """Run a program and return what it has to say."""
        programs = str(SUPPORT / f"{self.package}_programs.py")
        return json.loads(self.rig.run(sys.executable, programs, name, self.rig.library, *arguments))

    @contextmanager
    def started(self, name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run a program that says line by line where it is, and waits for lines."""
        programs = str(SUPPORT / f"{self.package}_programs.py")
        whole = (programs, name, self.rig.library, *arguments)

        with self.rig.start(sys.executable, *whole, stdin=subprocess.PIPE) as process:
            try:
                yield process
                assert process.wait(TIMEOUT) == 0
            finally:
                process.kill()

    def check_signatures(self, key_type: Ckk, pin: str) -> None:
        """Let it sign by every mechanism for keys of a type, and verify; OpenSSL verifies too."""
        wanted = {short_name(spec): data_for(spec).hex() for spec in signing(key_type)}
        made = self("signatures", pin, json.dumps(wanted))
        key = read_key(made["key"])
        assert set(made["signatures"]) == set(wanted)

        for spec in signing(key_type):
            one = made["signatures"][short_name(spec)]
            assert is_right(key, spec, data_for(spec), bytes.fromhex(one["signature"])), spec
            assert (one["right"], one["wrong"]) == (True, False), spec


def heard(process: subprocess.Popen[str]) -> Any:
    """Return what a program says next."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def told(process: subprocess.Popen[str]) -> None:
    """Let a program go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def read_key(text: str) -> PublicKey:
    key = load_der_public_key(bytes.fromhex(text))
    assert isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey))
    return key


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=MODELS)
def client(tmp_path: Path, request: pytest.FixtureRequest, package: str) -> Iterator[Client]:
    with opened_rig(tmp_path, request.param) as rig:
        yield Client(rig, package)


@pytest.fixture(params=CURVES)
def curve_client(tmp_path: Path, request: pytest.FixtureRequest, package: str) -> Iterator[Client]:
    """With a card whose key is on a curve."""
    with opened_rig(tmp_path, image=curve_card(request.param)) as rig:
        yield Client(rig, package, request.param)


def test_both_tokens_are_found_with_their_mechanisms(client: Client) -> None:
    main, signature = client("tokens")
    curves = main["label"] == "cardtwin CardOS 5.3"

    assert (main["manufacturer"], signature["label"]) == ("cardtwin", "cardtwin CardOS  (Signature PIN)")
    assert int(main["serial"], 16)
    offered = {kind for kind, spec in MECHANISMS.items() if curves or spec.key_type is not Ckk.CKK_EC}
    assert set(main["mechanisms"]) == set(signature["mechanisms"]) == offered


def test_private_keys_are_found_after_the_login_and_certificates_before(client: Client) -> None:
    found = client("objects", PIN)
    certificate = x509.load_der_x509_certificate(bytes.fromhex(found["certificate"]))

    assert found["before"] == ["CERTIFICATE", "DATA", "DATA", "PUBLIC_KEY"]
    assert found["after"] == ["CERTIFICATE", "DATA", "DATA", "PRIVATE_KEY", "PUBLIC_KEY"]
    assert bytes.fromhex(found["subject"]) == certificate.subject.public_bytes()
    assert found["same id"]
    assert found["always sensitive"]


def test_every_rsa_signature_is_right(client: Client) -> None:
    client.check_signatures(Ckk.CKK_RSA, PIN)


def test_every_ecdsa_signature_is_right(curve_client: Client) -> None:
    curve_client.check_signatures(Ckk.CKK_EC, CURVE_PIN)


def test_data_are_taken_in_parts_and_random_bytes_given(client: Client) -> None:
    found = client("parts", PIN)
    whole = b"".join(bytes([number]) * 1000 for number in range(10))

    assert found["right"]
    assert found["digests"] == {name: hashlib.new(name, b"\1" * 1000).hexdigest() for name in HASHES}
    assert found["in parts"] == hashlib.sha256(whole).hexdigest()
    assert found["random"] == 1000


def test_every_cipher_decrypts_what_it_encrypts(client: Client) -> None:
    assert client("ciphers", PIN) == [True] * 12


def test_secrets_are_derived_that_the_peer_derives_too(curve_client: Client) -> None:
    peer = ec.generate_private_key(CURVES[curve_client.bits])
    public = peer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = curve_client("derivations", CURVE_PIN, public.hex())
    key = read_key(found["key"])
    assert isinstance(key, ec.EllipticCurvePublicKey)
    shared = peer.exchange(ec.ECDH(), key)

    assert found["secrets"].pop("NULL") == shared[-32:].hex()
    derived = {
        name: X963KDF(algorithm, 32, b"shared").derive(shared).hex()
        for name, (algorithm, _, _) in HASHES.items()
    }
    assert found["secrets"] == derived


def test_the_consenting_key_signs_with_its_pin_for_each_signature_alone(client: Client) -> None:
    found = client("consent", SIGN_PIN)

    assert found["refused"] == "CKR_USER_NOT_LOGGED_IN"
    assert found.get("right", True)


def test_pins_are_counted_locked_unlocked_and_changed(client: Client) -> None:
    wrong = "CKR_PIN_INCORRECT"

    assert client("pins") == [wrong, wrong, wrong, "CKR_PIN_LOCKED", "right", "right", wrong]


def test_threads_sign_at_once(client: Client) -> None:
    assert client("threads", PIN) == [True] * 30


@pytest.mark.parametrize("package", ["pykcs11"], indirect=True)  # python-pkcs11 0.10 raises a TypeError
def test_a_removed_card_is_an_event_that_ends_the_wait(client: Client) -> None:
    with client.started("events") as process:
        assert heard(process) == [1, 2]
        client.rig.bench.manager.remove(READER)
        slot, left = heard(process)

    assert (slot in {1, 2}, left) == (True, [])


def test_after_a_removal_old_sessions_are_over_and_new_ones_sign(client: Client) -> None:
    manager = client.rig.bench.manager

    with client.started("removal", PIN) as process:
        assert heard(process) == "right"
        card = manager.remove(READER)
        told(process)
        assert heard(process) in {"CKR_DEVICE_REMOVED", "CKR_TOKEN_NOT_PRESENT"}
        manager.insert(READER, card)
        told(process)
        assert heard(process) == "CKR_SESSION_HANDLE_INVALID"
        told(process)
        assert heard(process) == "right"
