from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from cardtwin.encoding import Engine, FieldMapping, Job, check, check_job, parse
from cardtwin.middleware import Version
from cardtwin.plan import Secret, SecretName
from cardtwin.provenance import Switches
from cardtwin.source import SourceError, SourceText
from support.encodings import INIT, LIBRARY, FakeMiddleware, description, description_text, job

CREDENTIALS = {"PUK": Secret.of("12345678"), "PIN": Secret.of("1234")}
LIBRARY_64 = "C:/Program Files (x86)/Personal/bin64/personal64.dll"
ONE_PIN = "CardPinDecryption_Output_PIN1=OUT"


def refused(work: Job) -> list[str]:
    """Run a job that is to be refused, and return the errors; not one call may reach the card."""
    middleware = FakeMiddleware()

    with pytest.raises(SourceError) as error:
        Engine(middleware).run(work)

    assert middleware.opened == []
    assert middleware.asked == []
    return [found.code for found in error.value.diagnostics if found.severity.value == "error"]


def warnings(work: Job) -> list[str]:
    findings = check_job(work)
    assert findings.errors == ()
    return [found.code for found in findings.warnings]


@pytest.mark.parametrize("size", ["512", "2047", "8192", "-2048", "2048.0", "9" * 5000])
def test_a_size_that_no_rsa_key_on_a_card_has_is_refused(size: str) -> None:
    application = f"[Application_A]\nCertTempl=Sign\nKeySize={size}\n"
    assert refused(job("PIN=PIN", CREDENTIALS, more=application)) == ["bad-key-size"]


def test_a_right_description_has_no_findings() -> None:
    assert warnings(job(INIT, CREDENTIALS)) == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("InitToken=true\nInitialPUK=PUK", "missing-profile"),
        ("InitToken=true\nInitialPUK=PUK\nChipProfile=other.cpf", "profile-not-attached"),
        ("InitToken=true\nChipProfile=token.cpf", "missing-initial-puk"),
        (f"{INIT}SignPUK=PUK", "initial-sign-puk"),
        (f"{INIT}InitialLabel=#{'x' * 33}", "label-too-long"),
        (f"{INIT}OperatorPinIsSOCredential=#true", "missing-operator-pin"),
        (f"{INIT}OperatorPinIsSOCredential=#yes", "bad-flag-value"),
        (f"{INIT}OperatorPinIsSOCredential=PUK", "bad-flag-value"),
        (f"{INIT}DeleteProfile=true", "delete-and-init"),
        (f"{INIT}PKCS11LibraryWindows64={LIBRARY_64}\nPKCS11LibraryWindows32={LIBRARY}", "library-keyword"),
        (f"{INIT}PKCS11Library={LIBRARY}", "library-keyword"),
        ("PKCS11LibraryWindows32=C:/elsewhere/personal.dll\nICCSN=PUK", "unknown-library"),
        ("PKCS11LibraryWindows32=cvP11.dll\nICCSN=PUK", "other-middleware"),
        ("UseSelectCriteriaIccsn=true\nICCSN=PUK", "missing-criterion"),
        ("MiniDriverLibrary=x.dll\nICCSN=PUK", "unknown-library"),
    ],
)
def test_what_is_wrong_is_refused_before_the_card_is_touched(settings: str, code: str) -> None:
    assert code in refused(job(settings, CREDENTIALS))


def test_deleting_with_another_middleware_is_refused_as_such() -> None:
    assert refused(job("PKCS11LibraryWindows32=cvP11.dll\nDeleteProfile=true", {})) == [
        "delete-on-other-middleware",
        "other-middleware",
    ]


def test_a_description_without_a_library_is_refused() -> None:
    text = "[Encoding]\nType=1024,Chip\nDevices=8711\n[Fields]\nF=\n[Description]\nICCSN=F\n"
    assert [found.code for found in check(parse(SourceText("test.dsc", text)))] == ["missing-library"]


@pytest.mark.parametrize("name", ["SEC_PIN1", "SEC_PIN2", "SEC_PUK", "SEC_OP", "sec_pin1", "Sec_Op"])
def test_reserved_names_are_refused_as_parameters(name: str) -> None:
    work = job(f"{INIT}ProfileParameters={name}", {**CREDENTIALS, name: "MTIz"})
    assert refused(work) == ["reserved-parameter"]


def test_a_parameter_listed_twice_is_refused() -> None:
    work = job(f"{INIT}ProfileParameters=p,P", {**CREDENTIALS, "p": "MTIz"})
    assert refused(work) == ["duplicate-parameter"]


@pytest.mark.parametrize("value", ["no base64!", "MTIz=", "M", "\u00e4"])
def test_a_parameter_that_is_not_base64_is_refused(value: str) -> None:
    assert refused(job(f"{INIT}ProfileParameters=p", {**CREDENTIALS, "p": value})) == ["not-base64"]


@pytest.mark.parametrize("value", ["", "MTIz", " MT\nIz ", base64.b64encode(bytes(range(256))).decode()])
def test_a_parameter_in_base64_is_accepted(value: str) -> None:
    assert warnings(job(f"{INIT}ProfileParameters=p", {**CREDENTIALS, "p": value})) == []


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        (INIT, {"PUK": None, "PIN": "1234"}),
        (f"{INIT}ProfileParameters=p", {**CREDENTIALS, "p": None}),
        (INIT.replace("PIN=PIN", "PIN=!FROM_USER_DIALOG_2_FIELD"), CREDENTIALS),
        (f"{INIT}OperatorPinIsSOCredential=use", {**CREDENTIALS, "use": None}),
    ],
)
def test_a_value_that_is_missing_is_refused(settings: str, values: dict[str, str | Secret | None]) -> None:
    assert refused(job(settings, values)) == ["missing-value"]


@pytest.mark.parametrize("settings", [f"{INIT}InitialLabel=f", f"{INIT}ProfileParameters=f"])
def test_half_a_surrogate_pair_in_a_value_is_refused(settings: str) -> None:
    values: dict[str, str | Secret | None] = {**CREDENTIALS, "f": "ab" + chr(0xD83D) + "c"}
    (error,) = check_job(job(settings, values)).errors
    assert error.code == "unusable-value"
    assert "the value of field 'f' is no text: half of a surrogate pair is its character 3" in error.message
    assert refused(job(settings, values)) == ["unusable-value"]
    assert not check_job(job(settings, {**CREDENTIALS, "f": "YQ=="})).errors


def test_a_mapping_of_a_field_that_is_not_declared_is_told() -> None:
    work = job(INIT, CREDENTIALS)
    (warning,) = check_job(replace(work, mapping={**work.mapping, "PINS": FieldMapping.of("x")})).warnings
    assert (warning.code, warning.remedy) == ("unknown-mapped-field", "did you mean 'PIN'?")


def test_an_empty_initial_puk_is_refused() -> None:
    assert refused(job(INIT, {"PUK": "", "PIN": "1234"})) == ["empty-value"]


def test_an_empty_criterion_selects_no_card() -> None:
    settings = "UseSelectCriteriaIccsn=true\nSelectCriteriaIccsn="
    assert refused(job(f"{settings}#", {})) == ["empty-value"]
    assert refused(job(f"{settings}which", {"which": ""})) == ["empty-value"]


def test_so_it_does_where_the_description_itself_says_that_it_logs_in() -> None:
    settings = f"{INIT}OperatorPinIsSOCredential=#true\nOperator_PIN="
    assert refused(job(f"{settings}op", {**CREDENTIALS, "op": ""})) == ["missing-operator-pin"]
    assert refused(job(f"{settings}#", CREDENTIALS)) == ["missing-operator-pin"]
    assert refused(job(f"{settings}op", {**CREDENTIALS, "op": None})) == ["missing-value"]
    assert warnings(job(f"{settings}op", {**CREDENTIALS, "op": Secret.of("1")})) == []


def test_the_operator_pin_as_so_credential_needs_a_value() -> None:
    settings = f"{INIT}OperatorPinIsSOCredential=use\nOperator_PIN=op"
    assert refused(job(settings, {**CREDENTIALS, "use": "true", "op": ""})) == ["missing-operator-pin"]
    assert refused(job(settings, {**CREDENTIALS, "use": "maybe", "op": "1"})) == ["bad-flag-value"]
    assert warnings(job(settings, {**CREDENTIALS, "use": "FALSE", "op": ""})) == []


def test_a_label_that_a_field_gives_is_measured_too() -> None:
    settings = f"{INIT}InitialLabel=label"
    assert refused(job(settings, {**CREDENTIALS, "label": "\u00e4" * 17})) == ["label-too-long"]
    assert warnings(job(settings, {**CREDENTIALS, "label": "\u00e4" * 16})) == []


@pytest.mark.parametrize("value", ["in a variable", "plain:in a plain field"])
@pytest.mark.parametrize("read", ["OUT", ""])
@pytest.mark.parametrize("name", SecretName)
def test_a_pin_is_never_read_into_plain_text(value: str, read: str, name: SecretName) -> None:
    work = job(f"CardPinDecryption_Output_{name}=OUT", {"OUT": value}, read=read)
    assert refused(work) == ["decrypted-pin-in-plain-text"]


def test_an_application_beside_pin_decryption_is_refused() -> None:
    work = job(ONE_PIN, {"OUT": Secret(b"")}, read="OUT", more="[Application_A]\n")
    assert "decryption-with-application" in refused(work)


def test_two_pins_into_one_field_are_refused() -> None:
    work = job(f"{ONE_PIN}\nCardPinDecryption_Output_PUK=out", {"OUT": Secret(b"")}, read="OUT")
    assert refused(work) == ["output-twice"]


def test_nor_by_two_fields_with_one_target() -> None:
    work = job(f"{ONE_PIN}\nICCSN=F", {"OUT": Secret(b""), "F": None}, read="OUT")
    mapping = {**work.mapping, "F": work.mapping["OUT"]}
    assert refused(Job(work.description, mapping=mapping, process=work.process)) == ["output-twice"]


def test_an_output_needs_a_field_that_its_data_pool_has() -> None:
    work = job("ICCSN=F", {"F": None})
    mapping = {"F": FieldMapping.of("${Card_None}", read=True)}
    assert refused(Job(work.description, mapping=mapping)) == ["unknown-pool-field"]


def test_a_decrypted_pin_cannot_log_in_within_the_same_encoding() -> None:
    work = job(f"DeleteProfile=true\nPIN=OUT\n{ONE_PIN}", {"OUT": Secret(b"1")}, read="OUT")
    assert refused(work) == ["decrypted-pin-as-credential"]


def test_nor_by_way_of_another_field_with_the_same_target() -> None:
    work = job(f"DeleteProfile=true\nPIN=IN\n{ONE_PIN}", {"OUT": Secret(b"1"), "IN": None}, read="OUT")
    mapping = {**work.mapping, "IN": work.mapping["OUT"]}
    same = Job(work.description, mapping=mapping, process=work.process)
    assert refused(same) == ["decrypted-pin-as-credential"]


def test_without_the_read_flag_a_warning_says_that_no_value_will_come() -> None:
    assert warnings(job(ONE_PIN, {"OUT": Secret(b"")})) == ["no-read-flag"]
    assert warnings(job(ONE_PIN, {"OUT": None})) == ["no-read-flag"]


def test_jpki_encoder_does_not_decrypt_pins() -> None:
    work = job(ONE_PIN, {"OUT": Secret(b"")}, read="OUT", devices="8710")
    assert refused(work) == ["decryption-by-jpki-encoder"]
    findings = check_job(work, switches=Switches({"encoding.device-8710": "warn"}))
    assert [found.code for found in findings] == ["decryption-by-jpki-encoder"]
    assert findings.errors == ()


@pytest.mark.parametrize(("bits", "code"), [(None, "no-java-home"), (64, "java-bits")])
def test_jpki_encoder_needs_a_jre_that_can_load_the_library(bits: int | None, code: str) -> None:
    assert refused(job(INIT, CREDENTIALS, devices="8710", jre_bits=bits)) == [code]


def test_the_desktop_app_needs_no_java() -> None:
    assert warnings(job(INIT, CREDENTIALS, devices="8711", jre_bits=None)) == []


@pytest.mark.parametrize(
    ("devices", "code", "severity"),
    [
        ("8710,8711", "several-devices", "error"),
        ("1", "unknown-device", "warning"),
        (",", "several-devices", "error"),
    ],
)
def test_devices_are_looked_at(devices: str, code: str, severity: str) -> None:
    findings = list(check(description("ICCSN=F", fields="F", devices=devices)))
    assert [(found.code, found.severity.value) for found in findings] == [(code, severity)]


def test_an_operator_pin_beside_delete_profile_is_said_to_be_unused() -> None:
    found = warnings(job("DeleteProfile=true\nOperator_PIN=OP", {"OP": None}))
    assert found == ["operator-pin-not-used"]


@pytest.mark.parametrize(
    "setting", ["PIN=#1", "ChipProfile=token.cpf", "InitialLabel=#x", "SelectCriteriaIccsn=#1", "PUK=#1"]
)
def test_a_keyword_that_nothing_uses_is_warned_of(setting: str) -> None:
    assert warnings(job(f"{setting}\nICCSN=F", {"F": ""}, read="F")) == ["unused-keyword"]


def checked(settings: str, *, devices: str = "8711", kind: str = "1024,Chip") -> list[str]:
    """Return what is found in a description that reads the ICCSN, with more settings in [Encoding]."""
    text = description_text("ICCSN=F", fields="F", devices=devices).replace("1024,Chip", kind)
    found = check(parse(SourceText("test.dsc", text.replace("[Fields]", f"{settings}\n[Fields]"))))
    return [f"{each.severity.value} {each.code}" for each in found]


def test_a_messaging_server_that_leads_nowhere_is_warned_of() -> None:
    assert checked("MessagingServerField=#server", devices="8710") == ["warning no-effect"]
    assert checked("MessagingServerField=#server") == []


def test_a_messaging_server_without_a_name_is_refused() -> None:
    work = job("ICCSN=F", {"F": "", "S": ""}, read="F")
    text = work.description.source.text.replace("[Fields]", "MessagingServerField=S\n[Fields]")
    assert refused(replace(work, description=parse(SourceText("test.dsc", text)))) == ["empty-value"]


def test_a_subtype_is_no_device_of_a_chip() -> None:
    assert checked("Subtype=12") == ["error subtype-of-chip"]
    assert checked("Subtype=12", kind="512,Magstripe") == ["error not-supported"]


def test_in_the_place_of_devices_it_is_the_only_mistake() -> None:
    text = description_text("ICCSN=F", fields="F").replace("Devices=8711", "Subtype=12")
    (found,) = check(parse(SourceText("test.dsc", text)))
    assert (found.code, found.remedy) == ("subtype-of-chip", "leave it out, and write Devices=8711")


def test_a_keyword_of_a_later_identity_manager_is_refused() -> None:
    more = "[Application_A]\nCertTempl=x\nLocation=#Signature\n"
    early = job("PIN=#1234", {}, more=more, identity_manager=Version.of("22.10.1"))
    assert refused(early) == ["keyword-too-new"]
    assert warnings(job("PIN=#1234", {}, more=more, identity_manager=Version.of("22.10.2"))) == []


def test_a_description_that_does_nothing_is_warned_of() -> None:
    assert warnings(job("", {})) == ["nothing-to-do"]


def test_pin_decryption_beside_a_login_is_warned_of() -> None:
    work = job(f"DeleteProfile=true\n{ONE_PIN}", {"OUT": Secret(b"")}, read="OUT")
    assert warnings(work) == ["decryption-with-login"]


def test_alone_a_description_is_not_asked_for_values_or_files() -> None:
    assert list(check(description(INIT, fields="PUK PIN"))) == []
    found = list(check(description(INIT, fields="PUK PIN"), attachments=["tokens.cpf"]))
    assert [(finding.code, finding.remedy) for finding in found] == [
        ("profile-not-attached", "did you mean 'tokens.cpf'?")
    ]


def test_attached_files_compare_without_regard_to_case() -> None:
    assert list(check(description(INIT, fields="PUK PIN"), attachments=["TOKEN.CPF"])) == []


def test_a_pin_in_place_of_a_flag_is_not_shown() -> None:
    work = job(f"{INIT}OperatorPinIsSOCredential=#97319731", CREDENTIALS)
    (error,) = check_job(work).errors
    assert error.code == "bad-flag-value"
    assert "9731" not in error.render()


def test_no_finding_shows_a_secret() -> None:
    work = job(
        f"{INIT}Operator_PIN=#97319731\nOperatorPinIsSOCredential=PIN\nInitialLabel=label",
        {"PUK": Secret.of("97319731"), "PIN": Secret.of("97319731"), "label": Secret.of("9731" * 20)},
    )
    findings = check_job(work)
    assert findings.errors
    assert not any("9731" in found.render() for found in findings)
