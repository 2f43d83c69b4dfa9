from __future__ import annotations

import pytest

from cardtwin.encoding import (
    EncryptedField,
    FieldMapping,
    Job,
    MissingValueError,
    PlainField,
    PoolField,
    Process,
    ProcessVariable,
)
from cardtwin.encoding.values import DialogAnswer, FieldRef, Flag, Literal, SecretLiteral
from cardtwin.plan import Secret
from cardtwin.source import SourceText
from support.encodings import description

SPAN = SourceText("test", "").start
PROCESS = Process(
    {"Label": "from a variable"},
    {"Card_Puk": EncryptedField(Secret.of("secret")), "Card_Number": PlainField("17")},
)


def job(**mapping: FieldMapping) -> Job:
    return Job(description(""), mapping=mapping, process=PROCESS, dialog={2: Secret.of("1234")})


def test_a_mapping_is_read_as_the_process_writes_it() -> None:
    assert FieldMapping.of("${Card_Puk}").target == PoolField("Card_Puk")
    assert FieldMapping.of(" ${ Card_Puk } ".strip()).target == PoolField("Card_Puk")
    assert FieldMapping.of("Label").target == ProcessVariable("Label")
    assert str(FieldMapping.of("${Card_Puk}").target) == "${Card_Puk}"


@pytest.mark.parametrize("text", ["", "  ", "${}", "$Card", "{Card}", "${Card_Puk", "${A}${B}"])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither \$\{DataPool_Field\}"):
        FieldMapping.of(text)


def test_values_come_from_where_the_description_says() -> None:
    found = job(PUK=FieldMapping.of("${Card_Puk}"), Label=FieldMapping.of("Label"))
    assert found.value(Literal("text")) == "text"
    assert found.value(SecretLiteral(Secret.of("pin"))) == Secret.of("pin")
    assert found.value(DialogAnswer(2)) == Secret.of("1234")
    assert found.value(FieldRef("puk", SPAN)) == Secret.of("secret")
    assert found.value(FieldRef("Label", SPAN)) == "from a variable"
    assert found.secret(FieldRef("Label", SPAN)) == Secret.of("from a variable")
    assert found.text(FieldRef("PUK", SPAN)) == "secret"


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("Unmapped", "mapped to nothing"),
        ("ReadOnly", "without the Write flag"),
        ("NoPool", r"\$\{Card_None\}, which doesn't exist"),
        ("NoVariable", "None, which doesn't exist"),
    ],
)
def test_a_value_that_is_not_there_is_named(field: str, message: str) -> None:
    found = job(
        ReadOnly=FieldMapping.of("${Card_Puk}", read=True, write=False),
        NoPool=FieldMapping.of("${Card_None}"),
        NoVariable=FieldMapping.of("None"),
    )

    with pytest.raises(MissingValueError, match=message):
        found.value(FieldRef(field, SPAN))


def test_a_dialog_without_an_answer_is_named() -> None:
    with pytest.raises(MissingValueError, match="nobody answers dialog 3"):
        job().value(DialogAnswer(3))


def test_a_flag_is_no_value() -> None:
    with pytest.raises(TypeError):
        job().value(Flag(on=True))


def test_a_process_is_never_changed() -> None:
    after = PROCESS.with_variable("Label", "new").with_value(PoolField("Card_Puk"), Secret.of("other"))
    assert PROCESS.variables == {"Label": "from a variable"}
    assert PROCESS.pools["Card_Puk"] == EncryptedField(Secret.of("secret"))
    assert after.value(PoolField("Card_Puk")) == Secret.of("other")
    assert after.without_variable("Label").variables == {}


@pytest.mark.parametrize("target", [PoolField("Card_Number"), ProcessVariable("Label")])
def test_a_secret_goes_into_an_encrypted_field_only(target: PoolField | ProcessVariable) -> None:
    with pytest.raises(TypeError, match="is not encrypted"):
        PROCESS.with_value(target, Secret.of("1234"))


def test_a_field_that_no_data_pool_has_takes_nothing() -> None:
    with pytest.raises(KeyError):
        PROCESS.with_value(PoolField("Card_None"), "text")


def test_a_text_in_an_encrypted_field_is_hidden() -> None:
    assert "1234" not in repr(PROCESS.with_value(PoolField("Card_Puk"), "1234"))
