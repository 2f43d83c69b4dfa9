"""Cards that come finished: what is on them, and that they are made anew from a seed alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from cryptography import x509

from cardtwin.card import image as images
from cardtwin.card import models
from cardtwin.cli.image import command
from cardtwin.entropy import SeededEntropy, SystemEntropy
from cardtwin.targets import TargetError
from cardtwin.targets.issuing import issuable, issue

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.targets.issuing import IssuedCard


def made(name: str, seed: str = "one") -> IssuedCard:
    return issue(name, SeededEntropy(seed))


@pytest.mark.parametrize("name", issuable())
def test_a_card_fits_its_model_and_its_file(name: str, tmp_path: Path) -> None:
    image = made(name).image
    images.save(image, tmp_path / "card.image")
    assert images.load(tmp_path / "card.image") == image
    assert image.used <= models.get(image.model).memory


WITH_KEYS = sorted(set(issuable()) - {"authentic-2"})


@pytest.mark.parametrize("name", WITH_KEYS)
def test_a_seed_gives_the_same_card_again_and_another_one_others(name: str) -> None:
    assert made(name).image == made(name).image
    assert made(name).image.objects != made(name, "two").image.objects
    assert issue(name, SystemEntropy()).image.objects != made(name).image.objects


@pytest.mark.parametrize("name", WITH_KEYS)
def test_the_certificates_are_those_of_the_issuer(name: str) -> None:
    certificates = {
        label: x509.load_der_x509_certificate(der) for label, der in made(name).certificates.items()
    }
    issuer = certificates.pop("issuer")
    assert certificates

    for certificate in certificates.values():
        certificate.verify_directly_issued_by(issuer)


def test_pins_are_those_that_are_given() -> None:
    card = issue("latvian-eid", SeededEntropy("one"), {"PIN1": "987654"})
    assert card.pins == {"PIN1": "987654", "PIN2": "123456", "PUK": "12345678"}
    assert "987654" not in repr(card)


@pytest.mark.parametrize(
    ("name", "pins", "said"),
    [
        ("authentic", {"PIN1": "1234"}, "no PIN PIN1"),
        ("authentic-2", {"SO": "123"}, "SO is made of 4 to 64 digits"),
        ("authentic", {"PIN": "12a4"}, "PIN is made of 4 to 63 digits"),
        ("estonian-eid", {"PIN2": "1234"}, "PIN2 is made of 5 to 12 digits"),
        ("latvian-eid", {"PIN2": "12345"}, "PIN2 is made of 6 to 12 digits"),
        ("idprime", {"PIN": "1" * 17}, "PIN is made of 4 to 16 digits"),
        ("estonian-eid", {"PUK": "1" * 13}, "PUK is made of 8 to 12 digits"),
    ],
)
def test_a_pin_that_the_card_doesn_t_take_is_refused_and_not_repeated(
    name: str, pins: dict[str, str], said: str
) -> None:
    with pytest.raises(TargetError, match=said) as refused:
        issue(name, SeededEntropy("one"), pins)

    assert not any(f" {value}" in str(refused.value) for value in pins.values())


def test_another_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(TargetError, match="estonian-eid"):
        issue("estonian-id", SeededEntropy("one"))


def test_the_command_saves_the_image_and_says_what_is_on_it(tmp_path: Path) -> None:
    out = tmp_path / "eid.image"
    done = CliRunner().invoke(command, ["issue", "estonian-eid", "--out", str(out), "--seed", "one"])
    assert done.exit_code == 0, done.output
    assert "PIN 3F00/ADF2:5  3 of 3 tries left" in done.output
    again = CliRunner().invoke(
        command, ["issue", "estonian-eid", "--out", str(tmp_path / "2"), "--seed", "one"]
    )
    assert again.exit_code == 0
    assert images.load(tmp_path / "2") == images.load(out)


def test_the_command_refuses_an_unknown_card(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["issue", "passport", "--out", str(tmp_path / "x")])
    assert done.exit_code == 2
    assert "no card 'passport' is issued" in done.output
    assert not (tmp_path / "x").exists()
