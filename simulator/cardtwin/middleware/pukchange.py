"""Which versions of the Personal Desktop Client change the PUK, and on which cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import InstallationError
from cardtwin.middleware.version import Version
from cardtwin.pkcs15 import PinFlags
from cardtwin.provenance.middleware import PUK_CHANGE

if TYPE_CHECKING:
    from cardtwin.middleware.configuration import Installation
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.tokens import PinInfo
    from cardtwin.provenance import Switches

__all__ = ["require_changeable"]

_FIRST: Final = Version.of("5.7.2")
_FAMILIES: Final = frozenset({"cosmo"})


def require_changeable(
    pin: PinInfo, driver: CardDriver, installation: Installation, switches: Switches
) -> None:
    """See that the client changes this credential on this card; only PUKs are refused.

    Raises:
        InstallationError: CKR_FUNCTION_NOT_SUPPORTED: it is a PUK, and this version doesn't change it at all,
            or not on such cards.
    """
    if PinFlags.UNBLOCKING_PIN not in pin.entry.flags or switches[PUK_CHANGE] == "any":
        return

    version = Version.of(installation.version)

    if version < _FIRST:
        raise InstallationError(
            Ckr.CKR_FUNCTION_NOT_SUPPORTED,
            f"{installation.product} {version} changes no PUK; {_FIRST} is the first that does",
        )

    if driver.family not in _FAMILIES:
        raise InstallationError(
            Ckr.CKR_FUNCTION_NOT_SUPPORTED,
            f"{installation.product} changes no PUK on {driver.title}, only on Cosmo 7 and Cosmo 8.2",
        )
