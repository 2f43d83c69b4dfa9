from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PublicFormat,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.encoding.keys import (
    DESCRIPTOR_PROPERTY,
    KeyConfiguration,
    RsaDecryptionKey,
    container_properties,
    decryption_keys,
    mounted_files,
    parse_key_table,
    parse_properties,
    parse_system_properties_json,
)
from cardtwin.entropy import SeededEntropy
from cardtwin.plan import PinBlobError, oaep
from cardtwin.source import SourceError, SourceText
from support.encodings import certificate, rsa_key

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.plan import DecryptionKey

PASSWORD = "432809864240763"
TABLE = """<?xml version="1.0" encoding="UTF-8"?>
<!-- keys of the PIN decryptor -->
<engineSignEncrypt>
    <descriptors>
        <descriptor name="PinKeyDescA" version="1">
            <type algorithm="RSA" key="pinKeyA" />
        </descriptor>
        <descriptor name="PinKeyDescB" version="1"><type algorithm="RSA" key="pinKeyB"/></descriptor>
        <descriptor name="EncryptedFields"><type algorithm="AES" key="pinKeyA" mode="CBC"/></descriptor>
        <descriptor name="Parameters"><type algorithm="RSA" key="pinKeyA" padding="OAEP"/></descriptor>
        <descriptor name="NoKey"><type algorithm="RSA" key="pinKeyC"/></descriptor>
    </descriptors>
    <keys>
        <key name="pinKeyA">
            <type name="pkcs12" locationValue="classpath:pinKeyA.p12" pin="432809864240763"/>
        </key>
        <key name="pinKeyB">
            <type name="HSM" locationValue="cs_pkcs11_R2" pin="10297385314563206" alias="other" slot="3"/>
        </key>
    </keys>
</engineSignEncrypt>
"""


@pytest.fixture
def classpath(tmp_path: Path) -> Path:
    (tmp_path / "pinKeyA.p12").write_bytes(p12("a"))
    return tmp_path


def p12(name: str, password: str = PASSWORD) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"key", rsa_key(name), certificate(name), None, BestAvailableEncryption(password.encode())
    )


def load(names: str, *classpath: Path, table: str = TABLE) -> tuple[DecryptionKey, ...]:
    return decryption_keys(
        KeyConfiguration(
            parse_key_table(SourceText("engineSignEncrypt.xml", table)),
            parse_properties(SourceText("system.properties", f"{DESCRIPTOR_PROPERTY}={names}")),
            classpath,
        )
    )


def refusal(names: str, *classpath: Path, table: str = TABLE) -> str:
    with pytest.raises(SourceError) as refused:
        load(names, *classpath, table=table)

    return str(refused.value)


def test_a_listed_descriptor_gives_its_key(classpath: Path, tmp_path: Path) -> None:
    (key,) = load("PinKeyDescA", tmp_path / "nothing here", classpath)
    assert key.key_id == oaep.key_identifier(rsa_key("a").public_key())


def test_the_key_opens_what_was_encrypted_to_it(classpath: Path) -> None:
    (key,) = load("PinKeyDescA", classpath)
    sealed = oaep.encrypt(rsa_key("a").public_key(), b"content key", SeededEntropy("x"))
    assert key.unwrap(sealed, "sha256") == b"content key"


def test_a_key_refuses_what_is_not_for_it() -> None:
    sealed = oaep.encrypt(rsa_key("b").public_key(), b"content key", SeededEntropy("x"))

    with pytest.raises(PinBlobError, match="for another key"):
        RsaDecryptionKey(rsa_key("a")).unwrap(sealed, "sha256")


def test_a_key_refuses_a_hash_that_is_not_ours() -> None:
    with pytest.raises(PinBlobError, match="sha1"):
        RsaDecryptionKey(rsa_key("a")).unwrap(b"", "sha1")


def test_the_key_id_is_what_certificates_call_subject_key_identifier() -> None:
    text = repr(RsaDecryptionKey(rsa_key("a")))
    spki = rsa_key("a").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert oaep.key_identifier(rsa_key("a").public_key()).hex().upper() in text
    assert spki


def test_without_the_property_there_are_no_keys() -> None:
    configuration = KeyConfiguration(
        parse_key_table(SourceText("x.xml", TABLE)), parse_properties(SourceText("p", "other=1"))
    )
    assert decryption_keys(configuration) == ()
    assert load(" , ") == ()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("PinKeyDescC", "[unknown-descriptor]"),
        ("PinKeyDscA", "did you mean 'PinKeyDescA'?"),
        ("PinKeyA", "'PinKeyA' is a key; the descriptor that uses it is 'PinKeyDescA'"),
        ("EncryptedFields", "[not-rsa]"),
        ("EncryptedFields", "has further parameters: mode [further-parameters]"),
        ("Parameters", "has further parameters: padding [further-parameters]"),
        ("NoKey", "names key 'pinKeyC', which isn't there [unknown-key]"),
        ("PinKeyDescB", "key 'pinKeyB' in the HSM cannot be used: cs_pkcs11_R2 is no PKCS#11 library"),
    ],
)
def test_a_name_that_gives_no_usable_key_is_refused(classpath: Path, names: str, message: str) -> None:
    assert message in refusal(names, classpath)


def test_all_names_that_are_wrong_are_told_at_once(classpath: Path) -> None:
    message = refusal("PinKeyDescA, Nobody, PinKeyDescB", classpath)
    assert "system.properties:1:50: error: no descriptor is called 'Nobody'" in message
    assert "engineSignEncrypt.xml:18:" in message


def test_a_descriptor_that_is_not_listed_may_be_of_any_kind(classpath: Path) -> None:
    assert len(load("PinKeyDescA,", classpath)) == 1


def test_a_file_that_is_missing_is_refused_with_the_places_looked_at(tmp_path: Path) -> None:
    message = refusal("PinKeyDescA", tmp_path)
    assert "classpath:pinKeyA.p12 is not found [missing-key-file]" in message
    assert str(tmp_path) in message


def test_a_location_without_classpath_is_a_path(classpath: Path) -> None:
    table = TABLE.replace("classpath:pinKeyA.p12", str(classpath / "pinKeyA.p12"))
    assert len(load("PinKeyDescA", table=table)) == 1


def without_protection() -> bytes:
    """Return a file that is neither encrypted nor authenticated, so that its contents can be changed."""
    content = pkcs12.serialize_key_and_certificates(
        b"key", rsa_key("a"), certificate("a"), None, NoEncryption()
    )
    whole = asn1_pkcs12.Pfx.load(content)
    changed: bytes = asn1_pkcs12.Pfx({"version": "v3", "auth_safe": whole["auth_safe"]}).dump()
    return changed


def test_a_file_with_bytes_behind_its_end_is_read(classpath: Path) -> None:
    (classpath / "pinKeyA.p12").write_bytes(p12("a") + b"\x00")
    assert len(load("PinKeyDescA", classpath)) == 1


def test_a_file_whose_certificate_is_none_is_refused(classpath: Path) -> None:
    version_3, version_11 = bytes.fromhex("A003020102"), bytes.fromhex("A00302010A")
    content = without_protection()
    assert version_3 in content
    (classpath / "pinKeyA.p12").write_bytes(content.replace(version_3, version_11))
    table = TABLE.replace('pin="432809864240763"', "")
    assert "broken, or its PIN is wrong" in refusal("PinKeyDescA", classpath, table=table)


@pytest.mark.parametrize("content", [b"no PKCS#12", p12("a", "other")])
def test_a_file_that_does_not_open_is_refused(classpath: Path, content: bytes) -> None:
    (classpath / "pinKeyA.p12").write_bytes(content)
    assert "broken, or its PIN is wrong" in refusal("PinKeyDescA", classpath)


def test_a_key_that_is_not_rsa_is_refused(classpath: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    password = BestAvailableEncryption(PASSWORD.encode())
    content = pkcs12.serialize_key_and_certificates(b"k", key, None, None, password)
    (classpath / "pinKeyA.p12").write_bytes(content)
    assert "holds no RSA key" in refusal("PinKeyDescA", classpath)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("</engineSignEncrypt>", "", "bad-xml"),
        ('name="PinKeyDescA" ', "", "missing-name"),
        ('<type algorithm="RSA" key="pinKeyB"/>', "", "missing-type"),
        ('"PinKeyDescB"', '"PinKeyDescA"', "duplicate-name"),
        ('<key name="pinKeyB"', '<key name="pinKeyA"', "duplicate-name"),
        ("engineSignEncrypt>", "somethingElse>", "wrong-root"),
        ('name="HSM"', 'name="jks"', "unknown-key-type"),
    ],
)
def test_a_broken_table_is_refused_with_place_and_rule(
    classpath: Path, old: str, new: str, code: str
) -> None:
    message = refusal("PinKeyDescB", classpath, table=TABLE.replace(old, new))
    assert f"[{code}]" in message
    assert message.startswith("engineSignEncrypt.xml:")


def test_entities_are_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n<engineSignEncrypt>&b;</engineSignEncrypt>'

    with pytest.raises(SourceError, match="document type is not allowed"):
        parse_key_table(SourceText("x.xml", bomb))


@pytest.mark.parametrize(
    "broken",
    [
        TABLE.replace('name="pkcs12"', 'name="unheard of"'),
        TABLE.replace('pin="432809864240763"/>', 'pin="432809864240763"'),
        TABLE.replace('pin="432809864240763"', "pin = '432809864240763' pin='x'"),
        TABLE.replace('pin="432809864240763"', 'pin="432809864240763'),
        TABLE,
    ],
)
def test_no_message_shows_a_pin(broken: str) -> None:
    assert "4328098" not in refusal("PinKeyDescA", table=broken)


def test_a_table_shows_no_pin() -> None:
    assert "4328098" not in repr(parse_key_table(SourceText("x.xml", TABLE)))


@pytest.mark.parametrize(
    "line",
    [
        "key=a, b",
        "key = a, b ",
        "key: a, b",
        "key a, b",
        "key=\\\n  a, \\\n  b",
        "# key=c\n! key=d\nkey=a, b",
        "key=c\nkey=a, b",
    ],
)
def test_properties_are_read_in_all_their_forms(line: str) -> None:
    found = parse_properties(SourceText("p", f"other=1\n{line}\nlast=2")).get("key")
    assert found is not None
    assert found.value == "a, b"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("path=C:\\\\keys\\\\\nkey=a, b", "a, b"),
        ("key=C:\\\\keys\\\\", "C:\\keys\\"),
        ("key=:b", ":b"),
        ("key=a\\u00e4\\tb\\=", "aä\tb="),
        ("other\\ key=x\nkey=a\\", "a"),
        ("key", ""),
    ],
)
def test_escapes_in_properties_are_those_of_java(text: str, value: str) -> None:
    found = parse_properties(SourceText("p", text)).get("key")
    assert found is not None
    assert found.value == value


@given(st.text())
def test_any_text_is_read_as_properties_whose_places_are_in_it(text: str) -> None:
    source = SourceText("p", text)

    for item in parse_properties(source).items:
        assert 1 <= item.span.column <= len(source.line(item.span.line)) + 1


def test_a_property_shows_no_value() -> None:
    assert "hunter2" not in repr(parse_properties(SourceText("p", "db.password=hunter2")))


def test_a_name_in_json_that_resolves_to_nothing_has_its_place() -> None:
    text = '{\n "a": "",\n  "pinBlobDecryptor.keyDescriptorNames": "PinKeyDescA, Nobody"}'
    properties = parse_system_properties_json(SourceText("SYSTEM_PROPERTIES", text))
    table = parse_key_table(SourceText("x.xml", TABLE))

    with pytest.raises(SourceError, match="SYSTEM_PROPERTIES:3:56: error: no descriptor is called 'Nobody'"):
        decryption_keys(KeyConfiguration(table, properties))


def test_a_containers_properties_come_as_json() -> None:
    text = SourceText("SYSTEM_PROPERTIES", '{"pinBlobDecryptor.keyDescriptorNames": "A,B"}')
    found = parse_system_properties_json(text).get(DESCRIPTOR_PROPERTY)
    assert found is not None
    assert found.value == "A,B"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "[" * 100_000, "1" * 5_000])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="bad-json"):
        parse_system_properties_json(SourceText("SYSTEM_PROPERTIES", text))


@pytest.mark.parametrize("attribute", ['alias="other"', 'slot="3"'])
def test_a_key_in_an_hsm_is_named_by_slot_and_alias(attribute: str) -> None:
    table = parse_key_table(SourceText("t.xml", TABLE.replace(attribute, "")))
    chosen = parse_properties(SourceText("p.properties", f"{DESCRIPTOR_PROPERTY}=PinKeyDescB"))

    with pytest.raises(SourceError) as caught:
        decryption_keys(KeyConfiguration(table, chosen))

    assert [found.code for found in caught.value.diagnostics] == ["incomplete-hsm-key"]


CLASSES = "/usr/local/tomcat/webapps/ROOT/WEB-INF/classes"


def test_in_a_container_mounted_files_are_the_class_path(tmp_path: Path) -> None:
    (tmp_path / "other name.p12").write_bytes(p12("a"))
    mounted = mounted_files(
        [f"{tmp_path}/other name.p12:{CLASSES}/pinKeyA.p12:ro", "/etc/hosts:/usr/local/hosts"]
    )
    environment = {"SYSTEM_PROPERTIES": '{"pinBlobDecryptor.keyDescriptorNames": "PinKeyDescA"}', "TZ": "UTC"}
    table = parse_key_table(SourceText("signencrypt.xml", TABLE))
    (key,) = decryption_keys(KeyConfiguration(table, container_properties(environment), mounted=mounted))
    assert key.key_id == oaep.key_identifier(rsa_key("a").public_key())


def test_a_container_without_the_variable_has_no_keys() -> None:
    assert container_properties({"TZ": "UTC"}).items == ()


@pytest.mark.parametrize("volume", ["", "pinKeyA.p12", "/a:relative", ":/x"])
def test_what_is_no_volume_is_refused(volume: str) -> None:
    with pytest.raises(ValueError, match="no volume"):
        mounted_files([volume])


def test_xml_is_no_system_properties() -> None:
    with pytest.raises(SourceError) as caught:
        parse_properties(SourceText("system.properties", TABLE))

    assert [found.code for found in caught.value.diagnostics] == ["xml-as-properties"]
