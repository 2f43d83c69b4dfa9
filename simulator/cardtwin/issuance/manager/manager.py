"""Certificate Manager as a whole, above one state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.authority import Authority
from cardtwin.issuance.manager.archive import Archive
from cardtwin.issuance.manager.issuing import Parts, Registration
from cardtwin.issuance.manager.letters import Letters
from cardtwin.issuance.manager.officers import Officers
from cardtwin.issuance.manager.records import StoredRecords
from cardtwin.issuance.manager.workbench import Workbench
from cardtwin.provenance import Switches

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardtwin.entropy import Entropy
    from cardtwin.issuance.manager.model import Policy
    from cardtwin.issuance.manager.store import Store

__all__ = ["CertificateManager"]


class CertificateManager:
    """The parts of Certificate Manager.

    Attributes:
        authority: The CAs.
        officers: Who may sign.
        workbench: Where token procedures are made and signed.
        registration: Where tokens are issued.
        archive: Archived keys, and the secrets of tokens.
        letters: The PIN letters of tokens.
        revocation: What the CAs say of certificates: lists and answers.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        *,
        entropy: Entropy | None = None,
        now: Callable[[], datetime] | None = None,
        switches: Switches | None = None,
        fonts: Path | None = None,
    ) -> None:
        """Put it together.

        Args:
            store: The state.
            policy: What token procedures may refer to.
            entropy: Where numbers and PINs come from; the system's if not given.
            now: The time; the system's if not given.
            switches: What holds where the sources leave it open.
            fonts: The folder with the files of fonts for PIN letters.
        """
        entropy = entropy or SystemEntropy()
        records = StoredRecords(store)
        self.authority = Authority(records, entropy, now or (lambda: datetime.now(UTC)))
        self.revocation = self.authority.revocation
        self.officers = Officers(store, self.authority)
        self.workbench = Workbench(store, self.officers, policy)
        self.archive = Archive(store, records)
        self.letters = Letters(store, self.officers, self.archive, policy, self.authority.now, fonts)
        self.registration = Registration(
            Parts(
                store,
                self.workbench,
                self.authority,
                self.archive,
                self.letters,
                entropy,
                switches or Switches(),
            )
        )
