from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.encoding import Description, parse
from cardtwin.encoding.keywords import Keyword, SectionKind, find, keyword, keywords
from cardtwin.encoding.values import (
    Criterion,
    DialogAnswer,
    FieldList,
    FieldRef,
    Flag,
    Label,
    Literal,
    SecretLiteral,
    Terms,
    Text,
    ValueForm,
)
from cardtwin.plan import Secret
from cardtwin.source import SourceError, SourceText
from support.encodings import description, description_text

if TYPE_CHECKING:
    from collections.abc import Callable


def codes(text: str, *, strict: bool = True) -> list[str]:
    with pytest.raises(SourceError) as refused:
        parse(SourceText("test.dsc", text), strict=strict)

    return [found.code for found in refused.value.diagnostics]


def refusal(settings: str, fields: str = "") -> str:
    with pytest.raises(SourceError) as refused:
        description(settings, fields=fields)

    return str(refused.value)


def value_of(read: Description, name: str) -> object:
    setting = read.settings.get(name)
    assert setting is not None
    return setting.value


def test_sections_fields_and_comments_are_read() -> None:
    read = parse(
        SourceText(
            "a.dsc",
            "# a comment\n[Encoding]\nType=1024,Chip\nDevices=8711\n[Fields]\nPUK=\nOP_PIN=\n"
            "[Description]\n# another one\nInitToken=true\n[Application_A]\nCertTempl=x\n[Application_B]\n",
        )
    )
    assert [field.name for field in read.fields] == ["PUK", "OP_PIN"]
    assert [setting.name for setting in read.encoding] == ["Type", "Devices"]
    assert [application.name for application in read.applications] == ["A", "B"]
    assert value_of(read, "InitToken") == Flag(on=True)


def test_keywords_sections_and_field_references_compare_without_regard_to_case() -> None:
    read = parse(
        SourceText(
            "a.dsc",
            "[ENCODING]\nTYPE=1024,Chip\ndevices=8711\n[fields]\nIccsnField=\nOp=\n"
            "[description]\noperator_pin=OP\niccsnfield=ICCSNFIELD\ninittoken=TRUE\n",
        )
    )
    operator = value_of(read, "Operator_PIN")
    assert isinstance(operator, FieldRef)
    assert operator.name == "Op"
    iccsn = value_of(read, "ICCSN")
    assert isinstance(iccsn, FieldRef)
    assert iccsn.name == "IccsnField"
    assert read.settings.flag("InitToken")


def test_a_field_may_be_called_as_a_keyword_is() -> None:
    read = description("PIN=PIN\nICCSN=InitToken", fields="PIN InitToken")
    assert isinstance(value_of(read, "PIN"), FieldRef)


def test_both_names_of_the_iccsn_mean_the_same_keyword() -> None:
    assert "[duplicate-keyword]" in refusal("ICCSN=a\niccsnfield=b", "a b")
    assert find(SectionKind.DESCRIPTION, "iccsnfield") is find(SectionKind.DESCRIPTION, "ICCSN")


def test_pin2_is_an_alias_of_signpin() -> None:
    read = description("PIN2=F", fields="F")
    assert read.settings.get("SignPIN") is not None
    assert "[duplicate-keyword]" in refusal("PIN2=F\nSignPIN=F", "F")


def test_values_have_the_form_that_the_keyword_takes() -> None:
    read = description(
        "InitialLabel=#My Token = 1\nPIN=!FROM_USER_DIALOG_2_FIELD\n"
        "ProfileParameters=a , b\nInitialPUK=#12345678",
        fields="a b",
    )
    assert value_of(read, "InitialLabel") == Literal("My Token = 1")
    assert value_of(read, "PIN") == DialogAnswer(2)
    assert value_of(read, "InitialPUK") == SecretLiteral(Secret.of("12345678"))
    parameters = value_of(read, "ProfileParameters")
    assert isinstance(parameters, FieldList)
    assert [field.name for field in parameters.fields] == ["a", "b"]
    assert isinstance(value_of(read, "PKCS11LibraryWindows32"), Text)


def test_values_of_applications_are_read() -> None:
    read = description(
        "",
        fields="USER",
        more="[Application_A]\n"
        'ObjectCriteria=CKO_PUBLIC_KEY,CKA_LABEL,string,"Digital, Signature"\n'
        "LabelExpressionDataObject=Issued for !{user} today\n"
        'AttributesDataObject=CKA_PRIVATE=TRUE,CKA_APPLICATION="ID,M"\n',
    )
    settings = read.applications[0].settings
    criteria, label, attributes = (setting.value for setting in settings)
    assert criteria == Terms("CKO_PUBLIC_KEY", (Criterion("CKA_LABEL", "string", "Digital, Signature"),))
    assert attributes == Terms(
        "", (Criterion("CKA_PRIVATE", "", "TRUE"), Criterion("CKA_APPLICATION", "", "ID,M"))
    )
    assert isinstance(label, Label)
    assert [part if isinstance(part, str) else part.name for part in label.parts] == [
        "Issued for ",
        "USER",
        " today",
    ]


def test_every_setting_knows_its_place() -> None:
    setting = description("ICCSN= F", fields="F").settings.get("ICCSN")
    assert setting is not None
    assert isinstance(setting.value, FieldRef)
    assert setting.span.source.line(setting.span.line) == "ICCSN= F"
    assert (setting.span.column, setting.value.span.column) == (1, 8)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("InitTokn=true", "unknown-keyword"),
        ("InitToken=yes", "bad-value"),
        ("InitToken=", "bad-value"),
        ("InitToken=#true", "bad-value"),
        ("InitToken=true\nINITTOKEN=true", "duplicate-keyword"),
        ("ICCSN=#literal", "bad-value"),
        ("ICCSN=", "bad-value"),
        ("ICCSN=nowhere", "undeclared-field"),
        ("ChipProfile=#x.cpf", "bad-value"),
        ("PIN=!FROM_USER_DIALOG_4_FIELD", "bad-value"),
        ("PIN=!FROM_NOBODY", "bad-value"),
        ("ProfileParameters=a,,a", "bad-value"),
        ("ProfileParameters=a,c", "undeclared-field"),
        ("CertTempl=x", "unknown-keyword"),
        ("no assignment", "bad-line"),
        ("[Somewhere]", "unknown-section"),
        ("[Description]", "duplicate-section"),
        ("[Application_A]\nObjectCriteria=CKO_PUBLIC_KEY", "bad-value"),
        ("[Application_A]\nObjectCriteria=", "bad-value"),
        ("[Application_A]\nAttributesDataObject=CKA_PRIVATE", "bad-value"),
        ("[Application_A]\nLabelExpressionDataObject=for !{nobody}", "undeclared-field"),
        ("[Application_A]\n[application_a]", "duplicate-section"),
    ],
)
def test_what_is_wrong_is_refused_with_its_rule(settings: str, code: str) -> None:
    assert codes(description_text(settings, fields="a")) == [code]


@pytest.mark.parametrize("missing", ["Encoding", "Description"])
def test_a_description_needs_its_sections(missing: str) -> None:
    text = "".join(f"[{name}]\n" for name in ("Encoding", "Fields", "Description") if name != missing)
    assert codes(text) == ["missing-section"]


def test_all_mistakes_are_told_at_once_with_place_and_remedy() -> None:
    message = refusal("InitTokn=true\nICCSN=ICCN", "ICCSN")
    assert "test.dsc:10:1: error: 'InitTokn' is no keyword of [Description] [unknown-keyword]" in message
    assert "did you mean 'InitToken'?" in message
    assert "test.dsc:11:7: error: 'ICCN' is no field of this description [undeclared-field]" in message
    assert "did you mean 'ICCSN'?" in message


def test_the_misprint_of_the_documentation_is_pointed_out() -> None:
    message = refusal("useChipSerialAslccsn=true")
    assert "write useChipSerialAsIccsn, with the letter i where l stands" in message


def test_a_keyword_in_the_wrong_section_is_told_where_it_belongs() -> None:
    assert "CertTempl belongs into [Application_X]" in refusal("CertTempl=x")


def test_a_field_declared_twice_is_refused_naming_both() -> None:
    text = description_text("ICCSN=a", fields="a A")
    with pytest.raises(SourceError, match=r"declared twice") as refused:
        parse(SourceText("test.dsc", text))

    assert "note: the first one" in str(refused.value)


def test_lenient_reading_warns_of_what_nobody_knows() -> None:
    text = description_text("Unknown=1\nInitToken=#true\n[Elsewhere]\na=b")
    read = parse(SourceText("test.dsc", text), strict=False)
    assert [found.code for found in read.warnings] == ["unknown-keyword", "flag-with-hash", "unknown-section"]
    assert read.settings.flag("InitToken")


def test_a_value_behind_a_field_is_warned_of() -> None:
    read = parse(SourceText("test.dsc", "[Encoding]\n[Fields]\na=1\n[Description]\n"))
    assert [found.code for found in read.warnings] == ["field-with-value"]


@pytest.mark.parametrize(
    "line",
    [
        "PIN=#73917391\nPIN=#73917391",
        "PIN=73917391",
        "PINN=#73917391",
        "Operator_Pin=!73917391",
        "PIN #73917391",
        "=#73917391",
        "[PIN=#73917391",
        "PIN = #73917391 \nPIN=#",
        "[Application_A]\nP12PASSWORD=73917391",
        "PIM=#73917391",
        "P1N=73917391",
        "PIN: 73917391",
        "PIN 73917391",
        "P1N 73917391",
        "[PIN=73917391",
        "[PIN 73917391",
        "SetPIN=73917391",
        "SetPIN=#73917391",
        "CardPinDecryption_Output_PIN1=#73917391",
    ],
)
def test_no_message_shows_a_literal_pin(line: str) -> None:
    message = refusal(line)
    assert "test.dsc" in message
    assert "73917391" not in message


def test_what_cannot_be_a_secret_is_shown() -> None:
    message = refusal(
        "ChipProfil=token.cpf\nMistake of mine\nICCSN=NOT_DECLARED\nSetPIN=maybe\n[Odd section]"
    )
    assert all(
        text in message for text in ("=token.cpf", "Mistake of mine", "=NOT_DECLARED", "=maybe", "[Odd")
    )


def test_nor_where_the_pin_stands_outside_all_sections() -> None:
    with pytest.raises(SourceError) as refused:
        parse(SourceText("test.dsc", "PIN=#73917391\n" + description_text("")))

    assert "outside-section" in str(refused.value)
    assert "73917391" not in str(refused.value)


def test_a_description_shows_no_literal_pin() -> None:
    read = description("PIN=#73917391\nInitialLabel=#shown")
    assert "73917391" not in repr(read)
    assert "73917391" not in read.source.text
    assert "shown" in read.source.text


def places(read: Callable[[], Description]) -> set[int]:
    """Return the lines that are complained of."""
    try:
        read()
    except SourceError as error:
        return {found.span.line for found in error.diagnostics}

    return set()


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert places(lambda: parse(SourceText("any.dsc", text))) <= set(range(1, text.count("\n") + 2))


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\n\r"), max_size=30), max_size=8))
def test_any_settings_are_read_or_refused(lines: list[str]) -> None:
    found = places(lambda: description("\n".join(lines), fields="a b"))
    assert found <= set(range(1, 11 + len(lines)))


def test_every_keyword_says_where_it_comes_from() -> None:
    assert all(entry.source for entry in keywords())
    assert len(keywords(SectionKind.DESCRIPTION)) > 30


def test_a_keyword_is_entered_once() -> None:
    with pytest.raises(ValueError, match="already"):
        keyword(Keyword("pin2", SectionKind.DESCRIPTION, ValueForm.VALUE, "here"))


@pytest.mark.parametrize("text", ["CardModel 'SIEMENS50'\n" * 200, "A=1\n" * 200, "MasterFile"])
def test_a_file_that_is_no_description_is_told_once(text: str) -> None:
    assert codes(text) == ["no-description"]


def test_an_empty_file_lacks_its_sections() -> None:
    assert codes("# nothing\n") == ["missing-section", "missing-section"]


def test_after_a_hundred_errors_reading_ends() -> None:
    text = "[Encoding]\n" + "".join(f"Nosuch{number}=x\n" for number in range(300))
    assert codes(text) == ["unknown-keyword"] * 100 + ["too-many-errors"]
