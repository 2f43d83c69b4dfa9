"""Programs that have a key on a card at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cardtwin.cryptoki.constants import Cka, Ckg, Ckm, Cko, Cku
from cardtwin.cryptoki.values import Buffer, Mechanism
from cardtwin.iso7816 import Tlv
from support.programs import MAIN, PIN, RW, SIGN_PIN, SIGNATURE, Desk, Program
from support.tokens import profile_text

if TYPE_CHECKING:
    from cardtwin.middleware import Ckr
    from cardtwin.plan import Secret

DATA = b"what is signed"
HASHES: dict[str, tuple[hashes.HashAlgorithm, Ckm, Ckg]] = {
    "SHA1": (hashes.SHA1(), Ckm.CKM_SHA_1, Ckg.CKG_MGF1_SHA1),  # noqa: S303  # the mechanism's own hash
    "SHA224": (hashes.SHA224(), Ckm.CKM_SHA224, Ckg.CKG_MGF1_SHA224),
    "SHA256": (hashes.SHA256(), Ckm.CKM_SHA256, Ckg.CKG_MGF1_SHA256),
    "SHA384": (hashes.SHA384(), Ckm.CKM_SHA384, Ckg.CKG_MGF1_SHA384),
    "SHA512": (hashes.SHA512(), Ckm.CKM_SHA512, Ckg.CKG_MGF1_SHA512),
}
SIMPLE = Mechanism(Ckm.CKM_SHA256_RSA_PKCS)
KEYS = "X_Key K reference=3 directory=DF type={} size={} use={} access=pin1 label='Key' public=EFPUB {}"
FILES = """CreateEf EFPRKDF id=0x4401 maxsize=400 read=always update=always
CreateEf EFPUKDF id=0x4411 maxsize=400 read=always update=always
CreateEf EFPUB id=0x4611 maxsize=500 read=always update=always
---File Dynamic EFPRKDF
data = X_PRKDF()
Endfile
File Dynamic EFPUKDF
data = X_PUKDF()
Endfile
File Dynamic EFPUB
data = X_PUBLICKEY(K)
Endfile"""


def key_profile(model: str, kind: str, size: int, use: str, more: str = "") -> str:
    text = profile_text(model, keys=KEYS.format(kind, size, use, more), files=FILES)
    return text.replace("maxsize=4000", "maxsize=8000")


class Signer:
    """A program logged in to a card, with a key on it."""

    def __init__(
        self,
        desk: Desk,
        pin: Secret = PIN,
        label: str = "Digital Signature",
        *,
        slot: int = MAIN,
        program: Program | None = None,
        **settings: Any,
    ) -> None:
        self.desk = desk
        self.program = program or desk.program(**settings)
        self.program.slots()
        self.session = self.program.session(RW, slot)
        self.program("C_Login", self.session, Cku.CKU_USER, pin)
        self.key = self.program.key(self.session, label)
        self.public_handle = self.program.key(self.session, label, Cko.CKO_PUBLIC_KEY)

    def sign(self, mechanism: Mechanism, data: bytes = DATA) -> bytes:
        return self.program.sign(self.session, self.key, mechanism, data)

    def init(self, mechanism: Mechanism = SIMPLE) -> Ckr:
        return self.program.rv("C_SignInit", self.session, mechanism, self.key)

    def finish(self, room: int | None = 512, data: bytes = DATA) -> Ckr:
        return self.program.rv("C_Sign", self.session, data, Buffer(room))

    def verify(self, mechanism: Mechanism, signature: bytes, data: bytes = DATA) -> Ckr:
        self.program("C_VerifyInit", self.session, mechanism, self.public_handle)
        return self.program.rv("C_Verify", self.session, data, signature)

    def read(self, kind: Cka) -> bytes:
        return self.program.read(self.session, self.public_handle, kind)

    @property
    def rsa(self) -> rsa.RSAPublicKey:
        modulus, exponent = (
            int.from_bytes(self.read(kind)) for kind in (Cka.CKA_MODULUS, Cka.CKA_PUBLIC_EXPONENT)
        )
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()

    @property
    def ec(self) -> ec.EllipticCurvePublicKey:
        point = Tlv.parse(self.read(Cka.CKA_EC_POINT)).value
        curve: ec.EllipticCurve = {65: ec.SECP256R1(), 97: ec.SECP384R1(), 133: ec.SECP521R1()}[len(point)]
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)


def consenting(desk: Desk) -> Signer:
    """Return a signer with the key that wants the PIN for each signature."""
    return Signer(desk, SIGN_PIN, "Non Repudiation", slot=SIGNATURE)
