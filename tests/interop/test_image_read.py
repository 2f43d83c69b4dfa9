"""`cardtwin image read` over PC/SC, and OpenSC's view of the card and of its copy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.hosted import run
from support.interop import READER, program
from support.rig import full_card
from support.tokens import OPENSC_FAMILIES

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from cardtwin.card import CardImage
    from support.interop import Desk


def read(desk: Desk, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `cardtwin image read` with the desk's readers."""
    return run("image", "read", *arguments, PCSCLITE_CSOCK_NAME=desk.environment["PCSCLITE_CSOCK_NAME"])


both = pytest.mark.parametrize("model", OPENSC_FAMILIES)


@both
def test_opensc_shows_the_copy_as_the_card(desk: Desk, tmp_path: Path, model: str) -> None:
    desk.insert(model, full_card(model))
    shown = desk.run("pkcs15-tool", "-D")
    copy = tmp_path / "copy.image"
    result = read(desk, "--ask-tries", "--json", "--out", copy)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["differences"] == []

    again = run("exec", "--image", copy, "--reader", READER, "--", program("pkcs15-tool"), "-D")
    assert again.returncode == 0, again.stderr
    assert again.stderr + again.stdout == shown
    assert "Digital Signature" in shown


def test_what_opensc_has_made_is_shown_alike(
    desk: Desk, tmp_path: Path, personalised_by_opensc: CardImage
) -> None:
    desk.insert("cardos-4.4", personalised_by_opensc)
    shown = desk.run("pkcs15-tool", "-D")
    copy = tmp_path / "copy.image"
    result = read(desk, "--out", copy, "--reader", READER)
    assert result.returncode == 0, result.stderr

    again = run("exec", "--image", copy, "--reader", READER, "--", program("pkcs15-tool"), "-D")
    assert again.stderr + again.stdout == shown
    told = run("image", "show", copy)
    assert "value not known" in told.stdout


def test_a_reader_has_to_be_chosen_and_to_hold_a_card(desk: Desk, tmp_path: Path) -> None:
    copy = tmp_path / "copy.image"
    empty = read(desk, "--out", copy)
    assert (empty.returncode, empty.stdout) == (2, "")
    assert f"there is no card in the reader '{READER}'" in empty.stderr

    desk.manager.add_reader("Another reader")
    several = read(desk, "--out", copy)
    assert several.returncode == 2
    assert f"choose one with --reader: '{READER}', 'Another reader'" in several.stderr

    unknown = read(desk, "--out", copy, "--reader", "Third")
    assert "there is no reader 'Third'" in unknown.stderr
    assert not copy.exists()


def test_without_a_service_that_is_told(tmp_path: Path) -> None:
    result = run("image", "read", PCSCLITE_CSOCK_NAME=str(tmp_path / "nothing"))
    assert result.returncode == 2
    assert "the system's readers can't be used" in result.stderr
