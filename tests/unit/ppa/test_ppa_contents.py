from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin import pkcs15, ppa
from cardtwin.iso7816 import Tlv
from cardtwin.pkcs15 import CommonFlags, DirectoryKind, KeyUsage, PinFlags, TokenFlags
from cardtwin.plan import ChipSerial, Plan, PublicKeyForm, Secret, SecretName, oaep, persinfo
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.ppa.deferred import open_gaps, stand_in
from cardtwin.source import SourceText
from support.profiles import environment, evaluate, profile, rsa_key

T = TypeVar("T")
PROFILES = Path(__file__).parents[3] / "profiles"
NAMES = sorted(path.name for path in PROFILES.glob("*.cpf"))
SERIAL = bytes.fromhex("02084FD4000D2A0D")


class Facts:
    """A card with one key under all names."""

    def chip_serial(self) -> bytes:
        return SERIAL

    def public_key(self, key: str, form: PublicKeyForm) -> bytes:
        public = rsa_key(key).public_key()

        if form is PublicKeyForm.KEY_ID:
            return oaep.key_identifier(public)

        kind = PublicFormat.PKCS1 if form is PublicKeyForm.FILE else PublicFormat.SubjectPublicKeyInfo
        return public.public_bytes(Encoding.DER, kind)


class Key:
    """The private half of the PIN encryption certificate."""

    key_id = oaep.key_identifier(rsa_key().public_key())

    def unwrap(self, encrypted_key: bytes, label_hash: str) -> bytes:
        assert label_hash == "sha256"
        return rsa_key().decrypt(encrypted_key, padding.OAEP(padding.MGF1(SHA256()), SHA256(), None))


def plan_of(name: str, **given: object) -> Plan:
    return ppa.evaluate(ppa.parse(SourceText.read(PROFILES / name)), environment(**given))


def content(plan: Plan, name: str) -> bytes:
    found = next(file.content for _, file in plan.root.walk() if file.name == name)
    assert found is not None
    return found.resolve(Facts())


def only(kind: type[T], listed: tuple[object, ...]) -> list[T]:
    assert all(isinstance(each, kind) for each in listed)
    return [each for each in listed if isinstance(each, kind)]


def key_id(name: str) -> bytes:
    return oaep.key_identifier(rsa_key(name).public_key())


@pytest.fixture(scope="module")
def full() -> Plan:
    return plan_of("cardos-5.3-full.cpf")


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_of_ours_is_free_of_mistakes_and_warnings(name: str) -> None:
    found = ppa.check(ppa.parse(SourceText.read(PROFILES / name)), environment())
    assert list(found) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_a_profile_of_ours_writes_fits_into_its_files(name: str) -> None:
    for _, file in plan_of(name).root.walk():
        if file.content is not None and file.size is not None:
            assert len(file.content.resolve(Facts())) <= file.size, file.name


def test_the_odf_leads_to_every_list(full: Plan) -> None:
    found = {entry.kind: entry.path.file_ids[-1] for entry in pkcs15.parse_odf(content(full, "EFODF"))}
    assert found == {
        DirectoryKind.PRIVATE_KEYS: 0x4401,
        DirectoryKind.PUBLIC_KEYS: 0x4411,
        DirectoryKind.CERTIFICATES: 0x4441,
        DirectoryKind.TRUSTED_CERTIFICATES: 0x4451,
        DirectoryKind.DATA_OBJECTS: 0x4471,
        DirectoryKind.AUTH_OBJECTS: 0x4481,
    }


def test_token_info_holds_the_chip_serial_and_the_profiles_label(full: Plan) -> None:
    info = pkcs15.TokenInfo.parse(content(full, "EFTOKENINFO"))
    assert (info.serial, info.label, info.manufacturer) == (SERIAL, "cardtwin CardOS 5.3", "cardtwin")
    assert info.flags == TokenFlags.PRN_GENERATION
    assert not full.label_written


@pytest.mark.parametrize(
    ("name", "mechanisms"),
    [
        ("cardos-4.4-full.cpf", []),
        ("cardos-5.3-full.cpf", [0x1041]),
        ("cosmo-8.2-full.cpf", [0x0001, 0x0001]),
    ],
)
def test_token_info_names_the_algorithms_that_clients_look_for_there(
    name: str, mechanisms: list[int]
) -> None:
    info = pkcs15.TokenInfo.parse(content(plan_of(name), "EFTOKENINFO"))
    assert [each.mechanism for each in info.algorithms] == mechanisms


def test_a_label_from_outside_takes_the_place_of_the_profiles() -> None:
    plan = plan_of("cardos-5.3-full.cpf", label="01234567890123456789012345678901")
    info = pkcs15.TokenInfo.parse(content(plan, "EFTOKENINFO"))
    assert info.label == "01234567890123456789012345678901"
    assert plan.label_written


def test_a_label_from_outside_is_not_written_where_no_file_holds_one() -> None:
    assert not evaluate(profile("X_Token label='x'"), label="mine").label_written


def test_the_aodf_lists_every_pin_with_what_it_is_for(full: Plan) -> None:
    pins = {
        pin.label: pin for pin in pkcs15.parse_aodf(content(full, "EFAODF")) if isinstance(pin, pkcs15.Pin)
    }
    common = PinFlags.INITIALIZED | PinFlags.NEEDS_PADDING
    assert {label: (pin.reference, pin.flags) for label, pin in pins.items()} == {
        "PIN": (1, common),
        "PUK": (2, common | PinFlags.UNBLOCKING_PIN | PinFlags.SO_PIN),
        "Signature PIN": (3, common | PinFlags.LOCAL),
        "Signature PUK": (4, common | PinFlags.UNBLOCKING_PIN),
        "Operator PIN": (5, common),
        "Manager PIN": (7, common),
    }
    assert pins["PIN"].auth_id == pins["PUK"].id
    assert pins["Signature PIN"].auth_id == pins["Signature PUK"].id
    assert {pin.path for pin in pins.values()} == {pkcs15.Path.of(0x3F00)}
    assert {(pin.min_length, pin.stored_length, pin.pad) for pin in pins.values()} == {(4, 8, 0)}


def test_the_profile_decides_who_the_security_officer_is() -> None:
    officers = {
        name: [pin.role for pin in plan_of(name).pins if pin.so]
        for name in ("cardos-5.3-full.cpf", "cardos-5.3-operator.cpf")
    }
    assert officers == {
        "cardos-5.3-full.cpf": [SecretName.PUK],
        "cardos-5.3-operator.cpf": [SecretName.OP],
    }


def test_a_pin_that_is_sent_as_it_is_is_listed_without_padding() -> None:
    text = profile(
        "SEC_OP = '123456'\nX_Pin OP reference=1 label='x' min=6 max=6 stored=auto",
        files="File Dynamic EF1\ndata=X_AODF()\nEndfile",
    )
    (pin,) = pkcs15.parse_aodf(content(evaluate(text), "EF1"))
    assert isinstance(pin, pkcs15.Pin)
    assert (pin.flags, pin.stored_length, pin.pad) == (PinFlags.INITIALIZED, 6, None)


@pytest.mark.parametrize(
    ("access", "flags", "pin"), [("always", CommonFlags(0), None), ("pin1", CommonFlags.PRIVATE, b"\x01")]
)
def test_a_key_for_anybody_is_not_listed_as_private(
    access: str, flags: CommonFlags, pin: bytes | None
) -> None:
    key_line = f"X_Key K reference=3 directory=DF1 type=rsa size=2048 use=sign access={access} label='Key'"
    text = profile(
        "SEC_PIN1 = '1234'\nX_Pin PIN1 reference=1 label='x' min=4 max=8",
        layout="CreateDf DF1 id=0x5015 maxsize=4000 update=always create=always\n"
        "CreateEf EF1 id=0x4401 maxsize=100 read=always update=always\nEndDF",
        files=f"{key_line}\nFile Dynamic EF1\ndata=X_PRKDF()\nEndfile",
    )
    (key,) = pkcs15.parse_prkdf(content(evaluate(text), "EF1"))
    assert isinstance(key, pkcs15.PrivateKey)
    assert (key.common, key.auth_id) == (flags, pin)


@pytest.mark.parametrize(
    ("said", "modifiable"), [("", False), ("modifiable=no", False), ("modifiable=yes", True)]
)
def test_both_halves_of_a_key_are_modifiable_where_the_profile_says_so(said: str, modifiable: bool) -> None:
    text = (PROFILES / "cardos-5.3-full.cpf").read_text()
    plan = evaluate(text.replace("use=sign,decipher", f"use=sign,decipher {said}"))
    private = only(pkcs15.PrivateKey, pkcs15.parse_prkdf(content(plan, "EFPRKDF")))
    public = only(pkcs15.PublicKey, pkcs15.parse_pukdf(content(plan, "EFPUKDF")))
    expected = {"Digital Signature": modifiable, "Non Repudiation": False}
    assert {key.label: CommonFlags.MODIFIABLE in key.common for key in private} == expected
    assert {key.label: CommonFlags.MODIFIABLE in key.common for key in public} == expected


def test_private_keys_are_listed_under_the_hash_of_what_the_card_makes(full: Plan) -> None:
    keys = only(pkcs15.PrivateKey, pkcs15.parse_prkdf(content(full, "EFPRKDF")))
    assert [(key.label, key.id, key.reference) for key in keys] == [
        ("Digital Signature", key_id("SIGNKEY"), 1),
        ("Non Repudiation", key_id("NONREPKEY"), 3),
    ]
    assert [key.usage for key in keys] == [
        KeyUsage.SIGN | KeyUsage.DECRYPT | KeyUsage.UNWRAP,
        KeyUsage.SIGN | KeyUsage.NON_REPUDIATION,
    ]
    assert [(key.auth_id, key.user_consent, key.size) for key in keys] == [
        (b"\x01", None, 2048),
        (b"\x03", 1, 2048),
    ]
    assert {key.path for key in keys} == {pkcs15.Path.of(0x3F00, 0x5015)}
    assert {key.common for key in keys} == {CommonFlags.PRIVATE}


def test_a_public_key_leads_to_the_file_that_holds_it(full: Plan) -> None:
    keys = only(pkcs15.PublicKey, pkcs15.parse_pukdf(content(full, "EFPUKDF")))
    assert [(key.label, key.id, key.path) for key in keys] == [
        ("Digital Signature", key_id("SIGNKEY"), pkcs15.Path.of(0x3F00, 0x5015, 0x4611)),
        ("Non Repudiation", key_id("NONREPKEY"), pkcs15.Path.of(0x3F00, 0x5015, 0x4612)),
    ]
    assert keys[0].usage == KeyUsage.VERIFY | KeyUsage.ENCRYPT | KeyUsage.WRAP
    assert content(full, "EFPUBKEY1") == Facts().public_key("SIGNKEY", PublicKeyForm.FILE)


def test_certificates_share_the_ids_of_their_keys(full: Plan) -> None:
    found = [
        each for each in pkcs15.parse_cdf(content(full, "EFCDF")) if isinstance(each, pkcs15.Certificate)
    ]
    assert [(each.label, each.id) for each in found] == [
        ("Digital Signature", key_id("SIGNKEY")),
        ("Non Repudiation", key_id("NONREPKEY")),
        ("Encryption", b"\x13"),
    ]
    assert found[0].path == pkcs15.Path.of(0x3F00, 0x5015, 0x4541)


def test_trusted_certificates_have_a_list_of_their_own(full: Plan) -> None:
    (found,) = pkcs15.parse_cdf(content(full, "EFTRUSTED"))
    assert isinstance(found, pkcs15.Certificate)
    assert (found.label, found.authority, found.id) == ("Issuing CA", True, b"\x21")


def test_the_dodf_carries_the_profiles_name(full: Plan) -> None:
    (found,) = pkcs15.parse_dodf(content(full, "EFDODF"))
    assert isinstance(found, pkcs15.DataObject)
    assert (found.label, found.path) == ("ProfileId", pkcs15.Path.of(0x3F00, 0x5015, 0xF001))
    assert content(full, "EFPROFILE") == full.profile_name.encode() == b"cardtwin_CardOS53_full_V1"


def test_what_only_a_pin_may_read_is_listed_as_private() -> None:
    text = profile(
        "SEC_OP = '1234'\nX_Pin OP reference=5 label='x'",
        layout=(
            "CreateEf EF1 id=1 maxsize=99 read=always update=op\n"
            "CreateEf EF2 id=2 maxsize=9 read=op update=op"
        ),
        files="X_Data EF2 label='secret' application='mine'\nFile Dynamic EF1\ndata=X_DODF()\nEndfile",
    )
    (found,) = pkcs15.parse_dodf(content(evaluate(text), "EF1"))
    assert isinstance(found, pkcs15.DataObject)
    assert (found.application, found.common, found.auth_id) == ("mine", CommonFlags.PRIVATE, b"\x05")


def test_a_prepersonalised_card_carries_public_key_and_all_eight_secrets() -> None:
    plan = plan_of("cardos-5.3-prepersonalised.cpf")
    found = persinfo.parse(content(plan, "EFCERT1"))
    assert [name for name, _ in found.public_keys] == ["SIGNKEY"]

    blob = CmsPinBlobCodec().decrypt(found.sec, [Key()])
    assert [name for name, _ in blob.secrets] == list(SecretName)
    assert blob.profile_name == "cardtwin_CardOS53_prepersonalised_V1"
    assert dict(blob.secrets) == {pin.role: pin.value for pin in plan.pins}


def test_secrets_from_outside_reach_the_pins_of_the_full_profiles() -> None:
    secrets = {name: Secret.of(f"1{number}111111") for number, name in enumerate(ppa.KEYWORDS)}
    made = {pin.role: pin.value for pin in plan_of("cardos-4.4-full.cpf", secrets=secrets).pins}
    assert {role: made[role] for role in secrets} == secrets


def test_gaps_in_der_are_found_again_at_any_depth() -> None:
    gap = stand_in("a key")
    inner = Tlv(0x04, gap).encode()
    der = Tlv(0x30, Tlv(0xA1, inner + b"\x02\x01\x07").encode() + b"\x02\x01\x01").encode() + b"\x05\x00"
    opened = open_gaps(der, {gap: ChipSerial()})
    assert not opened.is_literal
    assert opened.resolve(Facts()) == der.replace(gap, SERIAL).replace(b"\x30\x1e", b"\x30\x12").replace(
        b"\xa1\x19", b"\xa1\x0d"
    ).replace(b"\x04\x14", b"\x04\x08")


# Descriptions


def test_a_plan_is_described_byte_for_byte_with_placeholders() -> None:
    found = ppa.describe(plan_of("cardos-5.3-full.cpf"))
    texts = {file["name"]: file["content"] for file in found["files"]}
    assert texts["EFTOKENINFO"].startswith("30<length>02010004<length><chip serial>0C08")
    assert texts["EFPUBKEY1"] == "<public key of SIGNKEY>"
    assert texts["EFCERT1"] is None
    assert "0414<key id of SIGNKEY>" in texts["EFPRKDF"]
    assert found["files"][0]["path"] == "3F00/5015/5031"
    assert found["card_family"] == "cardos-5"
    json.dumps(found)


@pytest.mark.parametrize("name", NAMES)
def test_a_description_with_known_lengths_is_the_content_itself(name: str) -> None:
    plan = plan_of(name)

    for described, (_, file) in zip(ppa.describe(plan)["files"], plan.root.walk(), strict=True):
        text = described["content"] or ""

        for key in plan.keys:
            text = text.replace(f"<key id of {key.name}>", key_id(key.name).hex().upper())

        if "<" not in text and file.content is not None:
            assert bytes.fromhex(text) == file.content.resolve(Facts()), file.name


def test_a_description_masks_secrets_unless_asked() -> None:
    text = profile(
        "SEC_OP = '4711'\nSEC_PUK = 0x{00 FF 00 FF}\n"
        "X_Pin OP reference=1 label='x'\nX_Pin PUK reference=2 label='x'"
    )
    plan = evaluate(text)
    assert "4711" not in json.dumps(ppa.describe(plan))
    shown = {pin["role"]: pin["value"] for pin in ppa.describe(plan, show_secrets=True)["pins"]}
    assert shown == {"OP": "4711", "PUK": "0x{00FF00FF}"}


def test_a_description_says_who_may_erase_the_card() -> None:
    text = profile("SEC_OP = '4711'\nX_Pin OP reference=1 label='x'", end="CreateFiles()\nBurnFuse()")
    found = ppa.describe(evaluate(text))
    assert (found["erase_access"], found["irreversible"], found["burn_fuse"]) == ("op", True, True)
