"""One card, seen by our PKCS#11 and by OpenSC's: both show the same objects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from support.interop import shared_library
from support.pkcs11_tool import Pkcs11Tool
from support.rig import CURVE_KEY, certificate_for, full_card, opened_rig
from support.tokens import OPENSC_FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cardtwin.card import CardImage
    from support.rig import Rig

MAIN, SIGNATURE = ("cardtwin", "1234"), ("(Signature PIN)", "4321")
OURS_ALONE = {"Card Eraser", "Encrypted PINs"}
"""What is on no card: our middleware shows it beside the card's own objects."""

_PIN_PATTERNS = re.compile(r"^  token label\s*: (?P<label>.*)$", re.MULTILINE)


def slot_of(rig: Rig, module: str, label: str) -> str:
    """Return the index of the first slot whose token's label ends or begins so."""
    labels = _PIN_PATTERNS.findall(rig.run("pkcs11-tool", "--module", module, "-L"))
    return str(next(at for at, found in enumerate(labels) if label in found))


def shown(rig: Rig, module: str, label: str, pin: str) -> list[Mapping[str, str]]:
    """Return what pkcs11-tool tells of each object, without handles and what is no card object."""
    slot = slot_of(rig, module, label)
    listed = rig.run(
        "pkcs11-tool", "--module", module, "--slot-index", slot, "--login", "--pin", pin, "--list-objects"
    )
    objects: list[dict[str, str]] = []

    for line in listed.splitlines():
        if not line.startswith(" "):
            objects.append({"kind": re.sub(r"\d{5,}|object \d+", "", line).strip()})
        else:
            name, _, value = line.partition(":")
            # OpenSC tells the usage non-repudiation by an attribute of its own making.
            objects[-1][name.strip()] = value.replace(", non-repudiation", "").strip().strip("'")

    own = [
        found for found in objects if found.get("label") not in OURS_ALONE and "Profile" not in found["kind"]
    ]
    return sorted((found for found in own if len(found) > 1), key=str)


def both(rig: Rig, label: str, pin: str) -> tuple[list[Mapping[str, str]], list[Mapping[str, str]]]:
    return (
        shown(rig, rig.library, label, pin),
        shown(rig, shared_library("opensc-pkcs11.so"), label, pin),
    )


@pytest.mark.parametrize("model", OPENSC_FAMILIES)
@pytest.mark.parametrize(("label", "pin"), [MAIN, SIGNATURE], ids=["main", "signature"])
def test_what_we_have_encoded_is_seen_alike(tmp_path: Path, model: str, label: str, pin: str) -> None:
    with opened_rig(tmp_path, model) as rig:
        ours, openscs = both(rig, label, pin)

    assert ours == openscs
    assert {found["kind"].split()[0] for found in ours} >= {"Private", "Public", "Certificate"}


def test_a_key_on_a_curve_is_seen_alike(tmp_path: Path) -> None:
    with opened_rig(tmp_path, image=full_card("cardos-5.3", CURVE_KEY)) as rig:
        ours, openscs = both(rig, *MAIN)

    assert ours == openscs
    assert any("EC_POINT" in found for found in ours)


@pytest.mark.parametrize("model", OPENSC_FAMILIES)
def test_what_a_program_has_made_by_our_library_is_seen_alike(tmp_path: Path, model: str) -> None:
    named = ("--label", "new", "--id", "77")

    with opened_rig(tmp_path, model) as rig:
        tool = Pkcs11Tool(rig, rig.library, label="new")
        tool.as_user("--keypairgen", "--key-type", "rsa:2048", *named)
        certificate = certificate_for(tool.public_key()).public_bytes(Encoding.DER)
        (rig.folder / "certificate").write_bytes(certificate)
        tool.as_user("--write-object", "certificate", "--type", "cert", *named)
        ours, openscs = both(rig, *MAIN)

    assert ours == openscs
    assert [found["kind"].split()[0] for found in ours if found["label"] == "new"] == [
        "Certificate",
        "Private",
        "Public",
    ]


def test_what_opensc_has_made_is_seen_alike(tmp_path: Path, personalised_by_opensc: CardImage) -> None:
    with opened_rig(tmp_path, "cardos-4.4", image=personalised_by_opensc) as rig:
        ours, openscs = both(rig, "Twin", "1234")

    assert ours == openscs
    assert {found["label"] for found in ours} == {"Key to sign", "Key to decrypt"}
