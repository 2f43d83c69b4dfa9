"""Objects in tests: templates, by their classes, and what a program sees of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.cryptoki.constants import Cka, Ckc, Ckk, Ckm, Cko
from cardtwin.cryptoki.values import Attribute, Mechanism
from support.profiles import rsa_key

if TYPE_CHECKING:
    from support.programs import Program

Template = tuple[Attribute, ...]
RSA_PAIR, EC_PAIR = Mechanism(Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN), Mechanism(Ckm.CKM_EC_KEY_PAIR_GEN)
CURVES: dict[int, tuple[ec.EllipticCurve, bytes]] = {
    256: (ec.SECP256R1(), bytes.fromhex("06082A8648CE3D030107")),
    384: (ec.SECP384R1(), bytes.fromhex("06052B81040022")),
    521: (ec.SECP521R1(), bytes.fromhex("06052B81040023")),
}
TOKEN, SESSION = {"TOKEN": True}, {"TOKEN": False}
P256 = CURVES[256][1]


def of(kind: Cko) -> Attribute:
    """Return the attribute of a class."""
    return Attribute.of(Cka.CKA_CLASS, int(kind))


def template(**attributes: Any) -> Template:
    """Return a template: `template(TOKEN=True, LABEL="x")`."""
    return tuple(Attribute.of(Cka[f"CKA_{name}"], value) for name, value in attributes.items())


def labels(program: Program, session: int, *wanted: Attribute) -> list[str]:
    """Return the labels of what a search finds."""
    return [program.read(session, each, Cka.CKA_LABEL).decode() for each in program.find(session, *wanted)]


def data_object(**attributes: Any) -> Template:
    """Return the template of a data object on the token."""
    return template(**{"CLASS": int(Cko.CKO_DATA), "TOKEN": True, "LABEL": "note"} | attributes)


def certificate_object(der: bytes, **attributes: Any) -> Template:
    """Return the template of a certificate on the token."""
    fixed = {"CLASS": int(Cko.CKO_CERTIFICATE), "CERTIFICATE_TYPE": int(Ckc.CKC_X_509), "TOKEN": True}
    return template(**fixed | {"VALUE": der} | attributes)


def public_object(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, **attributes: Any) -> Template:
    """Return the template of a public key on the token."""
    fixed = {"CLASS": int(Cko.CKO_PUBLIC_KEY), "TOKEN": True, "LABEL": "public"}
    return template(**fixed | _public(key) | attributes)


def _public(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {
            "KEY_TYPE": int(Ckk.CKK_RSA),
            "MODULUS": _bytes(numbers.n),
            "PUBLIC_EXPONENT": _bytes(numbers.e),
        }

    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "KEY_TYPE": int(Ckk.CKK_EC),
        "EC_PARAMS": CURVES[key.curve.key_size][1],
        "EC_POINT": b"\x04" + _length(len(point)) + point,
    }


def private_object(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, **attributes: Any) -> Template:
    """Return the template of a private key on the token, all its numbers included."""
    fixed: dict[str, Any] = {"CLASS": int(Cko.CKO_PRIVATE_KEY), "TOKEN": True, "LABEL": "imported"}
    return template(**fixed | _private(key) | attributes)


def _private(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    numbers = key.private_numbers()

    if isinstance(numbers, ec.EllipticCurvePrivateNumbers):
        value = {"VALUE": _bytes(numbers.private_value)}
        return {
            "KEY_TYPE": int(Ckk.CKK_EC),
            "EC_PARAMS": CURVES[key.public_key().curve.key_size][1],  # type: ignore[union-attr]
        } | value

    return {
        "KEY_TYPE": int(Ckk.CKK_RSA),
        "MODULUS": _bytes(numbers.public_numbers.n),
        "PUBLIC_EXPONENT": _bytes(numbers.public_numbers.e),
        "PRIVATE_EXPONENT": _bytes(numbers.d),
        "PRIME_1": _bytes(numbers.p),
        "PRIME_2": _bytes(numbers.q),
        "EXPONENT_1": _bytes(numbers.dmp1),
        "EXPONENT_2": _bytes(numbers.dmq1),
        "COEFFICIENT": _bytes(numbers.iqmp),
    }


def imported_rsa(**attributes: Any) -> Template:
    """Return the template of an RSA key of 2048 bits on the token."""
    return private_object(rsa_key(), **attributes)


def rsa_pair(bits: int = 2048, **both: Any) -> tuple[Template, Template]:
    """Return the templates of an RSA key pair on the token."""
    common = {"TOKEN": True, "LABEL": "made"} | both
    return template(MODULUS_BITS=bits, **common), template(**common)


def ec_pair(bits: int = 256, **both: Any) -> tuple[Template, Template]:
    """Return the templates of a key pair on a curve, on the token."""
    common = {"TOKEN": True, "LABEL": "made"} | both
    return template(EC_PARAMS=CURVES[bits][1], **common), template(**common)


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def _length(size: int) -> bytes:
    return bytes((size,)) if size < 0x80 else bytes((0x81, size))
