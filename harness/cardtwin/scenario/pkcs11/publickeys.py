"""What the harness does with public keys: it checks signatures, and encrypts what a card is to decrypt."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from cardtwin.cryptoki.constants import Ckg, Ckm
from cardtwin.cryptoki.structures import RsaPkcsOaepParams, RsaPkcsPssParams
from cardtwin.scenario.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.cryptoki.values import Mechanism

__all__ = ["PublicKey", "encrypted", "from_certificate", "from_point", "from_rsa_numbers", "is_right"]

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "SHA1": hashes.SHA1(),  # noqa: S303  # the mechanism's own hash
    "SHA224": hashes.SHA224(),
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
_DIGESTS: Final = {
    int(Ckm["CKM_SHA_1" if name == "SHA1" else f"CKM_{name}"]): found for name, found in _HASHES.items()
}
_MASKS: Final = {int(Ckg[f"CKG_MGF1_{name}"]): found for name, found in _HASHES.items()}
_CURVES: Final[dict[str, type[ec.EllipticCurve]]] = {
    "06082A8648CE3D030107": ec.SECP256R1,
    "06052B81040022": ec.SECP384R1,
    "06052B81040023": ec.SECP521R1,
    "06092B2403030208010107": ec.BrainpoolP256R1,
    "06092B240303020801010B": ec.BrainpoolP384R1,
    "06092B240303020801010D": ec.BrainpoolP512R1,
}
"""Named curves by the DER of their object identifiers."""

_UNCOMPRESSED: Final = 0x04


def from_rsa_numbers(modulus: bytes, exponent: bytes) -> PublicKey:
    """Return the key of CKA_MODULUS and CKA_PUBLIC_EXPONENT."""
    return rsa.RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus)).public_key()


def from_point(parameters: bytes, point: bytes) -> PublicKey:
    """Return the key of CKA_EC_PARAMS and CKA_EC_POINT, a DER OCTET STRING, or the plain point.

    Raises:
        UsageError: The curve is not known.
    """
    curve = _CURVES.get(parameters.hex().upper())

    if curve is None:
        raise UsageError(f"the curve {parameters.hex()} is not known: nothing can be checked")

    length = 1 + 2 * ((curve().key_size + 7) // 8)
    return ec.EllipticCurvePublicKey.from_encoded_point(curve(), point[-length:])


def from_certificate(der: bytes) -> PublicKey:
    """Return the key of an X.509 certificate.

    Raises:
        UsageError: It is neither of RSA nor of elliptic curves.
    """
    key = x509.load_der_x509_certificate(der).public_key()

    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise UsageError(f"the certificate's key is of another kind: {type(key).__name__}")

    return key


def is_right(key: PublicKey, mechanism: Mechanism, data: bytes, signature: bytes) -> bool:
    """Whether a signature is the one of this data.

    Raises:
        UsageError: It cannot be checked.
    """
    check = _CHECKS.get(mechanism.type)

    if check is None:
        raise UsageError(f"a signature of {mechanism.name} cannot be checked; 'pkcs11' steps can make it")

    try:
        check(key, mechanism, data, signature)
    except InvalidSignature:
        return False

    return True


def encrypted(key: PublicKey, mechanism: Mechanism, plain: bytes) -> bytes:
    """Return what the private key decrypts to the plain text.

    Raises:
        UsageError: The mechanism is not known.
    """
    encrypt = _ENCRYPTIONS.get(mechanism.type)

    if encrypt is None or not isinstance(key, rsa.RSAPublicKey):
        raise UsageError(f"nothing can be encrypted for {mechanism.name}: give the encrypted 'data'")

    return encrypt(key, mechanism, plain)


def _prehashed(digest: bytes) -> Prehashed:
    for found in _HASHES.values():
        if found.digest_size == len(digest):
            return Prehashed(found)

    raise UsageError(f"{len(digest)} bytes are no digest: nothing can be checked")


def _raw(key: rsa.RSAPublicKey, signature: bytes) -> bytes:
    numbers = key.public_numbers()
    size = (key.key_size + 7) // 8
    return pow(int.from_bytes(signature), numbers.e, numbers.n).to_bytes(size)


def _check_raw(key: rsa.RSAPublicKey, _: Mechanism, data: bytes, signature: bytes) -> None:
    if _raw(key, signature) != data.rjust((key.key_size + 7) // 8, b"\0"):
        raise InvalidSignature


def _check_block(key: rsa.RSAPublicKey, _: Mechanism, data: bytes, signature: bytes) -> None:
    filling = (key.key_size + 7) // 8 - len(data) - 3

    if _raw(key, signature) != b"\x00\x01" + b"\xff" * filling + b"\x00" + data:
        raise InvalidSignature


def _check_pkcs1(
    digest: hashes.HashAlgorithm, key: rsa.RSAPublicKey, _: Mechanism, data: bytes, signature: bytes
) -> None:
    key.verify(signature, data, padding.PKCS1v15(), digest)


def _check_pss(
    digest: hashes.HashAlgorithm | None,
    key: rsa.RSAPublicKey,
    mechanism: Mechanism,
    data: bytes,
    signature: bytes,
) -> None:
    asked = mechanism.params(RsaPkcsPssParams)
    pss = padding.PSS(padding.MGF1(_MASKS[asked.mgf]), asked.salt_len)
    key.verify(signature, data, pss, digest or Prehashed(_DIGESTS[asked.hash_alg]))


def _check_ecdsa(
    digest: hashes.HashAlgorithm | None,
    key: ec.EllipticCurvePublicKey,
    _: Mechanism,
    data: bytes,
    signature: bytes,
) -> None:
    half = len(signature) // 2
    der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    key.verify(der, data, ec.ECDSA(digest or _prehashed(data)))


_CHECKS: Final[dict[int, Callable[[Any, Mechanism, bytes, bytes], None]]] = {
    Ckm.CKM_RSA_X_509: _check_raw,
    Ckm.CKM_RSA_PKCS: _check_block,
    Ckm.CKM_RSA_PKCS_PSS: partial(_check_pss, None),
    Ckm.CKM_ECDSA: partial(_check_ecdsa, None),
    **{Ckm[f"CKM_{name}_RSA_PKCS"]: partial(_check_pkcs1, found) for name, found in _HASHES.items()},
    **{Ckm[f"CKM_{name}_RSA_PKCS_PSS"]: partial(_check_pss, found) for name, found in _HASHES.items()},
    **{Ckm[f"CKM_ECDSA_{name}"]: partial(_check_ecdsa, found) for name, found in _HASHES.items()},
}


def _encrypt_raw(key: rsa.RSAPublicKey, _: Mechanism, plain: bytes) -> bytes:
    return _raw(key, plain)


def _encrypt_pkcs1(key: rsa.RSAPublicKey, _: Mechanism, plain: bytes) -> bytes:
    return key.encrypt(plain, padding.PKCS1v15())


def _encrypt_oaep(key: rsa.RSAPublicKey, mechanism: Mechanism, plain: bytes) -> bytes:
    asked = mechanism.params(RsaPkcsOaepParams)
    label = asked.source_data or None
    oaep = padding.OAEP(padding.MGF1(_MASKS[asked.mgf]), _DIGESTS[asked.hash_alg], label)
    return key.encrypt(plain, oaep)


_ENCRYPTIONS: Final[dict[int, Callable[[rsa.RSAPublicKey, Mechanism, bytes], bytes]]] = {
    Ckm.CKM_RSA_X_509: _encrypt_raw,
    Ckm.CKM_RSA_PKCS: _encrypt_pkcs1,
    Ckm.CKM_RSA_PKCS_OAEP: _encrypt_oaep,
}
