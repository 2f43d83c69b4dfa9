"""OpenSC's own programs use a virtual smart card, by their driver gids, and agree with the host's side."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from cardtwin.entropy import SeededEntropy
from cardtwin.issuance.virtualcard import certificate_request
from cardtwin.minidriver import CardCache, KeySpec, MinidriverCard, answer
from cardtwin.plan import Secret
from support.interop import EXTENDED, READER, shared_library

if TYPE_CHECKING:
    from support.interop import Desk

ADMIN_KEY = "010203040506070801020304050607080102030405060708"
CARD_ID = "00112233445566778899aabbccddeeff"
PIN = "12345678"
USER = ("--auth-id", "80", "--pin", PIN)
MESSAGE = "signed on a virtual smart card\n"
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")
KEY = rsa.generate_private_key(65537, 2048)


def initialise(desk: Desk) -> None:
    """Let OpenSC make the files, the PIN and the admin key of an empty card."""
    secrets = ("--admin-key", ADMIN_KEY, "--pin", PIN, "--serial-number", CARD_ID)
    desk.run("gids-tool", "--initialize", *secrets)


def init(desk: Desk, *arguments: str) -> None:
    """Run pkcs15-init, with the PIN verified at its beginning as cards of this kind need it."""
    desk.run("pkcs15-init", "--verify-pin", *USER, *arguments)


@pytest.fixture(params=["opensc", "host"])
def used(desk: Desk, request: pytest.FixtureRequest) -> Desk:
    """A desk with a card that OpenSC has initialised, and one that the host's side has; a key 00 in each."""
    desk.insert("virtual-smart-card")

    if request.param == "opensc":
        initialise(desk)
        init(desk, "-G", "rsa/2048", "-i", "00", "-u", "sign,decrypt", "-l", "Work")
        return desk

    with host(desk) as card:
        card.initialise(Secret.of(PIN), Secret(bytes.fromhex(ADMIN_KEY)), card_id=bytes.fromhex(CARD_ID))
        card.verify(Secret.of(PIN))
        card.generate(name="Work")

    return desk


class _Host:
    """The host's side on a connection of its own, which ends without a login left."""

    def __init__(self, desk: Desk) -> None:
        self._connection = desk.manager.context().connect(READER)

    def __enter__(self) -> MinidriverCard:
        self._card = MinidriverCard(self._connection, entropy=SeededEntropy("host"))
        return self._card

    def __exit__(self, *_: object) -> None:
        self._card.forget()
        self._connection.disconnect()


def host(desk: Desk) -> _Host:
    """Open the card that is on a desk for the host's side."""
    return _Host(desk)


def certificate(key: rsa.RSAPublicKey) -> bytes:
    """Return a certificate of a key in DER, signed by another key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Virtual smart card")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key).serial_number(1)
    builder = builder.not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
    builder = builder.not_valid_after(datetime(2035, 1, 1, tzinfo=UTC))
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.DER)


def public_key(desk: Desk, key: str = "00") -> rsa.RSAPublicKey:
    desk.run("pkcs15-tool", "--read-public-key", key, "-o", "public.pem")
    found = load_pem_public_key((desk.folder / "public.pem").read_bytes())
    assert isinstance(found, rsa.RSAPublicKey)
    return found


def store(desk: Desk, key: str = "00") -> bytes:
    """Store a certificate of a key by pkcs15-init and return it."""
    der = certificate(public_key(desk, key))
    (desk.folder / "certificate.der").write_bytes(der)
    init(desk, "-X", "certificate.der", "-f", "der", "-i", key)
    return der


def read_certificate(desk: Desk, key: str) -> bytes:
    """Read a certificate by pkcs15-tool and return it in DER."""
    desk.run("pkcs15-tool", "--read-certificate", key, "-o", "certificate.pem")
    found = x509.load_pem_x509_certificate((desk.folder / "certificate.pem").read_bytes())
    return found.public_bytes(Encoding.DER)


def names(dump: str) -> list[tuple[str, str]]:
    """Return keys and certificates that pkcs15-tool lists; a free place is a key without a name to it."""
    return sorted(re.findall(r"^(Private RSA Key|X.509 Certificate) \[(.*)\]", dump, re.MULTILINE))


def signed(desk: Desk, key: str = "00", pin: str = PIN) -> bool:
    """Sign by pkcs15-crypt, and let OpenSSL verify."""
    (desk.folder / "message").write_text(MESSAGE)
    (desk.folder / "info").write_bytes(DIGEST_INFO + hashlib.sha256(MESSAGE.encode()).digest())
    public_key(desk, key)
    sign = ("-s", "-k", key, "--pin", pin, "--pkcs1", "-R", "-i", "info", "-o", "signature")
    desk.run("pkcs15-crypt", *sign)
    return desk.verified("sha256", "public.pem", "signature", "message")


def test_an_empty_card_is_recognised_by_the_driver_and_initialised(desk: Desk) -> None:
    desk.insert("virtual-smart-card")
    assert "GIDS Smart Card" in desk.run("opensc-tool", "-n")
    assert "Is that a new card ?" in desk.run("gids-tool")
    initialise(desk)
    assert re.sub(r"\W", "", desk.run("opensc-tool", "--serial").splitlines()[-1])[:32].lower() == CARD_ID
    told = desk.run("gids-tool")
    assert re.findall(r"File: (\S+)", told) == ["\\cardid", "\\cardapps", "\\cardcf", "mscp\\cmapfile"]
    assert "no container found" in told


def test_the_card_is_listed_whole(used: Desk) -> None:
    store(used)
    dump = used.run("pkcs15-tool", "-D")
    assert f"Serial number  : {CARD_ID}" in dump
    assert "Version        : 2" in dump
    assert re.search(r"Tries left     : 3", dump)
    kinds = re.findall(
        r"^(PIN|Private RSA Key|Public RSA Key|X.509 Certificate) \[(.*)\]", dump, re.MULTILINE
    )
    assert kinds == [
        ("PIN", "UserPIN"),
        ("Private RSA Key", "Work"),
        ("Public RSA Key", "Work"),
        ("X.509 Certificate", "Work"),
    ]


def test_the_container_is_printed_with_its_key(used: Desk) -> None:
    told = used.run("gids-tool")
    name = "Work".encode("utf-16-le").ljust(80, b"\0").hex().upper()
    assert name in told
    assert "Valid container,Default container" in told
    found = dict(re.findall(r"^ +([\w ]+): +(.+)$", told, re.MULTILINE))
    assert (found["wSigKeySizeBits"], found["wKeyExchangeKeySizeBits"]) == ("0", "2048")
    assert (found["state"], found["algid"], found["keyref"]) == ("1", "7", "0xb081")
    assert found["key type"] == "signature + decryption"


def test_a_signature_is_verified_by_openssl(used: Desk) -> None:
    assert signed(used)


def test_the_card_deciphers_what_openssl_has_enciphered(used: Desk) -> None:
    (used.folder / "message").write_text("for the card alone\n")
    public_key(used)
    encipher = ("-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message", "-out", "secret")
    used.run("openssl", "pkeyutl", *encipher)
    used.run("pkcs15-crypt", "-c", "-k", "00", "--pin", PIN, "--pkcs1", "-R", "-i", "secret", "-o", "plain")
    assert (used.folder / "plain").read_text() == "for the card alone\n"


@pytest.mark.parametrize("config", ["short", "extended"])
def test_a_certificate_is_stored_replaced_and_read(used: Desk, config: str) -> None:
    if config == "extended":
        used.config = EXTENDED

    der = store(used)
    read = used.run("pkcs15-tool", "--read-certificate", "00")
    assert (
        x509.load_pem_x509_certificate(read[read.index("-----") :].encode()).public_bytes(Encoding.DER) == der
    )

    with host(used) as card:
        assert card.certificate(0) == der


def test_the_pin_is_verified_changed_blocked_and_unblocked(used: Desk) -> None:
    used.run("pkcs15-tool", "--verify-pin", *USER)
    used.run("pkcs15-tool", "--change-pin", *USER, "--new-pin", "87654321x")

    for _ in range(3):
        used.run("pkcs15-tool", "--verify-pin", *USER, succeeds=False)

    changed = ("--auth-id", "80", "--pin", "87654321x")
    used.run("pkcs15-tool", "--verify-pin", *changed, succeeds=False)
    assert "Tries left     : 0" in used.run("pkcs15-tool", "--list-pins")
    used.run("gids-tool", "--unblock", "--admin-key", "00" * 24, "--pin", PIN, succeeds=False)
    used.run("gids-tool", "--unblock", "--admin-key", ADMIN_KEY, "--pin", PIN)
    used.run("pkcs15-tool", "--verify-pin", *USER)
    assert signed(used)


def test_the_admin_key_is_changed(used: Desk) -> None:
    new = "a0" * 24
    used.run("gids-tool", "--change-admin-key", "--admin-key", ADMIN_KEY, "--new-admin-key", new)
    used.run("gids-tool", "--unblock", "--admin-key", ADMIN_KEY, "--pin", "11112222", succeeds=False)
    used.run("gids-tool", "--unblock", "--admin-key", new, "--pin", "11112222")
    used.run("pkcs15-tool", "--verify-pin", "--auth-id", "80", "--pin", "11112222")


def test_through_pkcs11_it_signs_deciphers_and_tests_itself(used: Desk) -> None:
    store(used)
    module = ("--module", shared_library("opensc-pkcs11.so"), "--login", "--pin", PIN)
    tested = used.run("pkcs11-tool", *module, "--test")
    assert "all 4 signature functions seem to work" in tested
    assert "SHA256-RSA-PKCS: OK" in tested
    assert "Decryption (currently only for RSA)\n  testing key 0 (Work)" in tested

    # The card has no GET CHALLENGE: random numbers are the one thing that fails.
    assert re.findall(r"ERR: (.*)", tested) == ["C_GenerateRandom failed: CKR_FUNCTION_NOT_SUPPORTED (0x54)"]

    (used.folder / "message").write_text(MESSAGE)
    sign = ("--sign", "-m", "SHA256-RSA-PKCS", "--id", "00", "-i", "message", "-o", "signature")
    used.run("pkcs11-tool", *module, *sign)
    public_key(used)
    assert used.verified("sha256", "public.pem", "signature", "message")
    wrong = ("--module", shared_library("opensc-pkcs11.so"), "--login", "--pin", "00000000")
    assert "CKR_PIN_INCORRECT" in used.run("pkcs11-tool", *wrong, "-O", succeeds=False)


def test_a_key_is_imported_and_a_second_one_only_signs(used: Desk) -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (used.folder / "key.pem").write_bytes(pem)
    init(used, "-S", "key.pem", "-i", "01", "-u", "sign,decrypt", "-l", "Taken over")
    init(used, "-G", "rsa/1024", "-i", "02", "-u", "sign", "-l", "Only signs")
    assert public_key(used, "01").public_numbers() == KEY.public_key().public_numbers()
    assert signed(used, "01")
    assert signed(used, "02")

    with host(used) as card:
        assert [(one.name, one.spec, one.bits) for one in card.containers] == [
            ("Work", KeySpec.EXCHANGE, 2048),
            ("Taken over", KeySpec.EXCHANGE, 2048),
            ("Only signs", KeySpec.SIGNATURE, 1024),
        ]
        card.verify(Secret.of(PIN))
        assert card.decrypt(1, KEY.public_key().encrypt(b"secret", padding.PKCS1v15())) == b"secret"


def test_certificate_and_key_are_deleted_and_their_place_is_taken_again(used: Desk) -> None:
    store(used)
    init(used, "-D", "cert", "-i", "00")
    assert "X.509" not in used.run("pkcs15-tool", "-D")
    init(used, "-D", "privkey", "-i", "00")
    assert names(used.run("pkcs15-tool", "-D")) == [("Private RSA Key", "")]

    with host(used) as card:
        assert card.containers == ()
        assert "mscp\\kxc00" not in card.file_names

    init(used, "-G", "rsa/2048", "-i", "12", "-u", "sign,decrypt", "-l", "Anew")
    assert signed(used)


def test_the_host_s_side_uses_what_opensc_has_made(desk: Desk) -> None:
    desk.insert("virtual-smart-card")
    initialise(desk)
    init(desk, "-G", "rsa/2048", "-i", "00", "-u", "sign,decrypt", "-l", "Made by OpenSC")
    der = store(desk)

    with host(desk) as card:
        assert card.card_id == bytes.fromhex(CARD_ID)
        (container,) = card.containers
        assert (container.name, container.default, container.bits) == ("Made by OpenSC", True, 2048)
        assert card.certificate(0) == der
        assert card.cache == CardCache(containers=1, files=4)
        card.verify(Secret.of(PIN))
        info = DIGEST_INFO + hashlib.sha256(MESSAGE.encode()).digest()
        card.public_key(0).verify(card.sign(0, info), MESSAGE.encode(), padding.PKCS1v15(), SHA256())
        card.change_pin(Secret.of(PIN), Secret.of("9999"))
        key = Secret(bytes.fromhex(ADMIN_KEY))
        card.unblock(answer(key, card.challenge()), Secret.of(PIN))
        card.verify(Secret.of(PIN))
        card.generate(name="Ours beside it", spec=KeySpec.SIGNATURE)

    assert signed(desk, "01")


@pytest.mark.parametrize("bits", [1024, 2048])
def test_openssl_takes_the_request_that_a_key_on_the_card_signs(desk: Desk, bits: int) -> None:
    desk.insert("virtual-smart-card")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Jane Döe")])

    with host(desk) as card:
        card.initialise(Secret.of(PIN), Secret(bytes.fromhex(ADMIN_KEY)))
        card.verify(Secret.of(PIN))
        (desk.folder / "request.der").write_bytes(certificate_request(card, card.generate(bits=bits), name))

    told = desk.run("openssl", "req", "-inform", "der", "-in", "request.der", "-verify", "-noout", "-subject")
    assert "verify OK" in told
    assert "Jane D" in told


def test_opensc_uses_what_the_host_s_side_has_made(desk: Desk) -> None:
    desk.insert("virtual-smart-card")

    with host(desk) as card:
        card.initialise(Secret.of(PIN), Secret(bytes.fromhex(ADMIN_KEY)), card_id=bytes.fromhex(CARD_ID))
        card.verify(Secret.of(PIN))
        card.import_key(KEY, name="Taken over")
        card.generate(name="Signs", spec=KeySpec.SIGNATURE)
        card.generate(name="Goes")
        certificates = [certificate(card.public_key(index)) for index in (0, 1)]
        card.write_certificate(0, certificates[0])
        card.write_certificate(1, certificates[1])
        card.delete(2)

    dump = desk.run("pkcs15-tool", "-D")
    assert names(dump) == [
        ("Private RSA Key", ""),
        ("Private RSA Key", "Signs"),
        ("Private RSA Key", "Taken over"),
        ("X.509 Certificate", "Signs"),
        ("X.509 Certificate", "Taken over"),
    ]
    assert signed(desk, "00")
    assert signed(desk, "01")

    assert read_certificate(desk, "00") == certificates[0]
    assert read_certificate(desk, "01") == certificates[1]

    # A free place counts as the key of its number to OpenSC; the new key gets that number all the same.
    init(desk, "-G", "rsa/2048", "-i", "12", "-u", "sign,decrypt", "-l", "In its place")
    assert signed(desk, "02")
