"""Card profiles for tests: texts, an environment, strategies, and the way back from tree to text."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import strategies as st

from cardtwin import ppa
from cardtwin.entropy import SeededEntropy
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.ppa.blocks import BLOCKS
from cardtwin.ppa.syntax import (
    Assignment,
    Attribute,
    Block,
    ByteString,
    Call,
    CallStatement,
    Directive,
    Expression,
    Name,
    Number,
    Statement,
    String,
)
from cardtwin.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cardtwin.plan import Plan
    from cardtwin.source import Diagnostics

SKETCH = r"""
MakeCardEraseable()
CardModel 'SIEMENS50'
PROFILENAME = 'P15_Siemens'
PERSINFO_PUT_PROFILENAME(PROFILENAME)

; eight secrets
SEC_PIN1 = SECRANDOM(6)
PERSINFO_PUT_SEC(SEC_PIN1)
SEC_PIN2 = SECRANDOM(6)
PERSINFO_PUT_SEC(SEC_PIN2)
SEC_PIN3 = SECRANDOM(6)
PERSINFO_PUT_SEC(SEC_PIN3)
SEC_PUK = SECRANDOM(8)
PERSINFO_PUT_SEC(SEC_PUK)
SEC_PUK1 = SECRANDOM(8)
PERSINFO_PUT_SEC(SEC_PUK1)
SEC_PUK2 = SECRANDOM(8)
PERSINFO_PUT_SEC(SEC_PUK2)
SEC_OP = SECRANDOM(8)
PERSINFO_PUT_SEC(SEC_OP)
SEC_MAN = SECRANDOM(8)
PERSINFO_PUT_SEC(SEC_MAN)
PERSINFO_ENCRYPT_SEC()

MasterFile
CreateDf DFPKCS15 id=0x5015 maxsize=22000 update=always create=always \
   aid=0x{A0 00 00 00 63 50 4B 43 53 2D 31 35}
CreateEf EFODF     id=0x5031 maxsize=auto read=always update=always
CreateEf EFCDF1    id=0x4441 maxsize=1700 read=always update=always
CreateEf EFCERT1   id=0x4541 maxsize=6000 read=always update=always
EndDF  ;DFPKCS15
Endfile

File Static EFODF
data= 0x{
A4 0A        ; certificates
   30 08
      04 06 3F 00 50 15 44 41
}
Endfile

File Static EFCDF1
data= 0x{
30 2F
   30 1A
      0C 11  ; the label
         44 69 67 69 74 61 6C 20 53 69 67 6E 61 74 75 72 65
      03 02 06 40
      04 01 01
   30 03
      04 01 11
   A1 0C 30 0A 30 08 04 06 3F 00 50 15 45 41
}
Endfile

File Dynamic EFCERT1
data = PERSINFO_SEC()   ; the encrypted PINs
Endfile

CreateFiles()
"""
"""What the vendor's public example says, in its statements and values."""


def profile(
    head: str = "",
    *,
    start: str = "CardModel 'SIEMENS50'",
    layout: str = "CreateEf EF1 id=0x4401 maxsize=100 read=always update=always",
    files: str = "",
    end: str = "CreateFiles()",
) -> str:
    """Return a whole profile around what a test is about."""
    return f"{start}\n{head}\nMasterFile\n{layout}\nEndfile\n{files}\n{end}\n"


@cache
def rsa_key(name: str = "PIN encryption") -> rsa.RSAPrivateKey:
    """Return a key, the same for the same name in one run."""
    assert name
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate(*, with_ec: bool = False) -> x509.Certificate:
    """Return a PIN encryption certificate."""
    key: Any = ec.generate_private_key(ec.SECP256R1()) if with_ec else rsa_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "PIN encryption")])
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )


def environment(**changes: Any) -> ppa.Environment:
    """Return an environment with a seed, the shipped codec and a certificate, with these changes."""
    values: dict[str, Any] = {
        "entropy": SeededEntropy("profiles"),
        "codec": CmsPinBlobCodec(),
        "certificate": certificate(),
    }
    return ppa.Environment(**values | changes)


def evaluate(text: str, report: Diagnostics | None = None, **changes: Any) -> Plan:
    """Return the plan of a profile's text."""
    return ppa.evaluate(ppa.parse(SourceText("x.cpf", text)), environment(**changes), report)


# From tree to text


def unparse(
    statements: Iterable[Statement],
    *,
    case: Callable[[str], str] = str,
    blank: str = " ",
    end: str = "\n",
) -> str:
    """Write statements as text.

    Args:
        statements: The statements.
        case: What is done to names and keywords.
        blank: What stands between words.
        end: What ends a line.
    """
    writer = _Writer(case, blank, end)
    return "".join(writer.statement(each) for each in statements)


class _Writer:
    def __init__(self, case: Callable[[str], str], blank: str, end: str) -> None:
        self._case = case
        self._blank = blank
        self._end = end

    def statement(self, statement: Statement) -> str:
        match statement:
            case Assignment(name, value):
                return self._line(self._case(name.text), "=", self._expression(value))
            case CallStatement(call):
                return self._line(self._expression(call))
            case Directive(keyword, operands, attributes):
                words = [self._expression(each) for each in operands]
                words += [self._attribute(each) for each in attributes]
                return self._line(self._case(keyword.text), *words)
            case Block(opening, body, closing):
                return "".join(self.statement(each) for each in (opening, *body, closing))

    def _line(self, *words: str) -> str:
        return self._blank.join(words) + self._end

    def _attribute(self, attribute: Attribute) -> str:
        values = f"{self._blank},".join(self._expression(value) for value in attribute.values)
        return f"{self._case(attribute.name.text)}{self._blank}={values}"

    def _expression(self, expression: Expression) -> str:
        match expression:
            case Name(text):
                return self._case(text)
            case String(text):
                return f"'{text}'"
            case Number(value):
                return self._case(f"0x{value:x}" if value % 2 else f"{value}")
            case ByteString(value):
                return f"0x{{{self._blank}{self._case(value.hex(' '))}{self._blank}}}"
            case Call(name, arguments):
                inside = f"{self._blank},".join(self._expression(each) for each in arguments)
                return f"{self._case(name.text)}{self._blank}({inside}{self._blank})"


# Trees

_NOWHERE = SourceText("", "").start
_KEYWORDS = {word.casefold() for pair in BLOCKS.items() for word in pair}

names = st.builds(
    Name,
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(
        lambda text: text.casefold() not in _KEYWORDS
    ),
    st.just(_NOWHERE),
)
_texts = st.text(st.characters(exclude_characters="'\n\r", exclude_categories=["Cs"]), max_size=12)
_leaves = (
    names
    | st.builds(String, _texts, st.just(_NOWHERE))
    | st.builds(Number, st.integers(0, 2**32), st.just(_NOWHERE))
    | st.builds(ByteString, st.binary(max_size=8), st.just(_NOWHERE))
)
expressions: st.SearchStrategy[Expression] = st.recursive(
    _leaves,
    lambda inner: st.builds(Call, names, st.lists(inner, max_size=3).map(tuple), st.just(_NOWHERE)),
    max_leaves=4,
)
_attributes = st.builds(
    Attribute, names, st.lists(expressions, min_size=1, max_size=3).map(tuple), st.just(_NOWHERE)
)


def _keyword(text: str) -> Name:
    return Name(text, _NOWHERE)


def _directives(keywords: st.SearchStrategy[Name]) -> st.SearchStrategy[Directive]:
    return st.builds(
        Directive,
        keywords,
        st.lists(_leaves, max_size=3).map(tuple),
        st.lists(_attributes, max_size=3).map(tuple),
        st.just(_NOWHERE),
    )


_lines = (
    st.builds(Assignment, names, expressions, st.just(_NOWHERE))
    | st.builds(
        CallStatement,
        st.builds(Call, names, st.lists(expressions, max_size=3).map(tuple), st.just(_NOWHERE)),
    )
    | _directives(names)
)


def _blocks(opening: str, body: st.SearchStrategy[Any]) -> st.SearchStrategy[Block]:
    closing = Directive(_keyword(BLOCKS[opening]), (), (), _NOWHERE)
    return st.builds(
        Block,
        _directives(st.just(_keyword(opening))),
        st.lists(body, max_size=3).map(tuple),
        st.just(closing),
    )


_directories = st.recursive(_lines, lambda inner: _blocks("CreateDf", inner), max_leaves=4)
statements: st.SearchStrategy[list[Statement]] = st.lists(
    _lines | _blocks("MasterFile", _directories) | _blocks("File", _lines), max_size=6
)
"""Statements of any names: what the grammar allows, whether or not it means anything."""
