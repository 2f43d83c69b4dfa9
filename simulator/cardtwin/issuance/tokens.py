"""What is known of the tokens that were produced: their secrets, by serial number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.encoding import AuthorityError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.plan import Secret, SecretName

__all__ = ["TokenRegister"]


class TokenRegister:
    """Implements ``CardProductionPostProcessor``: keeps each token's secrets, in memory."""

    def __init__(self) -> None:
        self._tokens: dict[str, Mapping[SecretName, Secret]] = {}

    def produced(self, serial: str, secrets: Mapping[SecretName, Secret]) -> None:
        """Set the card secrets on the token of that serial number, in place of those that it has.

        Raises:
            AuthorityError: The serial number is empty.
        """
        if not serial:
            raise AuthorityError("a token without serial number cannot be kept")

        self._tokens[serial] = dict(secrets)

    def secrets(self, serial: str) -> Mapping[SecretName, Secret] | None:
        """Return the secrets of a token; None where there is no such token."""
        return self._tokens.get(serial)

    def serials(self) -> tuple[str, ...]:
        """Return the serial numbers of all tokens, in the order in which they came first."""
        return tuple(self._tokens)
