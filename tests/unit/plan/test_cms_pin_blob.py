from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.entropy import SeededEntropy
from cardtwin.iso7816 import Tlv
from cardtwin.plan import NoMatchingKeyError, PinBlob, PinBlobError, Secret, SecretName, oaep
from cardtwin.plan.cms import CmsPinBlobCodec

if TYPE_CHECKING:
    from pathlib import Path

CODEC = CmsPinBlobCodec()
ALL = PinBlob(tuple((name, Secret.of(f"value of {name}")) for name in SecretName), profile_name="P15_Siemens")


class LocalKey:
    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.key_id = oaep.key_identifier(key.public_key())
        self._key = key

    def unwrap(self, encrypted_key: bytes, label_hash: str) -> bytes:
        assert label_hash == "sha256"

        try:
            return self._key.decrypt(encrypted_key, padding.OAEP(padding.MGF1(SHA256()), SHA256(), None))
        except ValueError:
            raise PinBlobError("the content key was changed") from None


@cache
def made_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    assert name
    return rsa.generate_private_key(65537, bits)


def key_pair(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    return made_key(name, bits)


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "PIN encryption")])
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )


def encrypted(blob: PinBlob = ALL, key: str = "a", bits: int = 2048, seed: str = "seed") -> bytes:
    return CODEC.encrypt(blob, certificate(key_pair(key, bits)), SeededEntropy(seed))


blobs = st.builds(
    PinBlob,
    st.lists(
        st.tuples(st.sampled_from(SecretName), st.builds(Secret, st.binary(max_size=40))),
        unique_by=lambda pair: pair[0],
    ).map(tuple),
    st.text(st.characters(codec="utf-8"), max_size=20),
)


@given(blobs, st.text())
def test_any_subset_of_secrets_comes_back_in_its_order(blob: PinBlob, seed: str) -> None:
    data = encrypted(blob, seed=seed)
    assert CODEC.decrypt(data, [LocalKey(key_pair("a"))]) == blob


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_keys_from_2048_to_4096_bits_are_served(bits: int) -> None:
    data = encrypted(key="size", bits=bits)
    assert CODEC.decrypt(data, [LocalKey(key_pair("size", bits))]) == ALL


def test_the_matching_key_of_several_is_taken() -> None:
    keys = [LocalKey(key_pair(name)) for name in ("b", "c", "a", "d")]
    assert CODEC.decrypt(encrypted(), keys) == ALL


def test_without_the_key_the_message_names_the_id_that_is_needed() -> None:
    needed = oaep.key_identifier(key_pair("a").public_key())

    with pytest.raises(
        NoMatchingKeyError, match=f"^No decryption key found matching #{needed.hex().upper()}$"
    ):
        CODEC.decrypt(encrypted(), [LocalKey(key_pair("b"))])


def test_the_wrong_key_under_the_right_id_opens_nothing() -> None:
    impostor = LocalKey(key_pair("b"))
    impostor.key_id = oaep.key_identifier(key_pair("a").public_key())

    with pytest.raises(PinBlobError):
        CODEC.decrypt(encrypted(), [impostor])


def test_the_recipient_is_the_certificates_subject_key_identifier() -> None:
    extension = x509.SubjectKeyIdentifier.from_public_key(key_pair("a").public_key())
    assert CODEC.recipients(encrypted()) == (extension.digest,)


def test_every_flipped_bit_is_refused() -> None:
    data = encrypted(PinBlob(((SecretName.PIN1, Secret.of("1234")),)))
    keys = [LocalKey(key_pair("a")), LocalKey(key_pair("b"))]

    for position in range(len(data) * 8):
        changed = bytearray(data)
        changed[position // 8] ^= 1 << position % 8

        with pytest.raises(PinBlobError):
            CODEC.decrypt(bytes(changed) + bytes(64), keys)


@given(st.data())
@settings(max_examples=300)
def test_any_other_change_is_refused_too(data: st.DataObject) -> None:
    blob = encrypted(PinBlob(((SecretName.PIN1, Secret.of("1234")),)))
    start = data.draw(st.integers(0, len(blob) - 1))
    end = data.draw(st.integers(start, min(len(blob), start + 12)))
    changed = blob[:start] + data.draw(st.binary(max_size=12)) + blob[end:]

    if changed.startswith(blob):
        return

    with pytest.raises(PinBlobError):
        CODEC.decrypt(changed, [LocalKey(key_pair("a"))])


@given(st.binary(max_size=64))
def test_arbitrary_bytes_are_refused_and_not_recognised(data: bytes) -> None:
    assert not CODEC.recognises(data)

    with pytest.raises(PinBlobError):
        CODEC.decrypt(data, [])


def test_a_blob_cut_short_is_refused_at_every_length() -> None:
    data = encrypted()

    for length in range(len(data)):
        with pytest.raises(PinBlobError):
            CODEC.recipients(data[:length])


@given(st.binary(max_size=32))
def test_what_follows_the_blob_in_its_file_is_left_alone(rest: bytes) -> None:
    assert CODEC.recognises(encrypted() + rest)
    assert CODEC.decrypt(encrypted() + rest, [LocalKey(key_pair("a"))]) == ALL


def test_the_same_entropy_gives_the_same_bytes_and_another_gives_others() -> None:
    assert encrypted(seed="one") == encrypted(seed="one")
    assert encrypted(seed="one") != encrypted(seed="two")


def test_a_key_other_than_rsa_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(PinBlobError, match="RSA"):
        CODEC.encrypt(ALL, certificate(key), SeededEntropy("x"))


def test_a_key_shorter_than_2048_bits_is_refused() -> None:
    with pytest.raises(PinBlobError, match="1024 bits"):
        encrypted(key="short", bits=1024)


def test_a_secret_named_twice_is_refused() -> None:
    twice = PinBlob(((SecretName.PUK, Secret.of("1")), (SecretName.PUK, Secret.of("2"))))

    with pytest.raises(PinBlobError, match="PUK stands in the blob twice"):
        encrypted(twice)


PIN9 = Tlv.constructed(0x30, (Tlv(0x0C, b"PIN9"), Tlv(0x04, b"1"))).encode()


@pytest.mark.parametrize(
    "content",
    [
        bytes.fromhex("30 07 020101 0C00 3000"),
        bytes.fromhex("30 08 02020000 0C00 3000"),
        bytes.fromhex("30 81 07 020100 0C00 3000"),
        bytes.fromhex("30 07 020100 0C00 3000 00"),
        bytes.fromhex("30 09 020100 0C00 3000 0500"),
        bytes.fromhex("30 08 020100 0C01FF 3000"),
        Tlv.constructed(0x30, (Tlv(2, b"\0"), Tlv(0x0C), Tlv(0x30, PIN9))).encode(),
        b"",
    ],
    ids=["version", "long version", "long form", "tail", "more", "no text", "unknown secret", "nothing"],
)
def test_authentic_contents_of_another_form_are_refused(
    monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("cardtwin.plan.cms._encode_content", lambda _: content)
        data = CODEC.encrypt(ALL, certificate(key_pair("a")), SeededEntropy("other form"))

    with pytest.raises(PinBlobError, match="none that this version of cardtwin can read"):
        CODEC.decrypt(data, [LocalKey(key_pair("a"))])


def test_neither_the_blob_nor_its_repr_shows_a_secret() -> None:
    assert b"value of" not in encrypted()
    assert "value of" not in repr(ALL)


def test_openssl_opens_the_blob(tmp_path: Path) -> None:
    key = key_pair("a")
    (tmp_path / "blob").write_bytes(encrypted())
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "cert.pem").write_bytes(certificate(key).public_bytes(Encoding.PEM))
    run = subprocess.run(
        ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "blob", "-inkey", "key.pem"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    version, profile_name, secrets = Tlv.parse(run.stdout).children()
    values = [tuple(part.value.decode() for part in entry.children()) for entry in secrets.children()]

    assert version.value == b"\0"
    assert profile_name.value == b"P15_Siemens"
    assert values == [(name.value, f"value of {name}") for name in SecretName]


def test_openssl_refuses_a_changed_blob(tmp_path: Path) -> None:
    data = bytearray(encrypted())
    data[-1] ^= 1
    (tmp_path / "blob").write_bytes(data)
    (tmp_path / "key.pem").write_bytes(
        key_pair("a").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    run = subprocess.run(
        ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "blob", "-inkey", "key.pem"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert run.returncode != 0
