"""Logs of pkcs11-spy become traces, and no PIN of theirs does."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cardtwin.events import CallBegan, CallEnded
from cardtwin.source import SourceError
from cardtwin.trace import read_traces, write_traces
from cardtwin.trace.imports import import_traces

if TYPE_CHECKING:
    from pathlib import Path

START = '\n*************** OpenSC PKCS#11 spy *****************\nLoaded: "/usr/lib/token.so"\n'
WHEN = "2026-01-02 03:04:05.100"


def call(number: int, name: str, *lines: str, rv: str | None = "0 CKR_OK", when: str = WHEN) -> str:
    """Return one call as the log has it."""
    end = () if rv is None else (f"Returned:  {rv}",)
    return "\n".join(("", f"{number}: {name}", when, *lines, *end, ""))


def dump(data: bytes) -> str:
    """Return what the log shows of bytes."""
    rows = [f"000055bfc1894e35 / {len(data)}"]

    for start in range(0, len(data) or 1, 16):
        row = data[start : start + 16]
        shown = "".join(chr(byte) if 31 < byte < 128 else "." for byte in row)
        rows.append(f"    {start:08X}  {row.hex(' ').upper() + ' ' if row else '':48} {shown:16}")

    return "\n".join(rows)


def words(data: bytes) -> str:
    """Return what the log shows of a text attribute."""
    rows = [f"000055bfc1894e35 / {len(data)}"]

    for start in range(0, len(data), 32):
        row = data[start : start + 32]
        rows.append("    " + " ".join(row[at : at + 4].hex().upper() for at in range(0, len(row), 4)))
        rows.append("    " + "".join(f" {chr(b) if 32 < b < 128 else '.'}" for b in row))

    return "\n".join(rows)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "spy.log"


def imported(log: Path, *parts: str) -> str:
    """Return the text of the log's one trace, without its title."""
    log.write_text("".join(parts))
    (trace,) = import_traces(log)
    return trace.text().partition("\n")[2]


@pytest.mark.cardtwin_proves("RR-04")
def test_a_call_has_its_arguments_and_results_as_our_own_calls_have_them(log: Path) -> None:
    text = imported(
        log,
        START,
        call(0, "C_OpenSession", "[in] slotID = 0x1", "[in] flags = 0x4", "[out] *phSession = 0x1f"),
        call(
            1,
            "C_SignInit",
            "[in] hSession = 0x1f",
            "[in] pMechanism->type = CKM_RSA_PKCS   ",
            "[in] hKey = 0x2",
        ),
        call(
            2,
            "C_Sign",
            "[in] hSession = 0x1f",
            f"[in] pData[ulDataLen] {dump(b'abc')}",
            rv="257 CKR_USER_NOT_LOGGED_IN",
        ),
    )

    assert text.splitlines() == [
        "[1] C_OpenSession(slotID=1, flags=4) -> CKR_OK, *phSession=31",
        "[2] C_SignInit(hSession=31, pMechanism=CKM_RSA_PKCS, hKey=2) -> CKR_OK",
        "[3] C_Sign(hSession=31, pData=3 bytes) -> CKR_USER_NOT_LOGGED_IN",
    ]


def test_the_room_for_an_answer_is_told_as_far_as_the_answer_tells_it(log: Path) -> None:
    data = f"[in] pData[ulDataLen] {dump(b'abc')}"
    text = imported(
        log,
        call(1, "C_Sign", data, "[out] pSignature[*pulSignatureLen] NULL [size : 0x100 (256)]"),
        call(2, "C_Sign", data, "[out] pulSignatureLen = 0x100", rv="336 CKR_BUFFER_TOO_SMALL"),
        call(3, "C_Sign", data, f"[out] pSignature[*pulSignatureLen] {dump(bytes(256))}"),
    )

    assert text.splitlines() == [
        "[1] C_Sign(pData=3 bytes, pSignature=NULL) -> CKR_OK, *pSignature=256",
        (
            "[2] C_Sign(pData=3 bytes, pSignature=room for less than 256) -> "
            "CKR_BUFFER_TOO_SMALL, *pSignature=256"
        ),
        "[3] C_Sign(pData=3 bytes, pSignature=room for 256 or more) -> CKR_OK, *pSignature=256",
    ]


def test_templates_have_their_public_values_and_no_others(log: Path) -> None:
    lines = [
        "[in] pTemplate[7]: ",
        "    CKA_CLASS             CKO_PRIVATE_KEY      ",
        "    CKA_KEY_TYPE          Value 80000001 not found for type CK_KEY_TYPE",
        "    CKA_TOKEN             True",
        f"    CKA_LABEL             {words(b'a key')}",
        f"    CKA_ID                {dump(bytes(range(3)))}",
        f"    CKA_PRIVATE_EXPONENT  {dump(b'secret')}",
        "    CKA_? (0xce534351)    000055bfc1894e35 / 6",
    ]
    text = imported(log, call(1, "C_CreateObject", *lines, "[out] *phObject = 0x7"))

    assert text == (
        "[1] C_CreateObject(pTemplate=CKA_CLASS=CKO_PRIVATE_KEY, CKA_KEY_TYPE=0x80000001, CKA_TOKEN=true, "
        "CKA_LABEL='a key', CKA_ID=00 01 02, CKA_PRIVATE_EXPONENT=**, 0xCE534351=**) -> CKR_OK, *phObject=7\n"
    )


def test_what_was_asked_of_an_object_is_told_by_name_and_length(log: Path) -> None:
    asked = [
        "[in] pTemplate[3]: ",
        *(f"    {name} 0000000000000000 / 0" for name in ("CKA_ID", "CKA_SIGN", "CKA_VALUE")),
    ]
    given_back = [
        "[out] pTemplate[3]: ",
        f"    CKA_ID  {dump(bytes(20))}",
        "    CKA_SIGN  True",
        "    CKA_VALUE  0000 / -1",
    ]
    text = imported(log, call(1, "C_GetAttributeValue", *asked, *given_back, rv="17 CKR_ATTRIBUTE_SENSITIVE"))

    assert text == (
        "[1] C_GetAttributeValue(pTemplate=CKA_ID, CKA_SIGN, CKA_VALUE) -> CKR_ATTRIBUTE_SENSITIVE, "
        "*pTemplate=20, 1, CKR_ATTRIBUTE_SENSITIVE\n"
    )


def test_lists_are_told_with_what_is_in_them(log: Path) -> None:
    text = imported(
        log,
        call(
            1,
            "C_GetSlotList",
            "[in] tokenPresent = 0x1",
            "[out] pSlotList: ",
            "Count is 2",
            "[out] *pulCount = 0x2",
        ),
        call(
            2,
            "C_GetSlotList",
            "[in] tokenPresent = 0x0",
            "[out] pSlotList: ",
            "Slot 1",
            "Slot 5",
            "[out] *pulCount = 0x2",
        ),
        call(
            3,
            "C_GetMechanismList",
            "[out] pMechanismList[2]: ",
            "   CKM_RSA_PKCS  ",
            " Unknown Mechanism (80000001)  ",
        ),
        call(
            4,
            "C_FindObjects",
            "[in] ulMaxObjectCount = 0xa",
            "[out] ulObjectCount = 0x1",
            "Object 0x1f matches",
        ),
        call(5, "C_FindObjects", "[in] ulMaxObjectCount = 0xa", "[out] ulObjectCount = 0x0"),
    )

    assert text.splitlines() == [
        "[1] C_GetSlotList(tokenPresent=true, pSlotList=NULL) -> CKR_OK, *pSlotList=2",
        "[2] C_GetSlotList(tokenPresent=false, pSlotList=room for 2 or more) -> CKR_OK, *pSlotList=2: 1 5",
        (
            "[3] C_GetMechanismList(pMechanismList=room for 2 or more) -> "
            "CKR_OK, *pMechanismList=2: 1 2147483649"
        ),
        "[4] C_FindObjects(phObject=10) -> CKR_OK, *phObject=31",
        "[5] C_FindObjects(phObject=10) -> CKR_OK, *phObject=none",
    ]


def test_a_field_that_the_log_forgot_to_end_is_read(log: Path) -> None:
    line = "[in] type = CKM_SHA_1                    [out] pInfo: "
    text = imported(
        log,
        call(
            1,
            "C_GetMechanismInfo",
            "[in] slotID = 0x1",
            line,
            "CKM_SHA_1 : min:0 max:0 flags:0x400 ( Digest )",
        ),
    )

    assert text == "[1] C_GetMechanismInfo(slotID=1, type=CKM_SHA_1) -> CKR_OK, *pInfo=MechanismInfo\n"


def test_a_function_of_a_later_version_is_told_without_what_may_be_a_pin(log: Path) -> None:
    lines = [
        "[in] hSession = 0x1",
        "[in] userType = CKU_USER",
        f"[in] pPin[ulPinLen] {dump(b'271828')}",
        f"[in] pUsername[n] {dump(b'me')}",
    ]
    text = imported(log, call(1, "C_LoginUser", *lines))

    assert text == "[1] C_LoginUser(hSession=1, userType=CKU_USER, pPin=**, pUsername=2 bytes) -> CKR_OK\n"


@pytest.mark.parametrize(
    ("returned", "name"),
    [
        ("2147483649 (null)", "0x80000001"),
        ("-2147483647 (null)", "0x80000001"),
        ("160 CKR_PIN_INCORRECT", "CKR_PIN_INCORRECT"),
    ],
)
def test_a_vendor_s_return_value_is_told_in_hex(log: Path, returned: str, name: str) -> None:
    assert imported(log, call(1, "C_Logout", rv=returned)) == f"[1] C_Logout() -> {name}\n"


def test_a_login_at_the_reader_is_told_from_one_with_a_pin(log: Path) -> None:
    text = imported(
        log,
        call(1, "C_Login", "[in] pPin[ulPinLen] NULL [size : 0x0 (0)]"),
        call(2, "C_Login", f"[in] pPin[ulPinLen] {dump(b'1234')}"),
    )

    assert text == "[1] C_Login(pPin=NULL) -> CKR_OK\n[2] C_Login(pPin=**) -> CKR_OK\n"


def test_times_count_from_the_first_call(log: Path) -> None:
    log.write_text(
        call(1, "C_Logout", when=f"P:77; T:0x1234 {WHEN}")
        + call(2, "C_Logout", when="2026-01-02 03:04:07.350")
    )
    (trace,) = import_traces(log)

    assert trace.times == (0.0, 0.0, 2.25, 2.25)
    assert [event.program for event in trace.events if isinstance(event, CallBegan)] == ["process 77", ""]


def test_each_program_in_the_log_has_a_trace_of_its_own(log: Path) -> None:
    log.write_text(START + call(0, "C_Initialize") + START + call(0, "C_Logout"))

    assert [(trace.title, len(trace.events)) for trace in import_traces(log)] == [
        ("spy.log", 2),
        ("spy.log, program 2", 2),
    ]


def test_what_overlaps_is_the_latest_call_s(log: Path) -> None:
    wait = call(1, "C_WaitForSlotEvent", "[in] flags = 0x0", rv=None)
    text = imported(log, wait, call(2, "C_Logout", "[in] hSession = 0x1"), "Returned:  0 CKR_OK\n")

    assert text.splitlines() == [
        "[1] C_WaitForSlotEvent(flags=0)",
        "[2] C_Logout(hSession=1) -> CKR_OK",
        "[1] -> CKR_OK",
    ]


def test_a_call_in_which_the_program_died_has_no_end(log: Path) -> None:
    log.write_text(call(1, "C_Logout") + call(2, "C_Sign", "[in] hSession = 0x1", rv=None))
    (trace,) = import_traces(log)

    assert [type(event) for event in trace.events] == [CallBegan, CallEnded, CallBegan]
    assert "C_Sign(hSession=1)" in trace.text()


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (call(1, "C_Logout") + "Returned:  0 CKR_OK\n", ":5:1", "not called"),
        (call(7, "C_Logout") + call(3, "C_Logout"), ":6:1", "several programs"),
        (START, ":1:1", "nothing in this log"),
        ("a letter\n", ":1:1", "no log of a known form"),
    ],
)
def test_a_log_that_cannot_be_read_is_refused_with_its_line(
    log: Path, text: str, place: str, message: str
) -> None:
    log.write_text(text)

    with pytest.raises(SourceError, match=message) as raised:
        import_traces(log)

    assert place in str(raised.value)
    assert "letter" not in str(raised.value)  # nothing of a log is shown: it may be a PIN


def test_a_form_by_name_needs_no_mark(log: Path) -> None:
    log.write_text("1: C_Logout\nReturned:  0 CKR_OK\n")

    with pytest.raises(SourceError):
        import_traces(log)

    assert import_traces(log, "pkcs11-spy")[0].text().endswith("C_Logout() -> CKR_OK\n")

    with pytest.raises(SourceError, match="did you mean 'pkcs11-spy'"):
        import_traces(log, "pkcs11-spi")


PINS = st.text(string.printable, min_size=6, max_size=40).map(str.encode)
NAMES = {
    "C_Login": ("pPin[ulPinLen]",),
    "C_LoginUser": ("pPin[ulPinLen]",),
    "C_SetPIN": ("pOldPin[ulOldLen]", "pNewPin[ulNewLen]"),
    "C_InitPIN": ("pPin[ulPinLen]",),
    "C_InitToken": ("pPin[ulPinLen]",),
}


def written_of(log: Path, calls: list[tuple[str, bytes, str | None]], key: bytes, cut: int) -> str:
    """Return the trace of a log with these calls, and C_CreateObject with a key; or why there is none."""
    parts = [
        call(
            number,
            name,
            "[in] hSession = 0x1",
            *(f"[in] {field} {dump(pin)}" for field in NAMES[name]),
            rv=rv,
        )
        for number, (name, pin, rv) in enumerate(calls)
    ]
    value = f"    CKA_VALUE             {dump(key)}"
    text = START + "".join(parts) + call(len(calls), "C_CreateObject", "[in] pTemplate[1]: ", value)
    log.write_text(text[: len(text) - cut])

    try:
        traces = import_traces(log)
    except SourceError as error:
        return str(error)
    else:
        write_traces(traces, log.with_suffix(".trace"))
        assert read_traces(log.with_suffix(".trace"))
        return log.with_suffix(".trace").read_text()


@pytest.mark.cardtwin_proves("RR-04")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from(sorted(NAMES)), PINS, st.sampled_from([None, "0 CKR_OK", "160 CKR_PIN_INCORRECT"])
        )
    ),
    key=st.binary(min_size=6, max_size=64),
    cut=st.integers(0, 400),
)
def test_no_pin_and_no_key_of_a_log_reaches_the_trace(
    log: Path, calls: list[tuple[str, bytes, str | None]], key: bytes, cut: int
) -> None:
    other = [(name, b"\x01" * len(pin), rv) for name, pin, rv in calls]
    without = written_of(log, other, b"\x01" * len(key), cut)
    written = written_of(log, calls, key, cut)

    for secret in (key, *(pin for _, pin, _ in calls)):
        plain, digits = secret.decode(errors="replace"), secret.hex(" ").upper()
        assume(plain not in without)  # the trace has words of its own, such as "cardtwin"
        assert plain not in written
        assert digits not in written
