"""Checks, registered: each is a function that looks at a scope and reports into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.keywords import PIN_OUTPUTS
from cardtwin.encoding.library import LibraryTable
from cardtwin.encoding.values import FieldRef, Text
from cardtwin.provenance import Switches
from cardtwin.source import Diagnostics

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cardtwin.encoding.description import Description, Setting
    from cardtwin.encoding.job import Job

__all__ = [
    "APPLICATIONS",
    "CHECKS",
    "LIBRARY_KEYWORDS",
    "LOGIN_KEYWORDS",
    "MINIDRIVER",
    "USED_WITH",
    "Scope",
    "checked_by",
]

MINIDRIVER: Final = "MiniDriverLibrary"
LIBRARY_KEYWORDS: Final = ("PKCS11LibraryWindows32", "PKCS11Library", "PKCS11LibraryWindows64", MINIDRIVER)
"""Keywords that name a library; the first that is there counts."""

LOGIN_KEYWORDS: Final = ("PIN", "InitialPUK", "PUK", "Operator_PIN", "SignPIN", "SignPUK")
"""Keywords whose values are presented to a card or put on it."""

APPLICATIONS: Final = "an application"
"""Stands in :data:`USED_WITH` for applications that run."""

USED_WITH: Final = {
    "PIN": ("InitToken", "DeleteProfile", "SetPIN", APPLICATIONS),
    "InitialPUK": ("InitToken", "DeleteProfile", "SetPIN", "CMSCardSerialNumber"),
    "PUK": ("DeleteProfile", "SetPIN"),
    "Operator_PIN": ("InitToken", "CMSCardSerialNumber"),
    "SignPIN": ("InitToken", "SetPIN", APPLICATIONS),
    "SignPUK": ("InitToken", "SetPIN"),
    "OperatorPinIsSOCredential": ("InitToken", "CMSCardSerialNumber"),
    "InitialLabel": ("InitToken",),
    "ChipProfile": ("InitToken",),
    "ProfileParameters": ("InitToken",),
    "SelectCriteriaIccsn": ("UseSelectCriteriaIccsn",),
    "AllTokensIccsnsField": ("RetrieveAllTokens",),
}
"""Keywords that mean something only beside another: a flag that is true, or a keyword that has a value."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a check looks at.

    Attributes:
        description: The description.
        libraries: The library table.
        switches: Chosen behaviour.
        attachments: Names of the files attached to it; None where they aren't known.
        job: The job that is about to run; None where the description alone is checked.
        diagnostics: Where findings go.
    """

    description: Description
    libraries: LibraryTable = field(default_factory=LibraryTable.default)
    switches: Switches = field(default_factory=Switches)
    attachments: Collection[str] | None = None
    job: Job | None = None
    diagnostics: Diagnostics = field(default_factory=Diagnostics)

    def setting(self, name: str) -> Setting | None:
        """Return the setting of a keyword in [Description], or None."""
        return self.description.settings.get(name)

    def flag(self, name: str) -> bool:
        """Whether a flag in [Description] is true."""
        return self.description.settings.flag(name)

    def uses(self, setting: Setting) -> bool:
        """Whether something that is done needs this setting."""
        users = USED_WITH.get(setting.name)
        return users is None or any(self.says(user) for user in users)

    def says(self, name: str) -> bool:
        """Whether a flag in [Description] is true; a keyword that is no flag, or an application, is there."""
        if name == APPLICATIONS:
            return bool(self.description.applications)

        setting = self.setting(name)
        return setting is not None and getattr(setting.value, "on", True)

    def text(self, setting: Setting | None) -> str:
        """Return the text of a setting that holds one; empty where it isn't there."""
        return setting.value.text if setting is not None and isinstance(setting.value, Text) else ""

    @property
    def by_minidriver(self) -> bool:
        """Whether a minidriver is named, and not a PKCS#11 library."""
        return self.setting(MINIDRIVER) is not None

    @property
    def devices(self) -> tuple[str, ...]:
        """The device numbers of [Encoding]."""
        listed = self.text(self.description.encoding.get("Devices")).split(",")
        return tuple(device.strip() for device in listed if device.strip())

    @property
    def outputs(self) -> tuple[tuple[Setting, FieldRef], ...]:
        """The settings that name where something read goes, with the field."""
        settings = [self.setting(name) for name in ("ICCSN", "AllTokensIccsnsField")]
        settings += [each.settings.get("CertKeyListReturnField") for each in self.description.applications]
        found = [(each, each.value) for each in settings if each and isinstance(each.value, FieldRef)]
        return (*found, *self.pin_outputs)

    @property
    def retrieves_all(self) -> bool:
        """Whether the ICCSNs of all cards are read, and nothing else is done."""
        return self.flag("RetrieveAllTokens")

    @property
    def all_tokens_target(self) -> FieldRef | None:
        """The field that the ICCSNs of all cards go into."""
        setting = self.setting("AllTokensIccsnsField")
        return setting.value if setting is not None and isinstance(setting.value, FieldRef) else None

    @property
    def pin_outputs(self) -> tuple[tuple[Setting, FieldRef], ...]:
        """The settings that name where a decrypted PIN goes, with the field."""
        return tuple(
            (setting, setting.value)
            for setting in self.description.settings
            if setting.keyword in PIN_OUTPUTS and isinstance(setting.value, FieldRef)
        )


CHECKS: Final[list[Callable[[Scope], None]]] = []


def checked_by(check: Callable[[Scope], None]) -> Callable[[Scope], None]:
    """Register a check."""
    CHECKS.append(check)
    return check
