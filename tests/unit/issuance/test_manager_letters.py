"""PIN letters: what stands in them, who has them printed, and how often."""

from __future__ import annotations

import errno
import itertools
import logging
import os
import sqlite3
import stat
import string
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.manager import (
    LetterRefusedError,
    PinLetter,
    Production,
    SignatureRefusedError,
    Store,
)
from cardtwin.plan import Secret, SecretName
from cardtwin.source import SourceError
from support.letters import LETTERS, LetterOffice, letter_office, make_font
from support.managers import PASSPHRASE, Office, policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAIN = LETTERS.replace("FONT\n", "")


@pytest.fixture
def office() -> Iterator[LetterOffice]:
    yield from letter_office()


def text(letter: PinLetter) -> str:
    pages = PdfReader(BytesIO(letter.content)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_each_letter_has_its_secret_and_what_the_layout_says(office: LetterOffice) -> None:
    token = office.issued("Jane Doe", Organisation="Acme")
    first, second = office.print(token.letter)
    secrets = {name: secret.reveal().decode() for name, secret in token.secrets.items()}
    assert text(first) == (
        "The Card Office 1 High Street Jane Doe Acme 2026-11-22 Your card 1000 Dear Jane Doe, here are your "
        f"secrets. Card serial number 1000 Your PIN {secrets[SecretName.PIN1]} The Card Office "
        "Letter L-000001, 1 of 2"
    )
    assert f"For unblocking {secrets[SecretName.PUK]} The Card Office Letter L-000001, 2 of 2" in text(second)
    assert secrets[SecretName.PUK] not in text(first)
    assert secrets[SecretName.PIN1] not in text(second)
    assert secrets[SecretName.OP] not in text(first) + text(second)


def test_a_line_whose_fields_are_empty_is_left_out(office: LetterOffice) -> None:
    (first, _) = office.print(office.issued("Jane").letter)
    assert "1 High Street Jane 2026-11-22" in text(first)


def test_ids_are_counted_by_prefix_and_tokens_without_letters_have_none(office: LetterOffice) -> None:
    assert [office.issued().letter for _ in range(3)] == ["L-000001", "L-000002", "L-000003"]
    assert office.issued(name="Stored").letter == ""
    office.set_up(PLAIN.replace("Prefix=L-", "Prefix=M-"))
    assert office.issued().letter == "M-000001"


def test_the_same_letter_at_the_same_time_is_the_same_file(
    office: LetterOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = office.issued()
    first = office.print(token.letter)
    office.store.database.execute("DELETE FROM prints")
    office.store.database.execute("UPDATE letters SET copies = 0")
    assert office.print(token.letter) == first
    office.now += timedelta(days=1)
    office.store.database.execute("DELETE FROM prints")
    office.store.database.execute("UPDATE letters SET copies = 0")
    assert office.print(token.letter) != first


def test_a_print_is_counted_and_a_further_copy_says_that_it_is_one(office: LetterOffice) -> None:
    token = office.issued()
    assert [letter.name for letter in office.print(token.letter)] == ["L-000001-1.pdf", "L-000001-2.pdf"]
    office.now += timedelta(hours=1)
    (copy, other) = office.print(token.letter)
    assert [copy.name, other.name] == ["L-000001-1-copy-2.pdf", "L-000001-2-copy-2.pdf"]
    assert text(copy).endswith("Letter L-000001, 1 of 2, copy 2")
    assert [entry[:2] for entry in office.manager.letters.prints(token.letter)] == [(1, "carl"), (2, "carl")]


def test_an_order_prints_once(office: LetterOffice) -> None:
    letters = office.manager.letters
    token = office.issued()
    message = office.order(letters.order([token.letter]))
    letters.print([token.letter], "carl", message)

    with pytest.raises(SignatureRefusedError):
        letters.print([token.letter], "carl", message)

    assert len(letters.prints(token.letter)) == 1


def test_an_order_is_for_the_letters_that_it_names(office: LetterOffice) -> None:
    letters = office.manager.letters
    first, second = office.issued().letter, office.issued().letter
    message = office.order(letters.order([first]))

    for ids in ([second], [first, second]):
        with pytest.raises(SignatureRefusedError):
            letters.print(ids, "carl", message)

    assert letters.prints(first) == letters.prints(second) == ()


def test_who_lacks_the_role_or_has_lost_the_certificate_prints_nothing(office: LetterOffice) -> None:
    letters = office.manager.letters
    ids = [office.issued().letter]
    order = letters.order(ids)

    with pytest.raises(SignatureRefusedError, match="Manage PIN letters"):
        letters.print(ids, "ben", office.order(order, "ben"))

    with pytest.raises(SignatureRefusedError):
        letters.print(ids, "carl", office.order(order, "ben"))

    message = office.order(order)
    carl = next(found for found in office.manager.officers.all() if found.name == "carl")
    office.manager.revocation.revoke(carl.certificate)

    with pytest.raises(SignatureRefusedError, match="isn't valid"):
        letters.print(ids, "carl", message)

    assert letters.prints(ids[0]) == ()


def test_who_prints_letters_signs_no_token_procedures(office: LetterOffice) -> None:
    with pytest.raises(SignatureRefusedError, match="Policy tasks"):
        office.manager.officers.entitled("carl")


@pytest.mark.parametrize("ids", [[], ["L-000001", "L-000001"], ["L-000002"], ["x"] * 10_001])
def test_an_order_names_letters_that_there_are_each_once(office: LetterOffice, ids: list[str]) -> None:
    office.issued()

    with pytest.raises(LetterRefusedError):
        office.manager.letters.order(ids)


def test_several_letters_are_printed_by_one_order(office: LetterOffice) -> None:
    ids = [office.issued().letter for _ in range(3)]
    assert [letter.id for letter in office.print(*ids)] == [each for each in ids for _ in range(2)]


# Files


def test_files_are_the_owner_s_alone_and_replace_nothing(office: LetterOffice, tmp_path: Path) -> None:
    token = office.issued()
    before = os.umask(0)

    try:
        printed = office.print(token.letter, folder=tmp_path)
    finally:
        os.umask(before)

    for letter in printed:
        path = tmp_path / letter.name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes() == letter.content

        with pytest.raises(LetterRefusedError, match="already"):
            letter.write(tmp_path)


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_where_one_letter_cannot_be_written_none_is_left_and_the_copies_count(
    office: LetterOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    one, two = office.issued("Jane").letter, office.issued("John").letter
    turns, sync = itertools.count(1), os.fsync

    def full(descriptor: int) -> None:
        if next(turns) == fails:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        sync(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr("cardtwin.issuance.manager.letters.os.fsync", full)

        with pytest.raises(
            LetterRefusedError, match=r"can't be written \(No space left.*order the next"
        ) as told:
            office.print(one, two, folder=tmp_path)

    assert told.value.code == "letter-write"
    assert list(tmp_path.iterdir()) == []
    assert [copy for copy, _, _ in office.manager.letters.prints(one)] == [1]
    office.print(one, two, folder=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{letter}-{number}-copy-2.pdf" for letter in (one, two) for number in (1, 2)
    }


def test_without_the_folder_nothing_is_printed_and_nothing_counted(
    office: LetterOffice, tmp_path: Path
) -> None:
    letter = office.issued().letter

    with pytest.raises(LetterRefusedError, match=r"there is no folder .*: make it first"):
        office.print(letter, folder=tmp_path / "letters")

    assert office.manager.letters.prints(letter) == ()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_where_a_file_is_nothing_is_printed_and_nothing_counted(
    office: LetterOffice, tmp_path: Path, kind: str
) -> None:
    token = office.issued()
    there = tmp_path / "L-000001-2.pdf"

    if kind == "file":
        there.write_bytes(b"something")
    else:
        there.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(LetterRefusedError, match=r"L-000001-2\.pdf"):
        office.print(token.letter, folder=tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["L-000001-2.pdf"]
    assert office.manager.letters.prints(token.letter) == ()
    assert there.is_symlink() or there.read_bytes() == b"something"


# Characters


@pytest.mark.parametrize("name", ["\u0141ukasz", "\u65e5\u672c", "Jane\x07", "\N{GRINNING FACE}"])
def test_a_name_that_the_font_has_not_is_refused_before_anything_is_issued(
    office: LetterOffice, name: str
) -> None:
    before = tuple(office.store.database.iterdump())

    with pytest.raises(LetterRefusedError, match="Helvetica") as refused:
        office.issued(name)

    assert refused.value.code == "letter-characters"
    assert tuple(office.store.database.iterdump()) == before


def test_a_name_in_latin_1_is_printed(office: LetterOffice) -> None:
    (first, _) = office.print(office.issued("Zoe\u0308 M\u00fcller").letter)
    assert "Dear Zo\u00eb M\u00fcller," in text(first)


@pytest.fixture
def fonts(tmp_path: Path) -> Path:
    characters = string.ascii_letters + string.digits + " ,.-\u0141\u00f3\u017c\u0107"
    make_font(tmp_path / "boxes.ttf", characters)
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    return tmp_path


@pytest.fixture
def with_font(fonts: Path) -> Iterator[LetterOffice]:
    yield from letter_office(fonts=fonts, font="boxes.ttf")


def test_a_font_file_prints_the_names_that_it_has(with_font: LetterOffice) -> None:
    name = "\u0141ukasz \u017c\u00f3\u0107"
    token = with_font.issued(name)
    (first, _) = with_font.print(token.letter)
    assert f"Dear {name}," in text(first)
    assert token.secrets[SecretName.PIN1].reveal().decode() in text(first)


def test_a_font_file_makes_the_same_file_again(with_font: LetterOffice) -> None:
    token = with_font.issued()
    first = with_font.print(token.letter)
    with_font.store.database.execute("DELETE FROM prints")
    with_font.store.database.execute("UPDATE letters SET copies = 0")
    assert with_font.print(token.letter) == first


def test_a_name_that_the_font_file_has_not_is_refused(with_font: LetterOffice) -> None:
    with pytest.raises(LetterRefusedError, match=r"boxes\.ttf") as refused:
        with_font.issued("\u65e5\u672c")

    assert refused.value.code == "letter-characters"


@pytest.mark.parametrize("font", ["broken.ttf", "absent.ttf", "../boxes.ttf"])
def test_a_font_that_cannot_be_read_is_told(fonts: Path, font: str) -> None:
    for office in letter_office(fonts=fonts, font=font):
        with pytest.raises(LetterRefusedError) as refused:
            office.issued()

        assert refused.value.code == "letter-font"


# Secrets


def test_no_log_no_message_and_no_description_has_a_secret(
    office: LetterOffice, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    token = office.issued()
    printed = office.print(token.letter, folder=tmp_path)

    with pytest.raises(LetterRefusedError) as refused:
        printed[0].write(tmp_path)

    shown = caplog.text + repr(printed) + repr(token) + str(refused.value)
    shown += repr(office.manager.letters.letter(token.letter))
    assert all(secret.reveal().decode() not in shown for secret in token.secrets.values())


def test_a_secret_that_cannot_be_printed_is_refused_without_being_told(office: LetterOffice) -> None:
    token = office.issued()

    for secret in (Secret(b"\xff\xfe"), Secret.of("\u0141123")):
        office.manager.archive.keep_secrets(token.id, {SecretName.PUK: secret})

        with pytest.raises(LetterRefusedError) as refused:
            office.print(token.letter)

        assert refused.value.code == "letter-secret"
        assert "123" not in str(refused.value)


def test_the_state_holds_no_secret_of_a_printed_letter_in_the_clear(tmp_path: Path) -> None:
    for office in letter_office(tmp_path / "state"):
        token = office.issued()
        office.print(token.letter)

    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert all(secret.reveal() not in content for secret in token.secrets.values() if len(secret) > 6)
    assert b"L-000001" in content


# With encodings


def test_letters_of_a_card_that_an_encoding_produces_tell_its_secrets(office: LetterOffice) -> None:
    production = Production(office.store, office.manager, "Card", "Jane")
    serial = production.new_serial()
    secrets = {SecretName.PIN1: Secret.of("271828"), SecretName.PUK: Secret.of("31415926")}
    production.produced(serial, secrets)
    letter = office.manager.letters.of_token(serial)
    assert letter is not None
    assert "Your PIN 271828" in text(office.print(letter.id)[0])
    production.produced(serial, {SecretName.PIN1: Secret.of("161803")})
    assert "Your PIN 161803" in text(office.print(letter.id)[0])


def test_a_letter_whose_secret_is_not_known_is_not_printed(office: LetterOffice) -> None:
    production = Production(office.store, office.manager, "Card", "Jane")
    production.produced("1500", {SecretName.PIN1: Secret.of("271828")})
    letter = office.manager.letters.of_token("1500")
    assert letter is not None

    with pytest.raises(LetterRefusedError, match="PUK"):
        office.print(letter.id)

    assert office.manager.letters.prints(letter.id) == ()


def test_a_letter_of_a_pin_procedure_that_is_gone_is_not_printed(office: LetterOffice) -> None:
    token = office.issued()
    office.set_up("[Certificate procedure Any]\n")

    with pytest.raises(LetterRefusedError, match="Letters"):
        office.print(token.letter)


# The policy, and older states


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("Letter=Ours", "Letter=Ouers"), "unknown-pin-letter"),
        (("${Organisation}", "${Organization}"), "unknown-field"),
        (("Prefix=L-", "Prefix=L2"), "bad-value"),
        (("Prefix=L-", "Prefix=../"), "bad-value"),
        (("Closing=", "Closeing="), "unknown-key"),
    ],
)
def test_a_layout_that_is_wrong_is_told_at_its_place(change: tuple[str, str], code: str) -> None:
    with pytest.raises(SourceError) as wrong:
        policy(PLAIN.replace(*change))

    (found,) = wrong.value.diagnostics
    assert found.code == code


def test_a_field_of_any_input_view_may_stand_in_a_letter() -> None:
    changed = PLAIN.replace("${Organisation}", "${Town}")

    with pytest.raises(SourceError):
        policy(changed)

    found = policy(changed + "[Input view Address]\nFields=Common name, Town\n")
    assert found.letters["Ours"].addressee == "${Common name}|${Town}"


def test_a_state_of_the_version_before_letters_gets_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "state"

    for office in letter_office(path):
        serial = office.issued(name="Card").serial

    database = sqlite3.connect(path)
    database.executescript("DROP TABLE prints; DROP TABLE letters; PRAGMA user_version = 1")
    database.close()

    with Store(path, PASSPHRASE, SystemEntropy()) as store:
        found = Office(store, PLAIN)
        assert len(found.manager.authority.of_token(serial)) == 1
        assert found.manager.letters.of_token(serial) is None
        assert store.database.execute("PRAGMA user_version").fetchone() == (2,)
