"""An authority's records in the store: keys of CAs and archived keys are sealed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from cardtwin.issuance.authority import ArchivedKey, Ca, Issued

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from cardtwin.issuance.manager.store import Store

__all__ = ["StoredRecords"]

_ISSUED: Final = "SELECT certificate, issuer, token, revoked, reason FROM certificates"


class StoredRecords:
    """Implements ``Records`` of :mod:`cardtwin.issuance.authority`.

    What was sealed and has been changed since is a :exc:`VaultError`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def change(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return the transaction that a change is part of."""
        return self._store.change()

    def ca(self, name: str) -> Ca | None:
        """Return a CA; None where there is none of that name."""
        row = self._row("SELECT certificate, sealed FROM authorities WHERE name = ?", name)

        if row is None:
            return None

        key = load_der_private_key(self._store.unseal(row[1], _ca_owner(name)), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return Ca(x509.load_der_x509_certificate(row[0]), key)

    def cas(self) -> Mapping[str, x509.Certificate]:
        """Return the certificates of all CAs, by name."""
        rows = self._rows("SELECT name, certificate FROM authorities ORDER BY rowid")
        return {name: x509.load_der_x509_certificate(encoded) for name, encoded in rows}

    def add_ca(self, name: str, ca: Ca) -> None:
        """Keep a new CA."""
        sealed = self._store.seal(_plain(ca.key), _ca_owner(name))
        row = (name, ca.certificate.public_bytes(Encoding.DER), sealed, 0)
        self._store.database.execute("INSERT INTO authorities VALUES (?, ?, ?, ?)", row)

    def add(self, issued: Issued) -> None:
        """Keep a new certificate."""
        encoded = issued.certificate.public_bytes(Encoding.DER)
        row = (_hex(issued.certificate.serial_number), issued.issuer, encoded, issued.token)
        command = "INSERT INTO certificates (number, issuer, certificate, token) VALUES (?, ?, ?, ?)"
        self._store.database.execute(command, row)

    def issued(self, number: int) -> Issued | None:
        """Return what was issued under a serial number; None where nothing was."""
        row = self._row(_ISSUED + " WHERE number = ?", _hex(number))
        return None if row is None else _issued(row)

    def of_token(self, token: str) -> tuple[x509.Certificate, ...]:
        """Return the certificates of a token, in the order in which they were issued."""
        rows = self._rows("SELECT certificate FROM certificates WHERE token = ? ORDER BY rowid", token)
        return tuple(x509.load_der_x509_certificate(encoded) for (encoded,) in rows)

    def revoke(self, number: int, time: datetime, reason: x509.ReasonFlags) -> None:
        """Note that a certificate is revoked."""
        command = "UPDATE certificates SET revoked = ?, reason = ? WHERE number = ?"
        self._store.database.execute(command, (time.isoformat(), reason.name, _hex(number)))

    def revoked(self, issuer: str) -> Sequence[Issued]:
        """Return what a CA has issued and is revoked, in the order in which it was issued."""
        query = _ISSUED + " WHERE issuer = ? AND revoked IS NOT NULL ORDER BY rowid"
        return [_issued(row) for row in self._rows(query, issuer)]

    def next_list(self, issuer: str) -> int:
        """Return the number of a CA's next list of revoked certificates."""
        self._store.database.execute("UPDATE authorities SET crl = crl + 1 WHERE name = ?", (issuer,))
        row = self._row("SELECT crl FROM authorities WHERE name = ?", issuer)
        assert row is not None
        number: int = row[0]
        return number

    def archive(self, holder: str, number: int, key: rsa.RSAPrivateKey) -> None:
        """Archive a holder's key, with the certificate of that serial number."""
        row = (_hex(number), holder, self._store.seal(_plain(key), _key_owner(_hex(number))))
        self._store.database.execute("INSERT INTO archive VALUES (?, ?, ?)", row)

    def archived(self, holder: str) -> Sequence[ArchivedKey]:
        """Return a holder's archived keys, the oldest first."""
        query = (
            "SELECT archive.number, sealed, certificate, token FROM archive JOIN certificates"
            " ON archive.number = certificates.number WHERE holder = ? ORDER BY archive.rowid"
        )
        return [self._archived(*row) for row in self._rows(query, holder)]

    def _archived(self, number: str, sealed: bytes, encoded: bytes, token: str) -> ArchivedKey:
        key = load_der_private_key(self._store.unseal(sealed, _key_owner(number)), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return ArchivedKey(key, x509.load_der_x509_certificate(encoded), token)

    def _row(self, query: str, *values: str) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._store.database.execute(query, values).fetchone()
        return row

    def _rows(self, query: str, *values: str) -> Sequence[tuple[Any, ...]]:
        return self._store.database.execute(query, values).fetchall()


def _issued(row: tuple[Any, ...]) -> Issued:
    encoded, issuer, token, revoked, reason = row
    return Issued(
        x509.load_der_x509_certificate(encoded),
        issuer,
        token,
        datetime.fromisoformat(revoked) if revoked else None,
        x509.ReasonFlags[reason] if reason else None,
    )


def _hex(number: int) -> str:
    return f"{number:x}"


def _plain(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _ca_owner(name: str) -> str:
    return f"the key of the CA {name}"


def _key_owner(number: str) -> str:
    return f"the archived key of the certificate {number}"
