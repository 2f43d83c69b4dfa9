"""Steps that call single functions of PKCS#11."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.cryptoki.functions import FUNCTIONS, Kind
from cardtwin.scenario import Verdict, load
from cardtwin.scenario.quoting import roughly_masked
from cardtwin.scenario.step import all_verbs
from cardtwin.source import SourceError, SourceText
from support.pkcs11_steps import FOUND, LOGGED_IN, OPENED, carried_out, written

if TYPE_CHECKING:
    from pathlib import Path


def passes(folder: Path, steps: str, **keys: Any) -> None:
    result = carried_out(folder, steps, **keys)
    step = result.failed_step
    assert result.verdict is Verdict.PASSED, (result.message, step and (step.title, step.failure))


def failure(folder: Path, steps: str, **keys: Any) -> str:
    step = carried_out(folder, steps, **keys).failed_step
    assert step is not None
    assert step.failure is not None
    return f"{step.title}\n{step.failure.message}\n{step.failure.expected}\n{step.failure.actual}"


def test_a_step_that_fails_tells_the_reason_that_the_call_gave(tmp_path: Path) -> None:
    login = '- {pkcs11: C_Login, hSession: $(session), userType: CKU_USER, pPin: "9999"}\n'
    step = carried_out(tmp_path, OPENED + login).failed_step
    assert step is not None
    assert step.failure is not None
    assert step.failure.message == "C_Login returns CKR_PIN_INCORRECT"
    assert step.failure.detail == "C_Login: PIN is wrong; tries left: 2"


def test_a_function_is_called_by_a_text(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a function is called by its name, such as C_Sign"):
        carried_out(tmp_path, "- {pkcs11: [C_Sign]}")


def test_a_program_is_no_child_of_itself(tmp_path: Path) -> None:
    assert "'cardtwin' runs already" in failure(tmp_path, "- {fork: cardtwin}")


def test_every_function_of_the_table_has_a_form_of_its_own() -> None:
    names = {form.__name__ for form in all_verbs()["pkcs11"].forms()}
    assert names == {f"Call{function.name}" for function in FUNCTIONS}


def test_a_program_is_not_initialised_until_it_calls_c_initialize(tmp_path: Path) -> None:
    passes(
        tmp_path,
        """
        - {pkcs11: C_GetInfo, expect: CKR_CRYPTOKI_NOT_INITIALIZED}
        - {pkcs11: C_Finalize, expect: CKR_CRYPTOKI_NOT_INITIALIZED}
        - {pkcs11: C_Initialize}
        - {pkcs11: C_Initialize, expect: CKR_CRYPTOKI_ALREADY_INITIALIZED}
        - {pkcs11: C_GetInfo, expect: {pInfo: {cryptokiVersion: "2.40"}}}
        - {pkcs11: C_Finalize}
        - {pkcs11: C_GetInfo, expect: CKR_CRYPTOKI_NOT_INITIALIZED}
        - {pkcs11: C_Initialize}
        - {pkcs11: C_GetFunctionList, expect: CKR_ARGUMENTS_BAD}
        """,
    )


def test_the_child_of_a_fork_is_not_initialised_and_its_parent_stays_so(tmp_path: Path) -> None:
    steps = re.sub(r"\}$", ", by: parent}", OPENED, flags=re.MULTILINE)
    passes(
        tmp_path,
        steps
        + """
- {fork: child, by: parent}
- {pkcs11: C_GetSessionInfo, hSession: $(session), by: child, expect: CKR_CRYPTOKI_NOT_INITIALIZED}
- {pkcs11: C_Initialize, by: child}
- {pkcs11: C_GetSessionInfo, hSession: $(session), by: child, expect: CKR_SESSION_HANDLE_INVALID}
- {pkcs11: C_GetSessionInfo, hSession: $(session), by: parent}
""",
        processes="{parent: {}, child: {}}",
    )


def test_a_program_that_runs_is_nobodys_child(tmp_path: Path) -> None:
    steps = "- {pkcs11: C_Initialize, by: child}\n- {fork: child, by: parent}"
    assert "'child' runs already" in failure(tmp_path, steps, processes="{parent: {}, child: {}}")


def test_without_an_expectation_a_call_has_to_return_ckr_ok(tmp_path: Path) -> None:
    wrong = "- {pkcs11: C_Login, hSession: $(session), userType: CKU_USER, pPin: '9999'}"
    shown = failure(tmp_path, OPENED + wrong)
    assert shown.startswith("pkcs11 C_Login\nC_Login returns CKR_PIN_INCORRECT")
    assert "9999" not in shown


def test_results_are_matched_and_bound_by_the_names_of_the_parameters(tmp_path: Path) -> None:
    passes(
        tmp_path,
        FOUND
        + """
- pkcs11: C_GetSessionInfo
  hSession: $(session)
  expect: {pInfo: {slotID: $(slots.0), state: CKS_RW_USER_FUNCTIONS, flags: {CKF_RW_SESSION: yes}}}
- pkcs11: C_GetAttributeValue
  hSession: $(session)
  hObject: $(keys.0)
  pTemplate: [CKA_CLASS, CKA_LABEL, CKA_SIGN, CKA_KEY_TYPE, CKA_MODULUS, CKA_ID]
  bind: {read: pTemplate}
  expect:
    pTemplate:
      {CKA_CLASS: CKO_PRIVATE_KEY, CKA_LABEL: Digital Signature, CKA_SIGN: yes, CKA_MODULUS: {any: 256}}
    ulValueLen: {CKA_CLASS: 8, CKA_LABEL: 17}
- {pkcs11: C_FindObjectsInit, hSession: $(session), pTemplate: {CKA_ID: $(read.CKA_ID), CKA_CLASS: 2}}
- {pkcs11: C_FindObjects, hSession: $(session), ulMaxObjectCount: 5, expect: {pulObjectCount: 1}}
""",
    )


def test_a_result_that_is_not_as_expected_fails_the_step(tmp_path: Path) -> None:
    shown = failure(
        tmp_path,
        OPENED
        + """
- pkcs11: C_GetSessionInfo
  hSession: $(session)
  expect: {pInfo: {state: CKS_RO_PUBLIC_SESSION, flags: {CKF_RW_SESSION: no}}}
""",
    )
    assert "pInfo.state: CKS_RO_PUBLIC_SESSION" in shown
    assert "pInfo.state: CKS_RW_PUBLIC_SESSION" in shown
    assert "pInfo.flags.CKF_RW_SESSION: yes" in shown


def test_what_cannot_be_read_is_absent(tmp_path: Path) -> None:
    passes(
        tmp_path,
        FOUND
        + """
- pkcs11: C_GetAttributeValue
  hSession: $(session)
  hObject: $(keys.0)
  pTemplate: [CKA_LABEL, CKA_PRIVATE_EXPONENT]
  expect:
    rv: CKR_ATTRIBUTE_SENSITIVE
    pTemplate: {CKA_LABEL: Digital Signature, CKA_PRIVATE_EXPONENT: absent}
    ulValueLen: {CKA_PRIVATE_EXPONENT: absent}
""",
    )


def test_the_room_for_results_is_enough_none_or_as_it_is_said(tmp_path: Path) -> None:
    passes(
        tmp_path,
        FOUND
        + """
- {pkcs11: C_SignInit, hSession: $(session), pMechanism: CKM_SHA256_RSA_PKCS, hKey: $(keys.0)}
- pkcs11: C_Sign
  hSession: $(session)
  pData: {file: some.txt}
  room: NULL
  expect: {pSignature: absent, pulSignatureLen: 256}
- pkcs11: C_Sign
  hSession: $(session)
  pData: {file: some.txt}
  room: 10
  expect: {rv: CKR_BUFFER_TOO_SMALL, pulSignatureLen: 256}
- {pkcs11: C_Sign, hSession: $(session), pData: {file: some.txt}, bind: {signature: pSignature}}
- {pkcs11: C_FindObjectsInit, hSession: $(session), pTemplate: {CKA_CLASS: CKO_PUBLIC_KEY, CKA_VERIFY: yes}}
- {pkcs11: C_FindObjects, hSession: $(session), bind: {public: phObject}}
- {pkcs11: C_FindObjectsFinal, hSession: $(session)}
- {pkcs11: C_VerifyInit, hSession: $(session), pMechanism: CKM_SHA256_RSA_PKCS, hKey: $(public.0)}
- {pkcs11: C_Verify, hSession: $(session), pData: {text: some text}, pSignature: $(signature)}
- {pkcs11: C_GetSlotList, tokenPresent: no, room: NULL, expect: {pSlotList: absent, pulCount: 2}}
- pkcs11: C_GetAttributeValue
  hSession: $(session)
  hObject: $(keys.0)
  pTemplate: {CKA_LABEL: 3, CKA_ID: NULL}
  expect: {rv: CKR_BUFFER_TOO_SMALL, pTemplate: {CKA_LABEL: absent}}
""",
    )


def test_mechanisms_have_their_parameters(tmp_path: Path) -> None:
    init = "- pkcs11: C_SignInit\n  hSession: $(session)\n  hKey: $(keys.0)\n  pMechanism: "
    passes(
        tmp_path,
        FOUND
        + init
        + """
    mechanism: CKM_SHA256_RSA_PKCS_PSS
    pParameter: {hashAlg: CKM_SHA256, mgf: CKG_MGF1_SHA256, sLen: 32}
- {pkcs11: C_Sign, hSession: $(session), pData: 68 65, expect: {pSignature: {any: 256}}}
"""
        + init
        + """{mechanism: CKM_RSA_PKCS_PSS, pParameter: 00 01}
  expect: CKR_MECHANISM_PARAM_INVALID
"""
        + init
        + "0x80000001\n  expect: CKR_MECHANISM_INVALID\n",
    )


def test_lists_and_random_bytes_come_back(tmp_path: Path) -> None:
    passes(
        tmp_path,
        OPENED
        + """
- {pkcs11: C_GenerateRandom, hSession: $(session), ulRandomLen: 12, expect: {pRandomData: {any: 12}}}
- {pkcs11: C_GetMechanismList, slotID: $(slots.0), bind: {mechanisms: pMechanismList}}
- {pkcs11: C_GetMechanismInfo, slotID: $(slots.0), type: $(mechanisms.0)}
- {pkcs11: C_WaitForSlotEvent, flags: CKF_DONT_BLOCK, expect: CKR_NO_EVENT}
""",
    )


def test_our_own_functions_can_be_called_too(tmp_path: Path) -> None:
    passes(
        tmp_path,
        OPENED
        + """
- {pkcs11: cardtwin_GetProperty, slotID: $(slots.0), pName: {text: family}, expect: {pValue: {match: ".+"}}}
- {pkcs11: cardtwin_LoginOperator, hSession: $(session), pPin: "87654321"}
""",
    )


def test_a_certificate_is_shown_and_other_values_are_secret(tmp_path: Path) -> None:
    created = "- {pkcs11: C_CreateObject, hSession: $(session), pTemplate: {%s, CKA_VALUE: %s}, bind: made}\n"
    read = "- {pkcs11: C_GetAttributeValue, hSession: $(session), hObject: $(made), pTemplate: CKA_VALUE, %s}"
    kind = "CKA_CLASS: CKO_DATA, CKA_TOKEN: no, CKA_LABEL: some"
    value = "C0FFEEC0FFEEC0FFEE"
    passes(
        tmp_path,
        LOGGED_IN + created % (kind, value) + read % f"expect: {{pTemplate: {{CKA_VALUE: {value}}}}}",
    )
    shown = failure(
        tmp_path, LOGGED_IN + created % (kind, value) + read % "expect: {pTemplate: {CKA_VALUE: C0FFEE}}"
    )
    assert "***" in shown
    assert value not in shown


@pytest.mark.parametrize(
    ("step", "finding", "hint"),
    [
        ("{pkcs11: C_Logn}", "there is no function 'C_Logn'", "C_Login"),
        ("{pkcs11: C_Logout, hSesion: 1, hSession: 1}", "'hSesion' is no key here", "hSession"),
        ("{pkcs11: C_Logout}", "'hSession' is missing", ""),
        ("{pkcs11: C_Login, hSession: 1, userType: CKU_USR, pPin: NULL}", "CKU_USR", "CKU_USER"),
        ("{pkcs11: C_OpenSession, slotID: 1, flags: [CKF_RW]}", "CKF_RW", "CKF_RW_SESSION"),
        ("{pkcs11: C_FindObjectsInit, hSession: 1, pTemplate: {CKA_CLAS: 1}}", "CKA_CLAS", "CKA_CLASS"),
        ("{pkcs11: C_FindObjectsInit, hSession: 1, pTemplate: {CKA_CLASS: CKO_X}}", "CKO_X", ""),
        ("{pkcs11: C_DigestInit, hSession: 1, pMechanism: CKM_SHA265}", "CKM_SHA265", "CKM_SHA256"),
        (
            "{pkcs11: C_DigestInit, hSession: 1, pMechanism: {mechanism: 0xD, pParameter: {mgg: 1}}}",
            "has no member 'mgg'",
            "mgf",
        ),
        ("{pkcs11: C_Logout, hSession: 1, expect: CKR_OKAY}", "CKR_OKAY", "CKR_OK"),
        ("{pkcs11: C_Logout, hSession: 1, expect: {rv: CKR_OK, pInfo: 1}}", "'pInfo' is no key here", ""),
        ("{pkcs11: C_Sign, hSession: 1, pData: xy}", "no hex digit", ""),
        ("{pkcs11: C_Sign, hSession: 1, pData: {file: other.txt}}", "is called 'other.txt'", ""),
        (
            "{pkcs11: C_Sign, hSession: 1, pData: 00, bind: {x: pSignatur}}",
            "no result 'pSignatur'",
            "pSignature",
        ),
        ("{pkcs11: C_GetInfo, expect: {pInfo: {flags: CKF_X}}}", "", ""),
        (
            "{pkcs11: C_GetAttributeValue, hSession: 1, hObject: 1, pTemplate: [CKA_LABL]}",
            "CKA_LABL",
            "CKA_LABEL",
        ),
    ],
)
def test_what_is_wrong_in_a_call_is_told_at_its_place_when_the_file_is_read(
    tmp_path: Path, step: str, finding: str, hint: str
) -> None:
    with pytest.raises(SourceError) as caught:
        load(written(tmp_path, f"- {step}"))

    (found,) = caught.value.diagnostics
    assert found.span.line == 7
    assert found.span.column > 5 or "missing" in found.message
    assert finding in found.message
    assert hint in f"{found.message} {found.remedy}"


def test_no_finding_quotes_a_pin_or_the_value_of_a_key(tmp_path: Path) -> None:
    steps = """
- {pkcs11: C_Login, hSession: 1, userType: CKU_USR, pPin: "70605040"}
- {pkcs11: C_SetPIN, hSession: x, pOldPin: "70605040", pNewPin: "70605040"}
- {pkcs11: C_CreateObject, hSession: 1, pTemplate: {CKA_TOKEN: x, CKA_PRIME_1: "70605040"}}
- {pkcs11: cardtwin_UnblockPIN, slotID: x, pPuk: "70605040", pNewPin: "70605040"}
"""
    path = written(tmp_path, steps)

    with pytest.raises(SourceError) as caught:
        load(path)

    assert len(caught.value.diagnostics) == 4
    assert "70605040" not in str(caught.value)
    assert "70605040" not in roughly_masked(SourceText.read(path)).text


def test_every_parameter_that_is_a_pin_is_masked_where_the_file_is_quoted() -> None:
    names = {each.names[0] for f in FUNCTIONS for each in f.parameters if each.kind is Kind.PIN}

    for name in names:
        assert "5040" not in roughly_masked(SourceText("x", f"{{{name}: 70605040}}")).text
