"""What of Personal.cfg the PKCS#11 functions follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

__all__ = ["FixedSettings", "Settings"]


class Settings(Protocol):
    """The settings of one program; :class:`cardtwin.middleware.configuration.ClientConfiguration` is one."""

    @property
    def cache_validity(self) -> timedelta:
        """How long card content is kept; zero reads the card anew for every search and every session."""

    @property
    def p11_logout_after_sign(self) -> bool:
        """Whether a signature ends the login."""

    @property
    def p11_enable_cache_pin(self) -> bool:
        """Whether the PIN is kept, and the card logged in and out for each private operation."""

    def skips(self, reader: str) -> bool:
        """Whether a reader is out of sight."""


@dataclass(frozen=True, slots=True)
class FixedSettings:
    """Settings by value; without any, cardtwin's own defaults."""

    cache_validity: timedelta = timedelta(0)
    p11_logout_after_sign: bool = False
    p11_enable_cache_pin: bool = False
    skipped: frozenset[str] = field(default=frozenset())

    def skips(self, reader: str) -> bool:
        """Whether a reader is out of sight."""
        return reader in self.skipped
