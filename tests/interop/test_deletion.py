"""What is deleted is gone, in three ways.

PKCS#11 finds it no more, ours and OpenSC's, each in a program that has just begun; its files are not there,
by the card's own commands and by opensc-explorer; and nothing is done with the key of its number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key

from cardtwin.card import CardView, models
from cardtwin.encoding import NoCardEraserError
from support.encodings import job
from support.interop import shared_library
from support.pkcs11_tool import PIN, Pkcs11Tool
from support.rawcard import NO_SUCH_FILE, NO_SUCH_KEY, OK, RawCard
from support.rig import SIGNING, Rig, certificate_for, opened_rig
from support.tokens import OPENSC_FAMILIES

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import CardImage

AID = "A000000063504B43532D3135"
APPLICATION = "3F005015"
PRIVATE, PUBLIC, CERTIFICATE, DATA = "Private RSA Key", "Public RSA Key", "X.509 Certificate", "Data object"
OVERWRITTEN = "6984"
"""What comes of a key object that holds no key any more: pkcs15-init overwrites it, and leaves it there."""

CARDOS = tuple(name for name in models.names() if name.startswith("cardos-"))
SOME = 200
"""Bytes of a file: no more than one command reads."""

NOT_FOUND = "unable to select file: File not found"


@dataclass(frozen=True)
class Placed:
    """Where an object is: a file, or a key's DF and number."""

    path: str
    reference: int = 0


class Witness:
    """Three ways to look for what was made on a card."""

    def __init__(self, rig: Rig, pin: str = "PIN") -> None:
        self.rig = rig
        self.pin = self._reference(pin)
        self.raw = RawCard(rig.bench.manager.context(), rig.image.model)
        self.libraries = (rig.library, shared_library("opensc-pkcs11.so"))

    def placed(self, kind: str, label: str) -> Placed:
        """Return where OpenSC finds an object."""
        listed = self.rig.run("pkcs15-tool", "-D")
        entry = re.search(rf"^{kind} (?:\[{label}\]|'{label}')\n(?:\t.*\n)+", listed, re.MULTILINE)
        assert entry, listed
        path = re.search(r"Path *: *(\S+)", entry[0])
        reference = re.search(r"Key ref *: (\d+)", entry[0])
        assert path
        whole = path[1].upper().replace(f"{AID}::", APPLICATION)
        return Placed(whole, int(reference[1]) if reference else 0)

    def _reference(self, pin: str) -> int:
        found = re.search(
            rf"PIN \[{pin}\]\n(?:\t.*\n)+?\tReference +: (\d+)", self.rig.run("pkcs15-tool", "--list-pins")
        )
        assert found
        return int(found[1])

    def public_key(self, identifier: str) -> rsa.RSAPublicKey:
        """Return the public half of a key, as OpenSC reads it."""
        self.rig.run("pkcs15-tool", "--read-public-key", identifier, "-o", "public.pem")
        public = load_pem_public_key((self.rig.folder / "public.pem").read_bytes())
        assert isinstance(public, rsa.RSAPublicKey)
        return public

    def shown(self) -> list[str]:
        """Return what each of the libraries lists."""
        listing = ("--login", "--pin", PIN, "--list-objects")
        return [self.rig.run("pkcs11-tool", "--module", library, *listing) for library in self.libraries]

    def deciphering(self, key: Placed, cryptogram: bytes) -> str:
        return self.raw.deciphering(key.path, key.reference, cryptogram, pin=(self.pin, PIN))

    def has(self, path: str) -> bool:
        """Whether a file is there; the card's commands, its memory and opensc-explorer agree."""
        status, explored = self.raw.status(path), self._explored(path)
        assert status in {OK, NO_SUCH_FILE}
        there = status == OK
        assert ("/".join(re.findall("....", path)) in CardView(self.rig.image).files) == there
        assert (NOT_FOUND in explored, "Working Elementary File" in explored) == (not there, there)
        return there

    def _explored(self, path: str) -> str:
        """Return what opensc-explorer tells of a file; a Cosmo's master file it cannot select."""
        by_name = self.rig.image.model.startswith("cosmo-")
        steps = re.findall("....", path.removeprefix(APPLICATION if by_name else "3F00"))
        begin = ("--mf", f"aid:{AID}") if by_name else ()
        walk = [*(f"cd {step}" for step in steps[:-1]), f"info {steps[-1]}", "quit"]
        return self.rig.run("opensc-explorer", *begin, told="".join(f"{step}\n" for step in walk))


@pytest.mark.parametrize("model", OPENSC_FAMILIES)
def test_what_c_destroy_object_has_destroyed_is_gone(tmp_path: Path, model: str) -> None:
    with opened_rig(tmp_path, model) as rig:
        tool, witness = Pkcs11Tool(rig, rig.library), Witness(rig)
        named = ("--label", "new", "--id", "77")
        tool.as_user("--keypairgen", "--key-type", "rsa:2048", *named)
        public = witness.public_key("77")
        (rig.folder / "certificate").write_bytes(certificate_for(public).public_bytes(Encoding.DER))
        rig.write("data", "any data")
        tool.as_user("--write-object", "certificate", "--type", "cert", *named)
        tool.as_user("--write-object", "data", "--type", "data", "--label", "new")

        files = [witness.placed(kind, "new").path for kind in (PUBLIC, CERTIFICATE, DATA)]
        key = witness.placed(PRIVATE, "new")
        cryptogram = public.encrypt(b"a secret", padding.PKCS1v15())
        assert all(text.count("new") == 4 for text in witness.shown())
        assert [witness.has(path) for path in files] == [True] * 3
        assert witness.deciphering(key, cryptogram) == OK

        for kind in ("privkey", "pubkey", "cert", "data"):
            tool.as_user("--delete-object", "--type", kind, "--label", "new")

        assert not any("new" in text for text in witness.shown())
        assert [witness.has(path) for path in files] == [False] * 3
        assert witness.deciphering(key, cryptogram) == NO_SUCH_KEY


@pytest.mark.parametrize("model", OPENSC_FAMILIES)
def test_a_certificate_in_the_profile_s_file_is_overwritten(tmp_path: Path, model: str) -> None:
    with opened_rig(tmp_path, model) as rig:
        tool, witness = Pkcs11Tool(rig, rig.library), Witness(rig)
        place = witness.placed(CERTIFICATE, SIGNING).path
        der = witness.raw.content(place, SOME)
        assert der.startswith(b"\x30\x82")

        tool.as_user("--delete-object", "--type", "cert", "--label", SIGNING)
        assert witness.has(place)
        assert witness.raw.content(place, SOME) == bytes(SOME)
        assert not any(
            re.search(rf"Certificate Object.*\n  label: +{SIGNING}\n", text) for text in witness.shown()
        )


@pytest.mark.parametrize("bits", [1024, 2048])
def test_what_pkcs15_init_has_deleted_is_gone(
    tmp_path: Path, personalised_by_opensc: CardImage, bits: int
) -> None:
    with opened_rig(tmp_path, "cardos-4.4", image=personalised_by_opensc) as rig:
        witness = Witness(rig, "Main")
        by = ("--auth-id", "01", "--pin", PIN, "--so-pin", "12345678")
        named = ("--label", "new", "--id", "77")
        rig.write("data", "any data")
        rig.run("pkcs15-init", "-G", f"rsa/{bits}", "-u", "sign,decrypt", *named, *by)
        public = witness.public_key("77")
        rig.write("certificate", certificate_for(public).public_bytes(Encoding.PEM).decode())
        rig.run("pkcs15-init", "-X", "certificate", *named, *by)
        rig.run("pkcs15-init", "-W", "data", "--label", "new", "--application-name", "tests", *by)

        files = [witness.placed(kind, "new").path for kind in (PUBLIC, CERTIFICATE, DATA)]
        key = witness.placed(PRIVATE, "new")
        cryptogram = public.encrypt(b"a secret", padding.PKCS1v15())
        assert all(text.count("new") == 4 for text in witness.shown())
        assert [witness.has(path) for path in files] == [True] * 3
        assert witness.deciphering(key, cryptogram) == OK

        rig.run("pkcs15-init", "-D", "privkey,pubkey,cert", "--id", "77", *by)
        rig.run("pkcs15-init", "-D", "data", "--label", "new", "--application-name", "tests", *by)
        assert not any("new" in text for text in witness.shown())
        assert [witness.has(path) for path in files] == [False] * 3
        assert witness.deciphering(key, cryptogram) == OVERWRITTEN


@pytest.mark.parametrize("model", CARDOS)
def test_what_delete_profile_has_deleted_is_gone(tmp_path: Path, model: str) -> None:
    with opened_rig(tmp_path, model) as rig:
        witness = Witness(rig)
        key, public = witness.placed(PRIVATE, SIGNING), witness.placed(PUBLIC, SIGNING).path
        files = [path.replace("/", "") for path in CardView(rig.image).files if path != "3F00"]
        assert witness.has(public)
        assert witness.raw.choosing(key.path, key.reference) == OK

        outcome = rig.bench.engine("", ()).run(job("DeleteProfile=true", {}))
        assert outcome.error is None
        ours = rig.run("pkcs11-tool", "--module", rig.library, "--list-objects")
        assert re.findall(r"label: +(.*)", ours) == ["'Card Eraser'"]
        assert "token state:   uninitialized" in rig.run("pkcs11-tool", "--module", rig.library, "-L")
        assert "Unsupported card" in rig.run("pkcs15-tool", "-D", succeeds=False)
        assert files
        assert {witness.raw.status(path) for path in files} == {NO_SUCH_FILE}
        assert CardView(rig.image).files.keys() == {"3F00"}
        assert witness.raw.choosing("3F00", key.reference) == NO_SUCH_KEY


def test_a_cosmo_keeps_its_profile(tmp_path: Path) -> None:
    with opened_rig(tmp_path, "cosmo-8.2") as rig:
        before = rig.image
        outcome = rig.bench.engine("", ()).run(job("DeleteProfile=true", {}))
        assert isinstance(outcome.error, NoCardEraserError)
        assert rig.image == before
