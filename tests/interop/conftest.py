"""What the interoperability tests share: benches for other programs, and a card made by OpenSC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.interop import Desk, opened_desk
from support.rig import CURVE_KEY, full_card, opened_rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardtwin.card import CardImage
    from support.rig import Rig


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty reader on a socket."""
    with opened_desk(tmp_path) as desk:
        yield desk


@pytest.fixture(scope="session")
def personalised_by_opensc(tmp_path_factory: pytest.TempPathFactory) -> CardImage:
    """The image of a CardOS 4.4 card that pkcs15-init has personalised.

    It has PIN 01 (1234, PUK 123456), security officer's PIN 12345678, and two RSA keys generated on the card:
    45 signs, 46 deciphers.
    """
    with opened_desk(tmp_path_factory.mktemp("personalised")) as desk:
        card = desk.insert("cardos-4.4")
        officer = ("--so-pin", "12345678")
        main = ("--auth-id", "01", "--pin", "1234")
        desk.run("pkcs15-init", "-C", *officer, "--so-puk", "87654321", "-l", "Twin")
        desk.run("pkcs15-init", "-P", *main, "--puk", "123456", "-l", "Main", *officer)

        for key, usage in (("45", "sign"), ("46", "decrypt")):
            generate = ("-G", "rsa/2048", "-i", key, "-u", usage, "-l", f"Key to {usage}")
            desk.run("pkcs15-init", *generate, *main, *officer)

        return card.image


@pytest.fixture(params=["cardos-4.4", "cardos-5.3"])
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A bench with an encoded card of each model, for programs above the PKCS#11 library."""
    with opened_rig(tmp_path, request.param) as rig:
        yield rig


@pytest.fixture
def curve_rig(tmp_path: Path) -> Iterator[Rig]:
    """The same with a card whose key that signs is one on a curve."""
    with opened_rig(tmp_path, image=full_card("cardos-5.3", CURVE_KEY)) as rig:
        yield rig
