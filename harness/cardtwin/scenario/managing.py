"""What Certificate Manager needs in a scenario: its state, and what was set up in it so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.issuance.manager import CertificateManager, Policy, Production, Store
from cardtwin.plan import Secret
from cardtwin.provenance import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cardtwin.entropy import Entropy

__all__ = ["Managing"]

_PASSPHRASE: Final = Secret.of("a state in memory, which ends with the scenario")


class Managing:
    """Certificate Manager in one scenario; its state is in memory.

    Attributes:
        manager: The parts, with the policy that was set up last.
    """

    def __init__(self, entropy: Entropy, now: Callable[[], datetime], switches: Mapping[str, str]) -> None:
        self._store = Store(None, _PASSPHRASE, entropy)
        self._entropy = entropy
        self._now = now
        self._switches = Switches(switches)
        self.manager = self._manager(Policy())

    def set_up(self, policy: Policy) -> None:
        """Take another policy; the state stays."""
        self.manager = self._manager(policy)

    def production(self, procedure: str, holder: str, domain: str) -> Production:
        """Return what produces a holder's card by a token procedure."""
        return Production(self._store, self.manager, procedure, holder, domain)

    def close(self) -> None:
        """Close the state."""
        self._store.close()

    def _manager(self, policy: Policy) -> CertificateManager:
        return CertificateManager(
            self._store, policy, entropy=self._entropy, now=self._now, switches=self._switches
        )
