"""OpenSC signs with keys on curves that a profile and our library have made, as EF.TokenInfo says.

Release 0.23 has no other mechanism for curves on a CardOS card: it always hashes itself, knows fields of 256
and 384 bits, and has no ECDH. What the card does beyond that is shown through our library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.interop import shared_library
from support.pkcs11_tool import PIN, Pkcs11Tool
from support.rig import CURVE_KEY, SIGNING, full_card, opened_rig
from support.signers import HASHES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardtwin.card import CardImage
    from support.rig import Rig

NEW = {"secp256r1": "77", "secp384r1": "78"}
LABELS = (SIGNING, *NEW)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> CardImage:
    """The image of a card with a key that the profile has made, and on each curve one of our library's."""
    with opened_rig(tmp_path_factory.mktemp("curves"), image=full_card("cardos-5.3", CURVE_KEY)) as rig:
        tool = Pkcs11Tool(rig, rig.library)

        for curve, identifier in NEW.items():
            tool.as_user("--keypairgen", "--key-type", f"EC:{curve}", "--label", curve, "--id", identifier)

        return rig.image


@pytest.fixture
def rig(tmp_path: Path, image: CardImage) -> Iterator[Rig]:
    with opened_rig(tmp_path, image=image) as rig:
        rig.write("message", "signed on the card\n")
        yield rig


@pytest.fixture(params=LABELS)
def label(rig: Rig, request: pytest.FixtureRequest) -> str:
    """The label of a key, whose public half OpenSC has put into the file public.pem."""
    rig.run("pkcs15-tool", "--read-public-key", id_of(rig, request.param), "-o", "public.pem")
    return str(request.param)


def test_both_read_the_same_public_key(rig: Rig, label: str) -> None:
    public = Pkcs11Tool(rig, rig.library, label=label).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert (rig.folder / "public.pem").read_bytes() == pem


def id_of(rig: Rig, label: str) -> str:
    """Return the identifier of a private key as OpenSC lists it."""
    listed = rig.run("pkcs15-tool", "--list-keys")
    return listed.partition(f"[{label}]")[2].partition("\tID             : ")[2].split()[0]


def verified(rig: Rig, digest: str) -> bool:
    arguments = ("dgst", f"-{digest}", "-verify", "public.pem", "-signature", "signature", "message")
    return "Verified OK" in rig.run("openssl", *arguments)


@pytest.mark.parametrize("digest", HASHES)
def test_opensc_s_pkcs11_signs_with_every_hash(rig: Rig, label: str, digest: str) -> None:
    tool = Pkcs11Tool(rig, shared_library("opensc-pkcs11.so"))
    form = ("--signature-format", "openssl", "-i", "message", "-o", "signature")
    tool.as_user("--id", id_of(rig, label), "--sign", "-m", f"ECDSA-{digest}", *form)
    assert verified(rig, digest.lower())


def test_pkcs15_crypt_signs_a_hash(rig: Rig, label: str) -> None:
    rig.run("openssl", "dgst", "-sha256", "-binary", "-out", "hash", "message")
    files = ("-R", "-i", "hash", "-f", "openssl", "-o", "signature")
    rig.run("pkcs15-crypt", "-s", "-k", id_of(rig, label), "--pin", PIN, "--sha-256", *files)
    assert verified(rig, "sha256")


def test_without_ecdsa_in_the_token_s_information_opensc_has_no_such_mechanism(tmp_path: Path) -> None:
    with opened_rig(tmp_path, "cardos-4.4") as rig:
        assert "ECDSA" not in Pkcs11Tool(rig, shared_library("opensc-pkcs11.so"))("-M")
