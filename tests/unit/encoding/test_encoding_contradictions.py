"""What the public pages get wrong or contradict themselves in: found, with a remedy."""

from __future__ import annotations

import pytest

from cardtwin.encoding import check, parse
from cardtwin.encoding.keys import check_names, parse_key_table, parse_properties
from cardtwin.source import Diagnostic, SourceError, SourceText
from support.encodings import INIT, LIBRARY, description_text

FIELDS = "PUK PIN OP SERIAL F"
LIBRARY_64 = LIBRARY.replace("bin/personal", "bin64/personal64")


def findings(settings: str, *, strict: bool = True) -> list[Diagnostic]:
    source = SourceText("t.dsc", description_text(settings, fields=FIELDS))

    try:
        return list(check(parse(source, strict=strict)))
    except SourceError as error:
        return list(error.diagnostics)


@pytest.mark.parametrize(
    "settings", [f"{INIT}Operator_Pin=OP", f"{INIT}OPERATOR_PIN=op", "iccsnfield=f", "ICCSN=F"]
)
def test_two_spellings_of_one_keyword_are_both_right(settings: str) -> None:
    assert findings(settings) == []


@pytest.mark.parametrize(
    ("settings", "code", "remedy"),
    [
        ("iccsnfield=F\nICCSN=F", "duplicate-keyword", "ICCSN and iccsnfield are the same"),
        ("useChipSerialAslccsn=true", "unknown-keyword", "write useChipSerialAsIccsn, with the letter i"),
        ("InitToken=#true", "bad-value", "write true, without the #"),
        (f"{INIT}OperatorPinIsSOCredential=true", "undeclared-field", "write #true"),
        (f"{INIT}(...)", "left-out", "write what belongs there"),
    ],
)
def test_strictly_each_is_an_error_that_says_what_is_right(settings: str, code: str, remedy: str) -> None:
    (found,) = (each for each in findings(settings) if each.severity.value == "error")
    assert found.code == code
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("useChipSerialAslccsn=true\nICCSN=F", "unknown-keyword"),
        (f"{INIT.replace('InitToken=true', 'InitToken=#true')}", "flag-with-hash"),
        (f"{INIT}Operator_PIN=OP\nOperatorPinIsSOCredential=true", "value-without-hash"),
    ],
)
def test_leniently_each_is_a_warning(settings: str, code: str) -> None:
    (found,) = findings(settings, strict=False)
    assert (found.code, found.severity.value) == (code, "warning")


def test_a_field_called_true_is_no_slip() -> None:
    text = description_text(f"{INIT}Operator_PIN=OP\nOperatorPinIsSOCredential=true", fields=f"{FIELDS} true")
    assert list(check(parse(SourceText("t.dsc", text), strict=False))) == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (f"PKCS11LibraryWindows32={LIBRARY_64}\nICCSN=F", "library-bits"),
        (f"PKCS11LibraryWindows64={LIBRARY}\nICCSN=F", "library-bits"),
        (INIT.replace("token.cpf", "token.txt"), "profile-name"),
        ("CMSCardSerialNumber=SERIAL", "serial-without-login"),
    ],
)
def test_what_the_documentation_advises_against_is_warned_of(settings: str, code: str) -> None:
    (found,) = findings(settings)
    assert (found.code, found.severity.value) == (code, "warning")
    assert found.remedy


TABLE = """<engineSignEncrypt><descriptors>
<descriptor name="PinKeyDescA" version="1"><type algorithm="RSA" key="pinKeyA"/></descriptor>
<descriptor name="PinKeyDescB" version="1"><type algorithm="RSA" key="pinKeyB"/></descriptor>
</descriptors><keys>
<key name="pinKeyA"><type name="pkcs12" locationValue="classpath:a.p12" pin="1"/></key>
<key name="pinKeyB"><type name="HSM" locationValue="x" pin="1" alias="b" slot="3"/></key>
</keys></engineSignEncrypt>"""


def names(listed: str, table: str = TABLE) -> list[Diagnostic]:
    properties = parse_properties(SourceText("system.properties", listed))
    return list(check_names(parse_key_table(SourceText("t.xml", table)), properties))


def test_names_of_keys_are_told_to_be_no_descriptors() -> None:
    found = names("pinBlobDecryptor.keyDescriptorNames=PinKeyA,PinKeyB")
    assert [each.code for each in found] == ["unknown-descriptor", "unknown-descriptor"]
    assert "'PinKeyDescA'" in found[0].remedy


def test_names_that_lead_to_keys_are_right_and_no_key_is_loaded() -> None:
    assert names("pinBlobDecryptor.keyDescriptorNames=PinKeyDescA,PinKeyDescB") == []


@pytest.mark.parametrize(
    ("listed", "table", "code"),
    [
        ("other=1", TABLE, "no-descriptors"),
        (
            "pinBlobDecryptor.keyDescriptorNames=PinKeyDescA",
            TABLE.replace('key="pinKeyB"', 'key="pinKeyA"'),
            "shared-key",
        ),
        (
            "pinBlobDecryptor.keyDescriptorNames=PinKeyDescA",
            TABLE.replace('"PinKeyDescA" version="1"', '"PinKeyDescA" version="2"'),
            "descriptor-version",
        ),
    ],
)
def test_what_is_advised_against_for_keys_is_warned_of(listed: str, table: str, code: str) -> None:
    (found,) = names(listed, table)
    assert (found.code, found.severity.value) == (code, "warning")
