"""PIN letters in tests: Certificate Manager with an officer who may print them, and a font of our own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.manager import CertificateManager, KeyUsage, Role, Store, TokenRequest, signed
from support.managers import NOW, PASSPHRASE, Office, policy, request_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cardtwin.issuance.manager import IssuedToken, PinLetter

LETTERS = """\
[PIN letter Ours]
Sender=The Card Office|1 High Street
Addressee=${Common name}|${Organisation}
Subject=Your card ${Serial number}
Text=Dear ${Common name},|here are your secrets.
Closing=The Card Office
PIN1=Your PIN
PUK=For unblocking
Prefix=L-
FONT
[PIN procedure Letters]
PIN1=6 digits, letter 1
PUK=8 readable, letter 2
OP=12 alphanumeric, stored
Letter=Ours
[PIN procedure Stored]
PIN1=6 digits, stored
[Certificate procedure Any]
[Token procedure Card]
State=Active
Storage profile=Smart Card
Card serial number=Yes
Serial number range=1000-1999
PIN procedure=Letters
Issuer certificates=Do not store any
Certificate procedures=Any
[Token procedure Stored]
State=Active
Storage profile=PKCS #12 file
PIN procedure=Stored
Issuer certificates=Do not store any
Certificate procedures=Any
"""


@dataclass
class LetterOffice(Office):
    """Certificate Manager, and Carl, who may print PIN letters; Anna and Ben may not."""

    text: str = LETTERS.replace("FONT\n", "")
    fonts: Path | None = None
    carl: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        super().__post_init__()
        self.set_up(self.text)

    def set_up(self, text: str) -> None:
        """Take another policy."""
        self.text = text
        now = lambda: self.now  # noqa: E731  # the clock that tests set
        self.manager = CertificateManager(self.store, policy(text), now=now, fonts=self.fonts)

    def open(self) -> None:
        """Enrol all officers, and put the token procedures in effect."""
        self.enrol()
        self.keys["carl"] = self.carl
        self.manager.officers.enrol("carl", self.carl.public_key(), [Role.MANAGE_PIN_LETTERS])
        self.put_in_effect()
        self.put_in_effect("Stored")

    def order(self, content: bytes, officer: str = "carl") -> bytes:
        """Return an officer's signature."""
        key = self.keys[officer]
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        found = next(each for each in self.manager.officers.all() if each.name == officer)
        return signed(content, found.certificate, self.now, lambda data: key.sign(data, ec.ECDSA(SHA256())))

    def print(self, *ids: str, folder: Path | None = None) -> tuple[PinLetter, ...]:
        """Have letters printed."""
        letters = self.manager.letters
        return letters.print(ids, "carl", self.order(letters.order(ids)), folder)

    def issued(self, holder: str = "Jane", name: str = "Card", **fields: str) -> IssuedToken:
        """Issue a token."""
        request = request_for(frozenset({KeyUsage.DIGITAL_SIGNATURE}))
        entered = {"Common name": holder, **fields}
        return self.manager.registration.issue(TokenRequest(name, entered, requests=(request,)))


def letter_office(
    path: Path | None = None, fonts: Path | None = None, font: str = ""
) -> Iterator[LetterOffice]:
    """Yield Certificate Manager with its officers; for fixtures."""
    text = LETTERS.replace("FONT\n", f"Font={font}\n" if font else "")

    with Store(path, PASSPHRASE, SystemEntropy()) as store:
        office = LetterOffice(store, text, fonts=fonts)
        office.open()
        yield office


def make_font(path: Path, characters: Iterable[str]) -> None:
    """Make a TrueType font whose characters are all the same box."""
    names = {ord(sign): f"u{ord(sign):04X}" for sign in sorted(set(characters))}
    pen = TTGlyphPen(None)

    for number, place in enumerate([(50, 0), (50, 600), (450, 600), (450, 0)]):
        (pen.lineTo if number else pen.moveTo)(place)

    pen.closePath()
    box = pen.glyph()
    order = [".notdef", *names.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    builder.setupGlyf(dict.fromkeys(order, box))
    builder.setupHorizontalMetrics(dict.fromkeys(order, (500, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular", "psName": "Boxes-Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


__all__ = ["LETTERS", "NOW", "LetterOffice", "letter_office", "make_font"]
