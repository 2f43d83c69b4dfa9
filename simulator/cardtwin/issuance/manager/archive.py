"""Archived keys and the secrets of tokens, sealed in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)

from cardtwin.issuance.manager.keyusage import usage_of
from cardtwin.plan import Secret, SecretName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.issuance.manager.model import KeyUsage
    from cardtwin.issuance.manager.store import Store

__all__ = ["Archive", "RecoveredKey", "pkcs12_file"]


class RecoveredKey(NamedTuple):
    """An archived key, the certificate that it was archived with, and the token that it was made for."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    token: str


class Archive:
    """What Certificate Manager keeps of tokens."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, holder: str, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
        """Archive a holder's key."""
        number = f"{certificate.serial_number:x}"
        plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

        with self._store.change() as database:
            row = (number, holder, self._store.seal(plain, _key_owner(number)))
            database.execute("INSERT INTO archive VALUES (?, ?, ?)", row)

    def of(self, holder: str, usage: frozenset[KeyUsage]) -> tuple[RecoveredKey, ...]:
        """Return a holder's archived keys of a key usage, the oldest first.

        Raises:
            VaultError: A key was changed.
        """
        query = (
            "SELECT archive.number, sealed, certificate, token FROM archive JOIN certificates"
            " ON archive.number = certificates.number WHERE holder = ? ORDER BY archive.rowid"
        )
        found = []

        for number, sealed, encoded, token in self._store.database.execute(query, (holder,)).fetchall():
            certificate = x509.load_der_x509_certificate(encoded)

            if usage_of(certificate) == usage:
                key = load_der_private_key(self._store.unseal(sealed, _key_owner(number)), None)
                assert isinstance(key, rsa.RSAPrivateKey)
                found.append(RecoveredKey(key, certificate, token))

        return tuple(found)

    def keep_secrets(self, token: str, secrets: Mapping[SecretName, Secret]) -> None:
        """Set the secrets of a token, in place of those of the same names that it has."""
        with self._store.change() as database:
            for name, secret in secrets.items():
                sealed = self._store.seal(secret.reveal(), _secret_owner(token, name))
                database.execute(
                    "INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)", (token, name.value, sealed)
                )

    def secrets(self, token: str) -> Mapping[SecretName, Secret]:
        """Return the secrets of a token that are kept.

        Raises:
            VaultError: One was changed.
        """
        query = "SELECT name, sealed FROM secrets WHERE token = ? ORDER BY rowid"
        rows = self._store.database.execute(query, (token,)).fetchall()
        return {
            SecretName(name): Secret(self._store.unseal(sealed, _secret_owner(token, SecretName(name))))
            for name, sealed in rows
        }


def pkcs12_file(
    name: str,
    certificate: x509.Certificate,
    key: rsa.RSAPrivateKey,
    password: Secret,
    above: Sequence[x509.Certificate] = (),
) -> bytes:
    """Return a key with its certificate, and those above it, as PKCS #12 (RFC 7292)."""
    encryption = BestAvailableEncryption(password.reveal()) if len(password) else NoEncryption()
    return pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, above, encryption)


def _key_owner(number: str) -> str:
    return f"the archived key of the certificate {number}"


def _secret_owner(token: str, name: SecretName) -> str:
    return f"{name.value} of the token {token}"
