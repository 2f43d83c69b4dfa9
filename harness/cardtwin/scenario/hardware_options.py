"""What somebody who starts a run says about physical cards, and what that makes of the hardware file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from cardtwin.scenario.hardware_file import HardwareFile, find_hardware_file
from cardtwin.targets.hardware import Hardware
from cardtwin.targets.hardware.permissions import Permissions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from cardtwin.scenario.instance import Instance

__all__ = ["HardwareOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareOptions:
    """The options of a run; nothing is allowed that isn't asked for.

    Attributes:
        hardware: The hardware file; None takes the environment's, or the usual one if it is there.
        allow_destructive: Contents of cards may be deleted.
        allow_irreversible: The commands by name that may be sent though nothing leads back.
        allow_unverified_commands: Commands may be sent that no public source records for such a card.
        known_tries: How many tries PINs have left, where no card tells.
        ledger: Where tries spent are kept; None takes the user's folder.
    """

    hardware: Path | None = None
    allow_destructive: bool = False
    allow_irreversible: tuple[str, ...] = ()
    allow_unverified_commands: bool = False
    known_tries: int | None = None
    ledger: Path | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The options that say anything, as they are written behind the hyphens."""
        return tuple(field.name.replace("_", "-") for field in fields(self) if getattr(self, field.name))

    def known(self, instances: Iterable[Instance], prompt: Callable[[str], str]) -> Hardware:
        """Return what is known of physical cards, and may be done to them.

        Args:
            instances: What is to run: PINs of readers that none of them has aren't asked for.
            prompt: Asks a person for a PIN, by what it is called; its ValueError says why it doesn't.

        Raises:
            SourceError: The hardware file is wrong, or a PIN isn't where it says.
            OSError: The hardware file can't be read; the error has its name.
        """
        asked = Permissions(
            self.allow_destructive,
            frozenset(self.allow_irreversible),
            self.allow_unverified_commands,
            self.known_tries,
        )
        path = find_hardware_file(self.hardware)

        if path is None:
            return Hardware(asked=asked, ledger=self.ledger)

        wanted = frozenset(reader for instance in instances for reader in instance.setup.readers)
        return Hardware(HardwareFile.read(path).readers(wanted, prompt), asked, self.ledger, path)
