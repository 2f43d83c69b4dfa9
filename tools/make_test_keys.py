"""Makes the PIN encryption keys that scenarios use, in scenarios/keys: certificates and PKCS#12 files.

The keys come from cardtwin's pool, which is derived from public constants: they protect nothing. Certificates
are the same at each run; PKCS#12 files are not, since their salts are random.

    python tools/make_test_keys.py
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from cardtwin.card.crypto.keypool import primes
from cardtwin.entropy import SeededEntropy

FOLDER = Path(__file__).parents[1] / "scenarios" / "keys"
PASSWORD = b"cardtwin"  # it guards nothing
EXPONENT = 65537
NAMES = {"pin-a": 2048, "pin-b": 2048, "pin-c": 3072, "pin-unused": 2048}


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)

    for serial, (name, bits) in enumerate(NAMES.items(), start=1):
        key = private_key(name, bits)
        certificate = self_signed(name, key, serial)
        (FOLDER / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        bundle = pkcs12.serialize_key_and_certificates(
            name.encode(), key, certificate, None, BestAvailableEncryption(PASSWORD)
        )
        (FOLDER / f"{name}.p12").write_bytes(bundle)


def private_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    """Return a key that depends on its name alone."""
    p, q = primes(SeededEntropy("cardtwin test keys", name), bits, EXPONENT, fresh=False)
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return numbers.private_key()


def self_signed(name: str, key: rsa.RSAPrivateKey, serial: int) -> x509.Certificate:
    """Return a certificate of the key's own, valid for fifty years."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"cardtwin test {name}")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .serial_number(serial)
        .public_key(key.public_key())
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2075, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )


if __name__ == "__main__":
    main()
