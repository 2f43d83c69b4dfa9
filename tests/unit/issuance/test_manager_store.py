"""The state: one file that several processes use, and that survives one being killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.authority import RevocationRefusedError
from cardtwin.issuance.manager import (
    KeyUsage,
    ManagerError,
    SignatureRefusedError,
    Store,
    VaultError,
)
from cardtwin.plan import Secret
from support.managers import PASSPHRASE, Office, office, procedure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGN = frozenset({KeyUsage.DIGITAL_SIGNATURE})

ISSUE = """
import sys
from pathlib import Path
from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.manager import KeyUsage, Store
from support.managers import PASSPHRASE, Office

with Store(Path(sys.argv[1]), PASSPHRASE, SystemEntropy()) as store:
    office = Office(store, sys.argv[2])
    for _ in range(int(sys.argv[3])):
        print(office.issue(frozenset({KeyUsage.DIGITAL_SIGNATURE})).serial, flush=True)
"""
PLAIN = """\
[PIN procedure Letters]
PIN1=6 digits, letter 1
[Certificate procedure Signature]
[Token procedure Card]
State=Active
Storage profile=Smart Card
Card serial number=Yes
Serial number range=100-999
PIN procedure=Letters
Issuer certificates=Do not store any
Certificate procedures=Signature
"""


def started(path: Path, count: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", ISSUE, str(path), PLAIN, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "state"

    for each in office(found, PLAIN):
        each.put_in_effect()

    return found


def test_processes_that_issue_at_the_same_time_give_each_number_once(path: Path) -> None:
    programs = [started(path, 15) for _ in range(3)]
    given = [line for program in programs for line in program.communicate(timeout=90)[0].split()]
    assert [program.returncode for program in programs] == [0, 0, 0]
    assert sorted(given) == [str(number) for number in range(100, 145)]


def test_a_process_that_is_killed_leaves_whole_tokens_only(path: Path) -> None:
    program = started(path, 800)
    assert program.stdout is not None
    told = [program.stdout.readline().strip() for _ in range(5)]
    program.send_signal(signal.SIGKILL)
    told += program.stdout.read().split()
    program.wait()
    program.stdout.close()

    with Store(path, PASSPHRASE, SystemEntropy()) as store:
        found = Office(store, PLAIN)
        kept = [row[0] for row in store.database.execute("SELECT serial FROM tokens ORDER BY serial")]
        assert set(told) <= set(kept)
        assert len(kept) < 800
        assert store.database.execute("PRAGMA integrity_check").fetchone() == ("ok",)

        for serial in kept:
            assert len(found.manager.authority.of_token(serial)) == 1
            assert len(found.manager.archive.secrets(serial)) == 1

        assert found.issue(SIGN).serial == str(100 + len(kept))


def test_the_state_is_the_same_when_it_is_opened_again(path: Path) -> None:
    with Store(path, PASSPHRASE, SystemEntropy()) as store:
        first = Office(store, PLAIN)
        token = first.issue(SIGN)
        root = first.manager.authority.ca("Root CA")

    with Store(path, PASSPHRASE, SystemEntropy()) as store:
        again = Office(store, PLAIN)
        assert again.manager.archive.secrets(token.id) == token.secrets
        assert again.manager.authority.ca("Root CA").certificate == root.certificate
        assert again.manager.workbench.procedures() == {"Card": procedure(text=PLAIN)}
        assert [officer.name for officer in again.manager.officers.all()] == ["anna", "ben"]


def test_another_pass_phrase_opens_nothing(path: Path) -> None:
    with pytest.raises(VaultError, match="pass phrase"):
        Store(path, Secret.of("another"), SystemEntropy())


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"something else" * 100)

    with pytest.raises(VaultError, match="can't be read"):
        Store(tmp_path / "state", PASSPHRASE, SystemEntropy())


def test_a_newer_state_is_refused(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 9")
    database.close()

    with pytest.raises(VaultError, match="version 9"):
        Store(path, PASSPHRASE, SystemEntropy())


@pytest.fixture
def ra() -> Iterator[Office]:
    for found in office(text=PLAIN):
        found.put_in_effect()
        yield found


def test_a_certificate_is_revoked_once_and_for_good(ra: Office) -> None:
    certificate = ra.issue(SIGN).certificates[0].certificate
    assert ra.manager.authority.is_valid(certificate)
    ra.manager.revocation.revoke(certificate)
    assert not ra.manager.authority.is_valid(certificate)

    with pytest.raises(RevocationRefusedError):
        ra.manager.revocation.revoke(certificate)

    with pytest.raises(RevocationRefusedError):
        ra.manager.revocation.revoke(ra.manager.authority.ca("Root CA").certificate)

    with pytest.raises(RevocationRefusedError, match="for good"):
        ra.manager.revocation.revoke(certificate, x509.ReasonFlags.certificate_hold)


def test_an_officer_whose_certificate_is_revoked_signs_nothing(ra: Office) -> None:
    workbench = ra.manager.workbench
    text = PLAIN.replace("100-999", "1000-1999")
    request = workbench.confirm(workbench.save(procedure(text=text)).id)
    signature = ra.signature(request, "anna")
    (anna, _) = ra.manager.officers.all()
    ra.manager.revocation.revoke(anna.certificate)

    with pytest.raises(SignatureRefusedError, match="isn't valid"):
        workbench.sign(request.id, "anna", signature)


def test_each_list_has_the_next_number(ra: Office) -> None:
    numbers = []

    for _ in range(3):
        crl = x509.load_der_x509_crl(ra.manager.revocation.crl())
        numbers.append(crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)

    assert numbers == [1, 2, 3]


def test_a_broken_question_is_answered_as_such(ra: Office) -> None:
    for broken in (b"", b"no request", b"\x30\x03\x02\x01\x00"):
        answer = ocsp.load_der_ocsp_response(ra.manager.revocation.answer(broken))
        assert answer.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_what_happens_within_a_refused_change_has_not_happened(ra: Office) -> None:
    before = tuple(ra.store.database.iterdump())

    def refused() -> None:
        with ra.store.change():
            ra.issue(SIGN)
            raise ManagerError

    with pytest.raises(ManagerError):
        refused()

    assert tuple(ra.store.database.iterdump()) == before
