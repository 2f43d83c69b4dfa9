"""Archived keys and the secrets of tokens, sealed in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.issuance.authority import KeyArchive
from cardtwin.plan import Secret, SecretName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.issuance.authority import Records
    from cardtwin.issuance.manager.store import Store

__all__ = ["Archive"]


class Archive(KeyArchive):
    """What Certificate Manager keeps of tokens."""

    def __init__(self, store: Store, records: Records) -> None:
        super().__init__(records)
        self._store = store

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


def _secret_owner(token: str, name: SecretName) -> str:
    return f"{name.value} of the token {token}"
