"""Certificate Manager's state in SQLite: one file, safe when a process is killed and when several use it.

Every change is one transaction that has the database for itself from its first statement on (BEGIN
IMMEDIATE), and that is on the disk when it ends (synchronous=FULL, a write-ahead log). So a number is
given out once, and what was half done when a process died hasn't happened.

Keys and PINs are sealed by AES-256-GCM (NIST SP 800-38D) with a key that scrypt (RFC 7914) makes of a pass
phrase; what they belong to is the additional data, so that they can't be exchanged for one another.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from cardtwin.issuance.manager.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from cardtwin.entropy import Entropy
    from cardtwin.plan import Secret

__all__ = ["Store"]

_PATIENCE: Final = 60.0
"""Seconds that a process waits for another one's transaction."""
_NONCE: Final = 12
_SALT: Final = 16
_CHECK: Final = "the pass phrase"
_COST: Final = 1 << 14

_FIRST: Final = """
CREATE TABLE vault (salt BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE officers (name TEXT PRIMARY KEY, roles TEXT NOT NULL, certificate BLOB NOT NULL UNIQUE);
CREATE TABLE requests (
    id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, stage TEXT NOT NULL, procedure TEXT NOT NULL
);
CREATE TABLE signatures (
    request INTEGER NOT NULL REFERENCES requests, officer TEXT NOT NULL REFERENCES officers,
    cms BLOB NOT NULL, PRIMARY KEY (request, officer)
);
CREATE TABLE procedures (
    name TEXT PRIMARY KEY, request INTEGER NOT NULL REFERENCES requests, procedure TEXT NOT NULL
);
CREATE TABLE ranges (
    first TEXT NOT NULL, last TEXT NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (first, last)
);
CREATE TABLE tokens (serial TEXT PRIMARY KEY, procedure TEXT NOT NULL);
CREATE TABLE secrets (
    token TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (token, name)
);
CREATE TABLE authorities (
    name TEXT PRIMARY KEY, certificate BLOB NOT NULL, sealed BLOB NOT NULL, crl INTEGER NOT NULL
);
CREATE TABLE certificates (
    number TEXT PRIMARY KEY, issuer TEXT NOT NULL REFERENCES authorities, certificate BLOB NOT NULL,
    token TEXT NOT NULL, revoked TEXT, reason TEXT
);
CREATE INDEX certificates_of_tokens ON certificates (token);
CREATE TABLE archive (
    number TEXT PRIMARY KEY REFERENCES certificates, holder TEXT NOT NULL, sealed BLOB NOT NULL
);
CREATE INDEX archive_of_holders ON archive (holder)
"""
_LETTERS: Final = """
CREATE TABLE letters (
    id TEXT PRIMARY KEY, prefix TEXT NOT NULL, number INTEGER NOT NULL, token TEXT NOT NULL UNIQUE,
    serial TEXT NOT NULL, procedure TEXT NOT NULL, fields TEXT NOT NULL, copies INTEGER NOT NULL,
    UNIQUE (prefix, number)
);
CREATE TABLE prints (
    letter TEXT NOT NULL REFERENCES letters, copy INTEGER NOT NULL,
    officer TEXT NOT NULL REFERENCES officers, time TEXT NOT NULL, cms BLOB NOT NULL,
    PRIMARY KEY (letter, copy)
)
"""
_VERSIONS: Final = (_FIRST, _LETTERS)
"""What each version has more than the one before; an older state gets what it lacks."""


class Store:
    """The state. Use it in one thread, and as a context manager or with :meth:`close`."""

    def __init__(self, path: Path | None, passphrase: Secret, entropy: Entropy) -> None:
        """Open the state, or make an empty one.

        Args:
            path: The file; None keeps all in memory.
            passphrase: What keys and PINs are sealed with.
            entropy: Where nonces come from.

        Raises:
            VaultError: The state was made with another pass phrase, or by another version.
        """
        self._entropy = entropy
        self.database = sqlite3.connect(path or ":memory:", timeout=_PATIENCE, isolation_level=None)

        try:
            self.database.execute("PRAGMA journal_mode = WAL")
            self.database.execute("PRAGMA synchronous = FULL")
            self.database.execute("PRAGMA foreign_keys = ON")

            with self.change():
                self._key = self._open(passphrase)
        except sqlite3.DatabaseError as error:
            self.close()
            raise VaultError(f"the state can't be read: {error}") from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Do all in the block, or nothing of it. A block within another one belongs to that."""
        if self.database.in_transaction:
            yield self.database
            return

        self.database.execute("BEGIN IMMEDIATE")

        try:
            yield self.database
        except BaseException:
            self.database.execute("ROLLBACK")
            raise

        self.database.execute("COMMIT")

    def seal(self, plain: bytes, owner: str) -> bytes:
        """Return bytes sealed for what they belong to."""
        return _seal(self._key, plain, owner, self._entropy)

    def unseal(self, sealed: bytes, owner: str) -> bytes:
        """Return what was sealed for that owner.

        Raises:
            VaultError: It was changed, or belongs to another owner.
        """
        return _unseal(self._key, sealed, owner)

    def _open(self, passphrase: Secret) -> AESGCM:
        (version,) = self.database.execute("PRAGMA user_version").fetchone()

        if version > len(_VERSIONS):
            raise VaultError(f"the state is of version {version}, and this program reads {len(_VERSIONS)}")

        for schema in _VERSIONS[version:]:
            for statement in schema.split(";"):
                self.database.execute(statement)

        self.database.execute(f"PRAGMA user_version = {len(_VERSIONS)}")

        if version == 0:
            return self._create(passphrase)

        salt, sealed = self.database.execute("SELECT salt, sealed FROM vault").fetchone()
        key = _derived(passphrase, salt)
        _unseal(key, sealed, _CHECK)
        return key

    def _create(self, passphrase: Secret) -> AESGCM:
        salt = self._entropy.bytes(_SALT)
        key = _derived(passphrase, salt)
        row = (salt, _seal(key, b"", _CHECK, self._entropy))
        self.database.execute("INSERT INTO vault VALUES (?, ?)", row)
        return key


def _derived(passphrase: Secret, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(passphrase.reveal()))


def _seal(key: AESGCM, plain: bytes, owner: str, entropy: Entropy) -> bytes:
    nonce = entropy.bytes(_NONCE)
    return nonce + key.encrypt(nonce, plain, owner.encode())


def _unseal(key: AESGCM, sealed: bytes, owner: str) -> bytes:
    try:
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode())
    except InvalidTag:
        raise VaultError("the pass phrase isn't the right one, or the state was changed") from None
