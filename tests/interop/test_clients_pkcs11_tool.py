"""OpenSC's pkcs11-tool above our library, with a card after a full encoding."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.cryptoki.constants import Ckk
from cardtwin.cryptoki.mechanisms import MECHANISMS
from support.opinions import (
    CURVE_KEY,
    CURVE_PIN,
    CURVES,
    curve_card,
    data_for,
    is_right,
    short_name,
    signing,
)
from support.pkcs11_tool import PIN, PUK, SIGN_PIN, Pkcs11Tool, tool_name
from support.rig import READER, opened_rig
from support.signers import DATA, HASHES
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardtwin.cryptoki.mechanisms import MechanismSpec

SLOT = re.compile(r"^Slot \d \((\w+)\): (.*)$", re.MULTILINE)
LABELS = {"cardos-4.4": "cardtwin CardOS 4.4", "cardos-5.3": "cardtwin CardOS 5.3"}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tool(tmp_path: Path, model: str) -> Iterator[Pkcs11Tool]:
    with opened_rig(tmp_path, model) as rig:
        yield Pkcs11Tool(rig, rig.library)


@pytest.fixture(params=CURVES)
def curve_tool(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pkcs11Tool]:
    """With a card whose key is on a curve."""
    with opened_rig(tmp_path, image=curve_card(request.param)) as rig:
        yield Pkcs11Tool(rig, rig.library, CURVE_PIN, CURVE_KEY)


def consenting(tool: Pkcs11Tool) -> Pkcs11Tool:
    """Return the tool for the key that wants its own PIN for each signature."""
    return Pkcs11Tool(tool.rig, tool.module, SIGN_PIN, "Non Repudiation")


def tried(specs: tuple[MechanismSpec, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("spec", [pytest.param(spec, id=short_name(spec)) for spec in specs])


# Slots, tokens, objects


def test_both_slots_are_listed_with_their_tokens(tool: Pkcs11Tool, model: str) -> None:
    listed = tool("--list-slots")

    assert re.findall(r"^Slot \d \((\w+)\): (.*)$", listed, re.MULTILINE) == [
        ("0x1", READER),
        ("0x2", READER),
    ]
    assert re.findall(r"token label +: (.*)", listed) == [LABELS[model], "cardtwin CardOS  (Signature PIN)"]
    assert re.findall(r"pin min/max +: (.*)", listed) == ["4/8", "4/8"]
    flags = {"login required", "rng", "token initialized", "PIN initialized"}
    assert [tool.flags(0), tool.flags(1)] == [flags, flags]


def test_the_library_says_what_it_is(tool: Pkcs11Tool) -> None:
    shown = tool("--show-info")

    assert "Cryptoki version 2.40" in shown
    assert "cardtwin PKCS" in shown


def test_private_keys_are_listed_after_the_login_alone(tool: Pkcs11Tool) -> None:
    def kinds(listed: str) -> list[str]:
        return re.findall(r"^(.*) [Oo]bject\b.*$", listed, re.MULTILINE)

    public = ["Public Key", "Certificate", "Data", "Data"]
    assert sorted(kinds(tool("--list-objects"))) == sorted(public)
    assert sorted(kinds(tool.as_user("--list-objects"))) == sorted(["Private Key", *public])


def test_the_signature_slot_has_its_own_key_which_always_asks(tool: Pkcs11Tool) -> None:
    listed = consenting(tool).as_user("--slot-index", "1", "--list-objects")

    assert set(re.findall(r"^  label: +(.*)$", listed, re.MULTILINE)) == {"Non Repudiation"}
    assert "always authenticate, sensitive, always sensitive, never extractable, local" in listed


def test_a_certificate_is_read_with_its_key_s_identifier(tool: Pkcs11Tool) -> None:
    tool("--read-object", "--type", "cert", "--label", "Digital Signature", "-o", "certificate")
    certificate = x509.load_der_x509_certificate((tool.rig.folder / "certificate").read_bytes())

    assert certificate.subject.rfc4514_string() == r"CN=Holder\, Digital Signature"
    assert certificate.public_key() == tool.public_key()
    assert len(set(re.findall(r"ID: +(\w+)", tool.as_user("--list-objects")))) == 1


def test_a_data_object_is_read(tool: Pkcs11Tool) -> None:
    tool("--read-object", "--type", "data", "--label", "ProfileId", "-o", "profile")

    assert b"cardtwin_CardOS" in (tool.rig.folder / "profile").read_bytes()


# Mechanisms


def test_the_mechanisms_listed_are_those_that_the_card_can_use(tool: Pkcs11Tool, model: str) -> None:
    listed = dict(re.findall(r"^  ([\w-]+), (.*)$", tool("--list-mechanisms"), re.MULTILINE))
    curves = model == "cardos-5.3"
    expected = {spec for spec in MECHANISMS.values() if curves or spec.key_type is not Ckk.CKK_EC}

    assert set(listed) == {tool_name(spec.type) for spec in expected}

    for spec in expected:
        told = listed[tool_name(spec.type)].split(", ")
        assert set(spec.uses) <= set(told)
        assert ("hw" in told) == (spec.key_type is not None)

    longest = 3072 if curves else 2048
    assert f"keySize={{512,{longest}}}" in listed["SHA256-RSA-PKCS"]


@tried(signing(Ckk.CKK_RSA))
def test_every_rsa_signature_is_right(tool: Pkcs11Tool, spec: MechanismSpec) -> None:
    data = data_for(spec)
    signature = tool.sign(spec, data)

    assert is_right(tool.public_key(), spec, data, signature)
    assert tool.verifies(spec, data, signature)


@tried(signing(Ckk.CKK_EC))
def test_every_ecdsa_signature_is_right(curve_tool: Pkcs11Tool, spec: MechanismSpec) -> None:
    data = data_for(spec)
    signature = curve_tool.sign(spec, data)

    assert is_right(curve_tool.public_key(), spec, data, signature)
    assert curve_tool.verifies(spec, data, signature)


def test_a_signature_of_other_data_is_wrong(tool: Pkcs11Tool) -> None:
    spec = next(spec for spec in signing(Ckk.CKK_RSA) if spec.hash == "sha256")
    signature = tool.sign(spec, DATA)

    assert not is_right(tool.public_key(), spec, b"other data", signature)
    assert not tool.verifies(spec, b"other data", signature)


def test_a_file_that_comes_in_parts_is_signed_whole(tool: Pkcs11Tool) -> None:
    spec = next(spec for spec in signing(Ckk.CKK_RSA) if spec.hash == "sha512")
    data = bytes(range(256)) * 40
    signature = tool.sign(spec, data)

    assert is_right(tool.public_key(), spec, data, signature)
    assert tool.verifies(spec, data, signature)


def test_the_consenting_key_signs_with_its_pin_given_twice(tool: Pkcs11Tool) -> None:
    tool = consenting(tool)
    spec = next(spec for spec in signing(Ckk.CKK_RSA) if spec.hash == "sha256")
    signature = tool.sign(spec, DATA, "--slot-index", "1")
    tool("--slot-index", "1", "-r", "--type", "cert", "--label", tool.label, "-o", "certificate")
    key = x509.load_der_x509_certificate((tool.rig.folder / "certificate").read_bytes()).public_key()

    assert isinstance(key, rsa.RSAPublicKey)
    assert is_right(key, spec, DATA, signature)


@pytest.mark.parametrize("name", HASHES)
def test_every_digest_is_right(tool: Pkcs11Tool, name: str) -> None:
    (tool.rig.folder / "data").write_bytes(DATA)
    tool("--hash", "-m", tool_name(HASHES[name][1]), "-i", "data", "-o", "digest")

    assert (tool.rig.folder / "digest").read_bytes() == hashlib.new(name, DATA).digest()


def test_random_bytes_are_as_many_as_wanted(tool: Pkcs11Tool) -> None:
    tool("--generate-random", "300", "-o", "random")

    assert len((tool.rig.folder / "random").read_bytes()) == 300


# Ciphers and keys agreed on


def decrypted(tool: Pkcs11Tool, cryptogram: bytes, *mechanism: str) -> bytes:
    (tool.rig.folder / "cryptogram").write_bytes(cryptogram)
    tool.as_user("--decrypt", "-m", *mechanism, "-i", "cryptogram", "-o", "plain")
    return (tool.rig.folder / "plain").read_bytes()


def rsa_key(tool: Pkcs11Tool) -> rsa.RSAPublicKey:
    key = tool.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def test_the_card_decrypts_what_openssl_has_encrypted(tool: Pkcs11Tool) -> None:
    cryptogram = rsa_key(tool).encrypt(DATA, padding.PKCS1v15())

    assert decrypted(tool, cryptogram, "RSA-PKCS") == DATA
    block = decrypted(tool, cryptogram, "RSA-X-509")
    assert (block[:2], block[-len(DATA) - 1 :]) == (b"\0\x02", b"\0" + DATA)


@pytest.mark.parametrize("name", HASHES)
def test_the_card_decrypts_oaep_with_each_hash(tool: Pkcs11Tool, name: str) -> None:
    algorithm = HASHES[name][0]
    oaep = padding.OAEP(padding.MGF1(algorithm), algorithm, None)
    hashes = ("--hash-algorithm", tool_name(HASHES[name][1]), "--mgf", f"MGF1-{name}")

    assert decrypted(tool, rsa_key(tool).encrypt(DATA, oaep), "RSA-PKCS-OAEP", *hashes) == DATA


def test_a_secret_is_derived_that_the_peer_derives_too(curve_tool: Pkcs11Tool) -> None:
    key = curve_tool.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    peer = ec.generate_private_key(key.curve)
    public = peer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    (curve_tool.rig.folder / "peer").write_bytes(public)
    curve_tool.as_user("--derive", "-m", "ECDH1-DERIVE", "-i", "peer", "-o", "secret")

    assert (curve_tool.rig.folder / "secret").read_bytes() == peer.exchange(ec.ECDH(), key)


# The program's own tests


def test_the_program_s_own_test_finds_no_errors(tool: Pkcs11Tool) -> None:
    tested = tool.as_user("--test")

    assert "No errors" in tested
    mechanisms = ("RSA-X-509", "RSA-PKCS", "SHA1-RSA-PKCS", "SHA256-RSA-PKCS")
    assert all(re.search(rf"^    {name}: OK$", tested, re.MULTILINE) for name in mechanisms)
    assert "RSA-PKCS-OAEP: " in tested


def test_the_program_s_own_test_gives_the_consenting_key_its_pin_each_time(tool: Pkcs11Tool) -> None:
    tested = consenting(tool).as_user("--slot-index", "1", "--test")

    assert "No errors" in tested
    assert "testing key 0 (Non Repudiation)" in tested
    assert re.search(r"^    SHA256-RSA-PKCS: OK$", tested, re.MULTILINE)


def test_a_forked_child_initialises_for_itself(tool: Pkcs11Tool) -> None:
    assert "Calling C_Initialize in forked child process" in tool("--test-fork", "--list-slots")


def test_threads_that_initialise_at_once_all_find_the_library_ready(tool: Pkcs11Tool) -> None:
    threads = [word for _ in range(4) for word in ("--test-threads", "INGI")]
    shown = tool.as_user(*threads, "--test")  # which takes longer than the threads: it would wait for them

    assert "test_threads all threads have ended with CKR_OK" in shown
    assert "CKR_CRYPTOKI_NOT_INITIALIZED" not in shown
    assert "No errors" in shown


# PINs


def test_a_pin_is_changed(tool: Pkcs11Tool) -> None:
    assert "PIN successfully changed" in tool("--change-pin", "--pin", PIN, "--new-pin", "567890")
    assert "CKR_PIN_INCORRECT" in tool.as_user("--list-objects", succeeds=False)
    assert "Private Key" in tool.as_user("--list-objects", pin="567890")


def test_the_pin_of_the_signature_slot_is_another(tool: Pkcs11Tool) -> None:
    tool("--slot-index", "1", "--change-pin", "--pin", SIGN_PIN, "--new-pin", "777777")

    assert "Private Key" in tool.as_user("--list-objects")
    assert "Private Key" in tool.as_user("--slot-index", "1", "--list-objects", pin="777777")


@pytest.mark.parametrize("pin", ["123", "123456789"])
def test_a_new_pin_has_to_have_a_length_that_the_token_tells(tool: Pkcs11Tool, pin: str) -> None:
    refused = tool("--change-pin", "--pin", PIN, "--new-pin", pin, succeeds=False)

    assert "CKR_PIN_LEN_RANGE" in refused
    assert "Private Key" in tool.as_user("--list-objects")


def test_wrong_pins_are_counted_until_the_pin_is_locked(tool: Pkcs11Tool) -> None:
    for _ in range(3):
        assert "CKR_PIN_INCORRECT" in tool.as_user("--list-objects", pin="9999", succeeds=False)

    assert "CKR_PIN_LOCKED" in tool.as_user("--list-objects", succeeds=False)
    assert "Private Key" in consenting(tool).as_user("--slot-index", "1", "--list-objects")


@pytest.mark.parametrize("model", ["cardos-5.3"], indirect=True)
def test_another_program_s_wrong_pins_show_where_the_card_tells_the_tries(tool: Pkcs11Tool) -> None:
    about_the_pin = {"user PIN count low", "final user PIN try", "user PIN locked"}
    shown = []

    for _ in range(3):
        tool.as_user("--list-objects", pin="9999", succeeds=False)
        shown.append(tool.flags() & about_the_pin)

    assert shown == [
        {"user PIN count low"},
        {"user PIN count low", "final user PIN try"},
        {"user PIN count low", "user PIN locked"},
    ]
    assert not tool.flags(1) & about_the_pin


def test_the_right_pin_gives_the_tries_back(tool: Pkcs11Tool) -> None:
    for _ in range(4):
        tool.as_user("--list-objects", pin="9999", succeeds=False)
        tool.as_user("--list-objects")

    assert "user PIN count low" not in tool.flags()


def test_the_security_officer_unlocks_a_locked_pin_with_the_puk(tool: Pkcs11Tool) -> None:
    for _ in range(3):
        tool.as_user("--list-objects", pin="9999", succeeds=False)

    assert "User PIN successfully initialized" in tool.as_so("--init-pin", "--new-pin", "565656")
    assert "Private Key" in tool.as_user("--list-objects", pin="565656")
    assert not tool.flags() & {"user PIN locked", "user PIN count low"}


def test_a_wrong_puk_is_told_and_sets_no_pin(tool: Pkcs11Tool) -> None:
    refused = tool.as_so("--init-pin", "--new-pin", "565656", puk="99999999", succeeds=False)

    assert "CKR_PIN_INCORRECT" in refused
    assert "Private Key" in tool.as_user("--list-objects")


def test_opensc_s_own_ways_to_unlock_are_refused(tool: Pkcs11Tool) -> None:
    # C_SetPIN with the PUK for an old PIN, or after C_Login with it as CKU_CONTEXT_SPECIFIC: no PKCS #11
    for _ in range(3):
        tool.as_user("--list-objects", pin="9999", succeeds=False)

    unlock = ("--unlock-pin", "--puk", PUK, "--new-pin", "565656")
    assert "C_SetPIN failed: rv = CKR_PIN_LOCKED" in tool(*unlock, succeeds=False)
    specific = ("--login", "--login-type", "context-specific")
    assert "C_Login failed: rv = CKR_OPERATION_NOT_INITIALIZED" in tool(*specific, *unlock, succeeds=False)
    tool.as_so("--init-pin", "--new-pin", "565656")
    assert "Private Key" in tool.as_user("--list-objects", pin="565656")


def test_the_security_officer_needs_a_session_that_writes(tool: Pkcs11Tool) -> None:
    assert "CKR_SESSION_READ_ONLY_EXISTS" in tool.as_so("--list-objects", succeeds=False)
    assert "Private Key" not in tool.as_so("--session-rw", "--list-objects")


def test_tokens_are_not_initialised_by_pkcs_11(tool: Pkcs11Tool) -> None:
    refused = tool("--init-token", "--slot-index", "0", "--label", "x", "--so-pin", PUK, succeeds=False)

    assert "C_InitToken failed: rv = CKR_FUNCTION_NOT_SUPPORTED" in refused


# The card


def test_without_a_card_the_reader_is_an_empty_slot(tool: Pkcs11Tool) -> None:
    tool.rig.bench.manager.remove(READER)

    assert SLOT.findall(tool("--list-slots"))[0] == ("0x1", READER)
    assert "(empty)" in tool("--list-slots")
    assert "No slot with a token was found" in tool("--list-objects", succeeds=False)
