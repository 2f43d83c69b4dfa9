"""Makes the PIN encryption keys that scenarios use, in scenarios/keys: certificates and PKCS#12 files.

The keys come from cardtwin's pool, which is derived from public constants: they protect nothing. Certificates
are the same at each run; PKCS#12 files are not, since their salts are random. Some certificates stand alone:
in DER, of the past, and with a key that isn't RSA.

    python tools/make_test_keys.py
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID

from cardtwin.card.crypto.keypool import primes
from cardtwin.entropy import SeededEntropy

FOLDER = Path(__file__).parents[1] / "scenarios" / "keys"
# The password guards nothing, so OpenSSL's number of rounds will do: many scenarios open such a file.
ENCRYPTION = (
    PrivateFormat.PKCS12.encryption_builder()
    .kdf_rounds(2048)
    .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
    .hmac_hash(SHA256())
    .build(b"cardtwin")
)
EXPONENT = 65537
NAMES = {"pin-a": 2048, "pin-b": 2048, "pin-c": 3072, "pin-unused": 2048}
EC_SECRET = 0x63617264_7477696E


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)

    for serial, (name, bits) in enumerate(NAMES.items(), start=1):
        key = private_key(name, bits)
        certificate = self_signed(name, key, serial)
        (FOLDER / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        bundle = pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, None, ENCRYPTION)
        (FOLDER / f"{name}.p12").write_bytes(bundle)

    write_certificates()


def write_certificates() -> None:
    """Write the certificates that have no PKCS#12 file."""
    key = private_key("pin-unused", NAMES["pin-unused"])
    past = self_signed(
        "pin-expired", key, 5, datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    )
    (FOLDER / "pin-expired.crt").write_bytes(past.public_bytes(Encoding.PEM))
    (FOLDER / "pin-unused.der").write_bytes(self_signed("pin-unused", key, 4).public_bytes(Encoding.DER))
    elliptic = self_signed("pin-ec", ec.derive_private_key(EC_SECRET, ec.SECP256R1()), 6)
    (FOLDER / "pin-ec.crt").write_bytes(elliptic.public_bytes(Encoding.PEM))


def private_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    """Return a key that depends on its name alone."""
    p, q = primes(SeededEntropy("cardtwin test keys", name), bits, EXPONENT, fresh=False)
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return numbers.private_key()


def self_signed(
    name: str,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    serial: int,
    begin: datetime = datetime(2025, 1, 1, tzinfo=UTC),
    end: datetime = datetime(2075, 1, 1, tzinfo=UTC),
) -> x509.Certificate:
    """Return a certificate of the key's own, valid for fifty years if not told otherwise."""
    ecdsa_deterministic = True if isinstance(key, ec.EllipticCurvePrivateKey) else None
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"cardtwin test {name}")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .serial_number(serial)
        .public_key(key.public_key())
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(key, SHA256(), ecdsa_deterministic=ecdsa_deterministic)
    )


if __name__ == "__main__":
    main()
