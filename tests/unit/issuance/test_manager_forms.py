"""A policy's file: what is read from it, and what is told of it."""

from __future__ import annotations

import pytest

from cardtwin.issuance.authority import EVERY_USAGE, ISSUING_CA, KeyUsage
from cardtwin.plan import SecretName
from cardtwin.source import SourceError
from support.managers import policy


def test_all_kinds_of_sections_are_read() -> None:
    found = policy()
    assert found.domains == {"/", "/sales"}
    assert [name for name, _ in found.pin_procedures["Letters"].rules] == [
        SecretName.PIN1,
        SecretName.PUK,
        SecretName.OP,
    ]
    assert found.certificate_procedures["Signature"].usage == {KeyUsage.DIGITAL_SIGNATURE}
    assert found.certificate_procedures["Signature"].issuer == ISSUING_CA
    assert found.key_procedures["Recover"].reuse
    assert found.attribute_procedures["Purchaser"].role == "purchaser"
    assert found.token_procedures["Card"].certificate_procedures == ("Signature", "Encryption")


def test_every_is_all_nine_key_usages_and_none_is_none() -> None:
    text = "[Certificate procedure A]\nKey usage=every\n[Certificate procedure B]\n"
    assert policy(text).certificate_procedures["A"].usage == EVERY_USAGE
    assert policy(text).certificate_procedures["B"].usage == frozenset()


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("[Token form A]\n", "unknown-section", "1:1"),
        ("[PIN procedure]\n", "name-missing", "1:1"),
        ("[Domain sales]\n", "bad-value", "1:1"),
        ("[Token procedure A]\nStates=Active\n", "unknown-key", "2:1"),
        ("[Token procedure A]\nState=Active\nState=Closed\n", "key-twice", "3:1"),
        ("[Token procedure A]\nState=Open\n", "bad-value", "2:7"),
        ("[Token procedure A]\n[Token procedure A]\n", "section-twice", "2:1"),
        ("[Token procedure A]\nVisible in subdomain=maybe\n", "bad-value", "2:22"),
        ("[Token procedure A]\nSerial number range=10-9\n", "bad-value", "2:21"),
        ("[Token procedure A]\nSerial number range=10-099\n", "bad-value", "2:21"),
        ("[Token procedure A]\nSerial number range=a-b\n", "bad-value", "2:21"),
        ("[Certificate procedure A]\nDays=0\n", "bad-value", "2:6"),
        ("[Certificate procedure A]\nKey usage=signing\n", "bad-value", "2:11"),
        ("[PIN procedure A]\nPIN1=6 runes, letter 1\n", "bad-value", "2:6"),
        ("[PIN procedure A]\nPIN1=8-4 digits, chosen\n", "bad-value", "2:6"),
        ("[PIN procedure A]\nPIN1=0 digits, stored\n", "bad-value", "2:6"),
        ("[PIN procedure A]\nPIN1=6 digits, letter 0\n", "bad-value", "2:6"),
        ("[Key procedure A]\n", "key-missing", "1:1"),
        ("[Key procedure A]\nAction=archive\nBits=512\n", "bad-value", "3:6"),
        ("[Key procedure A]\nAction=archive\nBits=99999\n", "bad-value", "3:6"),
        (f"[Key procedure A]\nAction=archive\nBits={'9' * 5000}\n", "bad-value", "3:6"),
        (f"[PIN procedure A]\nPIN1={'9' * 5000} digits, stored\n", "bad-value", "2:6"),
        (f"[Certificate procedure A]\nIssuing CA={'x' * 65}\n", "bad-value", "2:12"),
        ("[Input view A]\n", "key-missing", "1:1"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, code: str, place: str) -> None:
    with pytest.raises(SourceError) as refused:
        policy(text)

    (found,) = refused.value.diagnostics
    assert (found.code, f"{found.span.line}:{found.span.column}") == (code, place)


def test_what_is_left_out_in_a_token_procedure_is_no_mistake_of_the_file() -> None:
    found = policy("[Token procedure A]\nState=\n").token_procedures["A"]
    assert (found.state, found.storage_profile, found.pin_procedure) == (None, None, "")
