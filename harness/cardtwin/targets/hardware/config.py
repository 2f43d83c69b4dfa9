"""What is known of physical cards before a run, and what may be done to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.targets.errors import TargetError
from cardtwin.targets.hardware.permissions import Permissions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cardtwin.plan import Secret

__all__ = ["Hardware", "PhysicalReader"]


@dataclass(frozen=True, slots=True)
class PhysicalReader:
    """A reader of the PC/SC service, and the card that is to be in it.

    Attributes:
        service_name: What the service calls it.
        model: The card's model; None takes the scenario's.
        atr: Its ATR; None takes that of the model as it is delivered.
        serial: Its chip's serial number; None takes any.
        limits: The most that may be done to it, whatever a run asks for, and the tries that are known of it;
            None sets no limit.
        pins: The card's PINs, by what scenarios have in their place.
    """

    service_name: str
    model: str | None = None
    atr: bytes | None = None
    serial: bytes | None = None
    limits: Permissions | None = None
    pins: Mapping[str, Secret] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Hardware:
    """All that a run knows of physical cards.

    Attributes:
        readers: The readers of the hardware file, by the names that scenarios give them.
        asked: What the run asks for, on the command line.
        ledger: The folder where spent tries are kept; None takes the user's.
        file: Where the readers come from; None where there is no file.
    """

    readers: Mapping[str, PhysicalReader] = field(default_factory=dict)
    asked: Permissions = field(default_factory=Permissions)
    ledger: Path | None = None
    file: Path | None = None

    def allowed(self, reader: PhysicalReader) -> Permissions:
        """Return what a run may do to the card in a reader: what it asks for, within the file's limits.

        Known tries that the file has count, and those that the run tells where the file has none.

        Raises:
            TargetError: It asks for more than the file allows.
        """
        limits = reader.limits

        if limits is None:
            return self.asked

        if beyond := ", ".join(_beyond(self.asked, limits)):
            file = self.file or "the hardware file"
            raise TargetError(f"{beyond}: {file} doesn't allow it for the card in {reader.service_name!r}")

        return self.within(reader)

    def within(self, reader: PhysicalReader) -> Permissions:
        """Return what a run asks for, less what the file doesn't allow for the card in a reader."""
        asked, limits = self.asked, reader.limits

        if limits is None:
            return asked

        return Permissions(
            asked.destructive and limits.destructive,
            asked.irreversible & limits.irreversible,
            asked.unverified and limits.unverified,
            asked.known_tries if limits.known_tries is None else limits.known_tries,
        )


def _beyond(asked: Permissions, limits: Permissions) -> Iterator[str]:
    if asked.destructive and not limits.destructive:
        yield "--allow-destructive"

    for name in sorted(asked.irreversible - limits.irreversible):
        yield f"--allow-irreversible {name!r}"

    if asked.unverified and not limits.unverified:
        yield "--allow-unverified-commands"
