"""Mistakes that a profile can have, one for every way to make it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cardtwin.plan import PinBlobError, Secret, SecretName
from support.profiles import certificate, profile

DF = "CreateDf DF1 id=0x5015 maxsize={size} update=always create=always{more}\n{inside}\nEndDF"
EF = "CreateEf {name} id={id} maxsize={size} read=always update=always"
KEYED = f"{EF.format(name='EF1', id='0x4401', size=300)}\n{DF.format(size=500, more='', inside='')}"
KEY = "X_Key KEY reference=1 directory=DF1 size=2048 access=always label='K'"


@dataclass(frozen=True)
class Mistake:
    """A text with a mistake, and what is told about it. The place is marked » in the text."""

    code: str
    text: str
    remedy: str = ""
    expected: str = ""
    message: str = ""
    notes: tuple[str, ...] = ()
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where the finding is: the place of the mark."""
        before = self.text[: self.text.index("»")]
        return f"x.cpf:{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"


class BrokenCodec:
    """A codec that cannot use any key."""

    name = "broken"

    def encrypt(self, *_: object) -> bytes:
        """Refuse."""
        raise PinBlobError("this key is too short")


def ef(name: str = "EF2", file_id: str = "0x4402", size: str = "100") -> str:
    """Return a CreateEf; its last 6 letters are the condition of update."""
    return EF.format(name=name, id=file_id, size=size)


def static(name: str = "EF1", data: str = "0x{01}", *, kind: str = "Static") -> str:
    """Return a File block."""
    return f"File {kind} {name}\ndata = {data}\nEndfile"


ENCRYPTED = "SEC_PUK = '12345678'\nPERSINFO_PUT_SEC(SEC_PUK)\nPERSINFO_ENCRYPT_SEC()"
PIN = "SEC_PIN1 = '123456'\nX_Pin PIN1 reference=1 label='PIN'"

TEXT = [
    Mistake("unexpected", "A = 'a' »'b'", expected="the end of the line"),
    Mistake("unexpected", "A = F(1) »B", remedy="line of its own"),
    Mistake(
        "unexpected", "CreateEf EF1 id=»\n", remedy="backslash", expected="bytes such as", message="too early"
    ),
    Mistake("unexpected", "MasterFile\n»Endfile now", expected="end of the line"),
    Mistake("unexpected", "A = »%", expected="a name, a 'text', a number or bytes"),
    Mistake("unclosed-string", "A = »'abc\nB = 1", remedy="close it with '"),
    Mistake("unclosed-bytes", "A = »0x{01 02\nEndfile now", remedy="close them with }"),
    Mistake("bad-bytes", "A = 0x{01\n  »0 02}", expected="two hexadecimal digits", message="odd number"),
    Mistake("bad-bytes", "A = 0x{01 »xy}", message="not hexadecimal"),
    Mistake("bad-number", "A = »12ab", remedy="hexadecimal digits", message="'12ab'"),
    Mistake("bad-number", "A = »" + "1" * 5000, remedy="0x{ }", message="too large"),
    Mistake("double-quotes", 'A = »"abc"', remedy="write 'abc'"),
    Mistake("placeholder", "SEC_PIN1 = »...  ; TODO", remedy="SECRANDOM"),
    Mistake("stray-backslash", "CreateEf EF1 »\\ ; more\n id=1", remedy="next line"),
    Mistake("too-deep", "A = " + "F(" * 16 + "»F(1)" + ")" * 16, remedy="variable"),
    Mistake("too-deep", "MasterFile\n" + "CreateDf D\n" * 15 + "»CreateDf D", remedy="further up"),
    Mistake("missing-end", "MasterFile\nCreateDf D\n»Endfile", remedy="EndDF", notes=("x.cpf:2:1",)),
    Mistake("missing-end", "MasterFile\n»File Static A\nEndfile", remedy="Endfile", notes=("x.cpf:1:1",)),
    Mistake("missing-end", "File Static »A", expected="Endfile", notes=("x.cpf:1:1",)),
    Mistake("unexpected-end", "»EndDF", expected="CreateDf"),
    Mistake("unexpected-end", "A = 1\n»ENDFILE", expected="MasterFile or File"),
]

WORDS = [
    Mistake("unknown-statement", profile("»CreatEf EF7"), remedy="did you mean 'CreateEf'?"),
    Mistake("unknown-function", profile("»MakeCardErasable()"), remedy="did you mean 'MakeCardEraseable'?"),
    Mistake("unknown-function", profile("A = »SECRAND(6)"), remedy="did you mean 'SECRANDOM'?"),
    Mistake(
        "unknown-attribute", profile(layout=f"{ef()} »delet=always"), expected="id, maxsize, read, update"
    ),
    Mistake("unknown-attribute", profile(layout="CreateEf E »maxsiz=1"), remedy="did you mean 'maxsize'?"),
    Mistake(
        "duplicate-attribute", profile(layout=f"{ef()} »id=1"), remedy="leave one", notes=("x.cpf:4:14",)
    ),
    Mistake(
        "missing-attribute", profile(layout="»CreateEf E id=1 maxsize=1 read=always"), expected="update=..."
    ),
    Mistake("wrong-operands", profile(layout="CreateEf A »B"), expected="CreateEf <name>"),
    Mistake("wrong-operands", profile(start="»CardModel"), expected="CardModel <a card model's name>"),
    Mistake("wrong-arguments", profile("A = »SECRANDOM()"), expected="SECRANDOM(length[, alphabet])"),
    Mistake(
        "wrong-arguments", profile(end="CreateFiles(»1)"), expected="CreateFiles()", message="1 argument"
    ),
    Mistake("wrong-value", profile("A = SECRANDOM(»'6')"), expected="a number from 1 to 255"),
    Mistake("wrong-value", profile(start="CardModel »50"), expected="a text"),
    Mistake("wrong-value", profile(layout=f"{ef(size='1')}00,»200"), message="one value"),
    Mistake("wrong-value", profile("»SEC_PIN1 = 1234"), remedy="quotes"),
    Mistake("wrong-value", profile(layout="CreateEf »1 id=1"), expected="a name"),
    Mistake("wrong-value", profile(layout=f"{ef()[:-6]}»'always'"), expected="one of always, never"),
    Mistake("wrong-value", profile(head="PERSINFO_PUT_PROFILENAME(»0x{FF})"), message="UTF-8"),
    Mistake("out-of-range", profile("A = SECRANDOM(»256)"), expected="a number from 1 to 255"),
    Mistake("out-of-range", profile(layout=ef(size="»0")), expected="from 1 to 65535"),
    Mistake("unknown-access", profile(layout=f"{ef()[:-6]}»alwys"), remedy="did you mean 'always'?"),
    Mistake(
        "unknown-word", profile(files="File »Statik EF1\ndata=0x{}\nEndfile"), remedy="did you mean 'Static'?"
    ),
    Mistake("no-value", profile("A = »CreateFiles()"), remedy="line of its own"),
    Mistake("value-unused", profile("»SECRANDOM(6)"), remedy="variable"),
    Mistake("unassigned", profile("ABC = 'x'\nPERSINFO_PUT_PROFILENAME(»ABD)"), remedy="did you mean 'ABC'?"),
    Mistake("misplaced", profile(f"»{ef()}"), remedy="move it there"),
    Mistake("misplaced", profile(layout="»CardModel 'SIEMENS50'"), remedy="out of the block"),
    Mistake("misplaced", profile(layout="»A = 1"), remedy="before MasterFile"),
    Mistake("misplaced", profile(files="File Static EF1\n»A = 1\nEndfile"), remedy="Endfile"),
]

ORDER = [
    Mistake("missing-statement", profile(start="»"), message="no CardModel", remedy="CardModel 'SIEMENS50'"),
    Mistake("missing-statement", profile(start="»CardModel 'SIEMENS50'", end=""), message="no CreateFiles()"),
    Mistake(
        "missing-statement", "»CardModel 'SIEMENS50'", message="no MasterFile", remedy="lay the files out"
    ),
    Mistake(
        "duplicate-statement", profile("»CardModel 'SIEMENS50'"), notes=("x.cpf:1:1",), remedy="leave one"
    ),
    Mistake("duplicate-statement", profile(end="CreateFiles()\n»CreateFiles()"), notes=("x.cpf:7:1",)),
    Mistake("duplicate-statement", profile(f"{PIN}\n»{PIN.partition(chr(10))[2]}"), notes=("x.cpf:3:1",)),
    Mistake("order", profile(files="»MakeCardEraseable()"), remedy="first line", notes=("x.cpf:3:1",)),
    Mistake("order", profile(end="»BurnFuse()\nCreateFiles()"), remedy="last line", notes=("x.cpf:8:1",)),
    Mistake("order", "CardModel 'SIEMENS50'\n»CreateFiles()", remedy="MasterFile"),
    Mistake("order", profile(end=f"CreateFiles()\n»{static()}"), remedy="before", notes=("x.cpf:7:1",)),
    Mistake(
        "order", profile(f"{ENCRYPTED}\n»PERSINFO_PUT_SEC(SEC_PUK)"), remedy="before", notes=("x.cpf:4:1",)
    ),
    Mistake("order", profile(f"{ENCRYPTED}\n»PERSINFO_PUT_PROFILENAME('A')"), notes=("x.cpf:4:1",)),
    Mistake(
        "order",
        profile(files=static(data="»PERSINFO_SEC()", kind="Dynamic")),
        remedy="PERSINFO_ENCRYPT_SEC()",
    ),
    Mistake("unknown-card-model", profile(start="CardModel »'SIEMENS51'"), expected="SIEMENS44"),
]

SECRETS = [
    Mistake("duplicate-assignment", profile("A = 1\n»a = 2"), notes=("x.cpf:2:1",), remedy="X_Default"),
    Mistake(
        "duplicate-assignment",
        profile("»SEC_PIN1 = '1234'"),
        remedy="X_Default",
        message="SEC_PIN1 is assigned at x.cpf:2:1 and by the encoding keyword PIN",
        given={"secrets": {SecretName.PIN1: Secret.of("1234")}},
    ),
    Mistake(
        "duplicate-assignment",
        profile("»Variable1 = '1234'"),
        given={"parameters": {"variable1": b"x"}},
        message="Variable1 is assigned at x.cpf:2:1 and by the profile parameter variable1",
    ),
    Mistake("unknown-secret", profile("»SEC_PIN4 = '1234'"), remedy="did you mean 'SEC_PIN"),
    Mistake(
        "unknown-secret", profile("A = SECRANDOM(6)\nPERSINFO_PUT_SEC(»A)"), expected="SEC_PIN1, SEC_PIN2"
    ),
    Mistake(
        "duplicate-secret", profile(f"{ENCRYPTED[:46]}\n»PERSINFO_PUT_SEC(SEC_PUK)"), notes=("x.cpf:3:1",)
    ),
    Mistake("bad-alphabet", profile("A = SECRANDOM(6, »'AA')"), expected="two or more different"),
    Mistake("secret-in-text", profile("SEC_OP = '1'\nPERSINFO_PUT_PROFILENAME(»SEC_OP)"), expected="a text"),
    Mistake(
        "secret-in-content",
        profile("SEC_OP = '1'", files=static(data="»SEC_OP", kind="Dynamic")),
        remedy="PERSINFO_PUT_SEC",
    ),
    Mistake(
        "no-certificate",
        profile("SEC_OP = '1'\nPERSINFO_PUT_SEC(SEC_OP)\n»PERSINFO_ENCRYPT_SEC()"),
        remedy="iD2ppa.cfg",
        given={"certificate": None},
    ),
    Mistake(
        "certificate",
        profile("SEC_OP = '1'\nPERSINFO_PUT_SEC(SEC_OP)\n»PERSINFO_ENCRYPT_SEC()"),
        remedy="RSA",
        given={"certificate": certificate(with_ec=True)},
    ),
    Mistake(
        "certificate",
        profile("SEC_OP = '1'\nPERSINFO_PUT_SEC(SEC_OP)\n»PERSINFO_ENCRYPT_SEC()"),
        message="too short",
        given={"codec": BrokenCodec()},
    ),
    Mistake("nothing-to-encrypt", profile("»PERSINFO_ENCRYPT_SEC()"), remedy="PERSINFO_PUT_SEC(SEC_PIN1)"),
    Mistake(
        "no-public-keys",
        profile(ENCRYPTED, files=static(data="»PERSINFO_PUT_PUBRSA_AND_SEC()", kind="Dynamic")),
        remedy="X_Key",
    ),
]

FILES = [
    Mistake("reserved-file-id", profile(layout=ef(file_id="»0x3F00")), message="the master file's"),
    Mistake("duplicate-name", profile(layout=f"{ef()}\nCreateEf »ef2 id=1"), notes=("x.cpf:4:10",)),
    Mistake("duplicate-file-id", profile(layout=f"{ef()}\n{ef('EF3', '»0x4402')}"), notes=("x.cpf:4:17",)),
    Mistake(
        "duplicate-aid",
        profile(
            layout=DF.format(size=1, more=" aid='ABCDE'", inside="") + "\nCreateDf »DF2 "
            "id=2 maxsize=1 update=always create=always aid='ABCDE'\nEndDF"
        ),
        notes=("x.cpf:4:10",),
    ),
    Mistake(
        "bad-aid",
        profile(layout=DF.format(size=1, more=" aid=»'12345678901234567'", inside="")),
        expected="1 to 16 bytes",
    ),
    Mistake(
        "directory-overflow",
        profile(layout=DF.format(size=150, more="", inside=f"{ef()}\n{ef('EF3', '3', '»51')}")),
        notes=("x.cpf:4:32",),
        message="151",
    ),
    Mistake("undeclared-file", profile(files=static("»EF9")), remedy="did you mean 'EF1'?"),
    Mistake("undeclared-directory", profile(f"{KEY.replace('DF1', '»DF1')}"), expected="CreateDf"),
    Mistake("duplicate-body", profile(files=f"{static()}\n{static('»EF1')}"), notes=("x.cpf:6:13",)),
    Mistake(
        "duplicate-data",
        profile(files="File Static EF1\ndata=0x{}\n»data=0x{}\nEndfile"),
        notes=("x.cpf:7:1",),
    ),
    Mistake("missing-data", profile(files="»File Static EF1\nEndfile"), expected="data=..."),
    Mistake("static-not-literal", profile("A = 'x'", files=static(data="»A")), remedy="File Dynamic EF1"),
    Mistake("auto-without-content", profile(layout=ef(size="»auto")), remedy="File Static EF2"),
    Mistake(
        "auto-without-content", profile(layout=ef(size="»auto"), files=static("EF2", "0x{}")), message="none"
    ),
    Mistake(
        "too-long",
        profile(layout=ef(size="2"), files=static("EF2", "»0x{01 02 03}")),
        notes=("x.cpf:4:32",),
        message="take 3 bytes, and the file has 2",
    ),
]

OBJECTS = [
    Mistake(
        "pin-lengths",
        profile("SEC_OP = '123456'\n»X_Pin OP reference=1 label='x' max=9"),
        expected="min <= max",
    ),
    Mistake("pin-value", profile("SEC_OP = '123'\n»X_Pin OP reference=1 label='x'"), expected="4 to 8 bytes"),
    Mistake(
        "duplicate-reference",
        profile(f"{PIN}\nSEC_OP = '1234'\nX_Pin OP reference=»1 label='x'"),
        notes=("x.cpf:3:1",),
        remedy="choose another",
    ),
    Mistake(
        "duplicate-so",
        profile(f"{PIN} so=yes\nSEC_OP = '1234'\nX_Pin OP reference=2 label='x' so=»yes"),
        notes=("x.cpf:3:1",),
        remedy="so=yes",
    ),
    Mistake(
        "circle",
        profile(
            "SEC_OP = '1234'\nSEC_MAN = '1234'\n»X_Pin OP reference=1 label='x' unblocked_by=MAN\n"
            "X_Pin MAN reference=2 label='x' unblocked_by=OP"
        ),
        message="MAN and OP",
        remedy="unblocked_by",
    ),
    Mistake("no-such-credential", profile(layout=f"{ef()[:-6]}»pin1"), remedy="X_Pin PIN1"),
    Mistake("no-such-credential", profile(f"{PIN} unblocked_by=»PUK"), remedy="X_Pin PUK"),
    Mistake(
        "duplicate-reference",
        profile(layout=KEYED, files=f"{KEY}\n{KEY.replace('KEY', 'KEY2').replace('=1', '=»1')}"),
        notes=("x.cpf:9:1",),
    ),
    Mistake(
        "out-of-range", profile(layout=KEYED, files=KEY.replace("2048", "»2050")), expected="multiple of 64"
    ),
    Mistake("out-of-range", profile(layout=KEYED, files=KEY.replace("2048", "»255 type=ec")), expected="256"),
    Mistake(
        "no-public-key",
        profile(layout=KEYED, files=f"»{KEY} id='1' public=EF1 generate=no"),
        remedy="public=",
    ),
    Mistake(
        "no-public-key",
        profile(
            layout=KEYED,
            files=f"{KEY} id='1' generate=no\n{static(data='»X_PUBLICKEY(KEY)', kind='Dynamic')}",
        ),
        remedy="generate=no",
    ),
    Mistake("missing-attribute", profile(layout=KEYED, files=f"»{KEY} generate=no"), expected="id=0x{...}"),
    Mistake(
        "undeclared-key",
        profile(layout=KEYED, files=f"{KEY}\nX_Certificate EF1 label='x' key=»KEYS"),
        remedy="did you mean 'KEY'?",
    ),
    Mistake(
        "no-public-key",
        profile(layout=KEYED, files=f"»{KEY} public=EF1"),
        remedy="X_PUBLICKEY(KEY)",
        message="EF1 is to hold",
    ),
    Mistake("out-of-range", profile(layout=KEYED, files=f"{KEY} id=»0x{{}}"), expected="1 to 255 bytes"),
    Mistake("certificate-id", profile(files="»X_Certificate EF1 label='x'"), expected="either id="),
    Mistake(
        "out-of-range",
        profile("X_Token label=»'123456789012345678901234567890123'"),
        expected="1 to 32 bytes",
    ),
    Mistake("out-of-range", profile("»X_Token label='x'"), given={"label": "x" * 33}, message="from outside"),
    Mistake("out-of-range", profile(files="X_Data EF1 label=»''"), expected="1 to 255 bytes"),
    Mistake(
        "missing-statement", profile(files=static(data="»X_TOKENINFO()", kind="Dynamic")), remedy="X_Token"
    ),
    Mistake("nothing-to-list", profile(files=static(data="»X_ODF()", kind="Dynamic")), expected="X_AODF()"),
]

MISTAKES = [*TEXT, *WORDS, *ORDER, *SECRETS, *FILES, *OBJECTS]
