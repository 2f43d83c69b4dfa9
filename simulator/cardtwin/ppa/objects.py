"""PINs, keys, certificates and the token, as X_ statements declare them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardtwin.plan import KeyPlan, SecretName
    from cardtwin.source import Span

__all__ = ["Objects"]


class Objects:
    """The objects of one evaluation."""

    def __init__(self) -> None:
        self.keys: list[KeyPlan] = []
        self.needed: list[tuple[SecretName, Span]] = []

    def need(self, role: SecretName, span: Span) -> None:
        """Note that something at that place relies on a credential."""
        self.needed.append((role, span))
