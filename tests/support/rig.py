"""Programs above the PKCS#11 library: a bench with an encoded card, its sockets, and who uses them."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.card import CardView
from cardtwin.card import image as images
from cardtwin.cryptoki.constants import Cka, Ckc, Cko
from cardtwin.cryptoki.native import library_path
from cardtwin.cryptoki.values import Attribute
from cardtwin.events import CallEnded, Defect, Event, Hub
from cardtwin.ppa.shipped import shipped_profile
from cardtwin.targets import CardSetup, ProcessSetup, Setup
from cardtwin.targets.emulated import EmulatedBench
from cardtwin.targets.outlets import Outlets
from support.interop import TIMEOUT, program
from support.profiles import rsa_key
from support.programs import MAIN, PIN, SIGN_PIN, SIGNATURE, Desk, encoded
from support.signers import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cardtwin.card import CardImage, EmulatedCard
    from cardtwin.plan import Secret

READER = "Emulated reader"
CARD = "card"
SIGNING, CONSENTING = "Digital Signature", "Non Repudiation"
"""The labels of the keys, and of their certificates, in the main slot and in the signature slot."""

_RSA_KEY = "type=rsa size=2048 use=sign,decipher"
CURVE_KEY, MODIFIABLE_KEY = "type=ec size=256 use=sign", f"{_RSA_KEY} modifiable=yes"
"""Other keys for the main slot than the shipped profiles make."""


def issuer() -> x509.Certificate:
    """Return the certificate of who issues the card holder's certificates."""
    return _signed(_name("cardtwin test CA"), rsa_key().public_key(), authority=True)


def certified(request: x509.CertificateSigningRequest) -> x509.Certificate:
    """Return the issuer's certificate for a request."""
    return _signed(request.subject, request.public_key())


def certificate_for(key: object) -> x509.Certificate:
    """Return the issuer's certificate for a public key."""
    return _signed(_name("New"), key)


@cache
def full_card(model: str, key: str = _RSA_KEY) -> CardImage:
    """Return the image of a card after a full encoding: profile, keys made on it, PINs, certificates.

    Args:
        model: Of the card.
        key: What the profile says of the key in the main slot.
    """
    desk = Desk(model, image=encoded(model, "" if key == _RSA_KEY else _profile_with(model, key)))
    certify(desk, PIN, SIGN_PIN, curve=key == CURVE_KEY)
    return desk.card.image


def certify(desk: Desk, pin: Secret, sign_pin: Secret, *, curve: bool = False) -> None:
    """Put the card holder's certificates on a card that a profile has made; the PINs are its slots'."""
    program = desk.program()  # one that is logged in to both slots: rooms of certificates are the main PIN's
    places = ((MAIN, pin, SIGNING), (SIGNATURE, sign_pin, CONSENTING))
    holders = [Signer(desk, value, label, slot=slot, program=program) for slot, value, label in places]

    for holder, (_, _, label) in zip(holders, places, strict=True):
        public = holder.ec if curve and label == SIGNING else holder.rsa
        der = _signed(_name(f"Holder, {label}"), public).public_bytes(Encoding.DER)
        template = (
            Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE)),
            Attribute.of(Cka.CKA_CERTIFICATE_TYPE, int(Ckc.CKC_X_509)),
            Attribute.of(Cka.CKA_TOKEN, value=True),
            Attribute(Cka.CKA_VALUE, der),
        )
        program("C_CreateObject", holder.session, template)

    program.close()


def _profile_with(model: str, key: str) -> str:
    """Return the shipped full profile with another key. It says the PINs itself."""
    text = shipped_profile(model, "full").read_text()
    assert _RSA_KEY in text
    text = text.replace(_RSA_KEY, key)

    for name, pin in (("PIN1", PIN), ("PIN2", SIGN_PIN)):
        text = text.replace(
            f"X_Default SEC_{name} value=SECRANDOM(6)", f"SEC_{name} = '{pin.reveal().decode()}'"
        )

    return text


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _signed(subject: x509.Name, key: object, *, authority: bool = False) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder(_name("cardtwin test CA"), subject, key, x509.random_serial_number())  # type: ignore[arg-type]
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2045, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return builder.sign(rsa_key(), SHA256())


@dataclass
class Rig:
    """A bench whose reader has an encoded card, and programs that use it from a folder of their own."""

    folder: Path
    bench: EmulatedBench
    outlets: Outlets
    events: list[Event] = field(default_factory=list)

    @property
    def library(self) -> str:
        """Where the PKCS#11 library is."""
        return str(library_path())

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the programs: our sockets, their own home, plain English."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            **self.outlets.environment,
        }

    def start(
        self, name: str, *arguments: str, stdin: int = subprocess.DEVNULL, **more: str
    ) -> subprocess.Popen[str]:
        """Start a program, with more environment variables and no terminal; the caller waits for it."""
        return subprocess.Popen(
            [program(name), *arguments],
            cwd=self.folder,
            env=self.environment | more,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # PINs are never asked for on the terminal of who runs the tests
        )

    def run(self, name: str, *arguments: str, told: str = "", succeeds: bool = True, **more: str) -> str:
        """Run a program to its end and return what it printed; whether it succeeds is checked.

        Args:
            name: Of the program.
            arguments: Its own.
            told: What it reads from its standard input.
            succeeds: Whether it has to end with 0, or with anything else.
            more: More environment variables.
        """
        with self.start(name, *arguments, stdin=subprocess.PIPE, **more) as process:
            try:
                output, _ = process.communicate(told, timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

        assert (process.returncode == 0) == succeeds, f"{name} returned {process.returncode}:\n{output}"
        return output

    def write(self, name: str, content: str) -> str:
        """Write a file into the programs' folder and return its name."""
        (self.folder / name).write_text(content)
        return name

    def save_certificate(self, label: str = SIGNING) -> str:
        """Let pkcs11-tool read a certificate of the card's, and return the name of a file with it, as PEM."""
        slot = str({SIGNING: MAIN, CONSENTING: SIGNATURE}[label])
        where = ("--module", self.library, "--slot", slot, "--type", "cert", "--label", label)
        self.run("pkcs11-tool", *where, "--read-object", "--output-file", "holder.der")
        holder = x509.load_der_x509_certificate((self.folder / "holder.der").read_bytes())
        return self.write(f"{label}.pem", holder.public_bytes(Encoding.PEM).decode())

    def token(self, label: str = SIGNING) -> str:
        """Return the label of the token that has a key."""
        number = self._card.model.name.removeprefix("cardos-")
        return f"cardtwin CardOS {number}" if label == SIGNING else "cardtwin CardOS  (Signature PIN)"

    @property
    def image(self) -> CardImage:
        """The card as it is now."""
        return self._card.image

    def tries(self, reference: int = 1) -> int:
        """Return how many tries a PIN has left: the main slot's is 1, the signature slot's 3."""
        return CardView(self._card.image).pins["3F00", reference].tries_left

    @property
    def _card(self) -> EmulatedCard:
        card = self.bench.desk.card_in(READER)
        assert card is not None
        return card.chip

    def results(self, function: str) -> list[str]:
        """Return what a function of the library has returned so far to the programs."""
        ended = (event for event in self.events if isinstance(event, CallEnded))
        return [event.result for event in ended if event.call.what == function]

    def check(self) -> None:
        """Raise if the card, a server or a function had a bug to report."""
        defects = [event for event in self.events if isinstance(event, Defect)]
        assert not defects, defects[0].detail


@contextmanager
def opened_rig(
    folder: Path,
    model: str = "cardos-5.3",
    *,
    image: CardImage | None = None,
    config: str | None = None,
    program: str | None = None,
    quirks: tuple[str, ...] = (),
    switches: Mapping[str, str] | None = None,
) -> Iterator[Rig]:
    """Open a bench with a card.

    Args:
        folder: The programs' own.
        model: Of the card.
        image: What is on it; after a full encoding if not given.
        config: Personal.cfg of all programs.
        program: The name that all programs go by.
        quirks: The card's.
        switches: Which rules hold.
    """
    saved = folder / "card.image"
    images.save(image or full_card(model), saved)
    files = {saved.name: saved.read_bytes()} | ({} if config is None else {"Personal.cfg": config.encode()})
    setup = Setup(
        readers={READER: CARD},
        cards={CARD: CardSetup(model, quirks, image=saved.name)},
        processes={},
        files=files,
        switches=switches or {},
        others=ProcessSetup("", config=None if config is None else "Personal.cfg"),
    )
    hub = Hub()

    with EmulatedBench(setup, hub) as bench, Outlets(bench, program=program) as outlets:
        rig = Rig(folder, bench, outlets)
        hub.subscribe(rig.events.append)
        yield rig
        rig.check()
