"""Which certificate procedure of a token procedure a key gets (CM-10 to CM-12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.issuance.authority import EVERY_USAGE
from cardtwin.issuance.manager.errors import IssuanceRefusedError
from cardtwin.provenance.issuance import KEY_USAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.issuance.authority import KeyUsage
    from cardtwin.issuance.manager.model import CertificateProcedure
    from cardtwin.provenance import Switches

__all__ = ["select"]


def select(
    procedures: Sequence[CertificateProcedure],
    usage: frozenset[KeyUsage],
    switches: Switches,
) -> CertificateProcedure:
    """Return the procedure for a request of that key usage (empty where it has none).

    The first one, if the request has no key usage; else the first that matches. One with no key usage set
    matches all requests, and so does one with every key usage set.

    Raises:
        IssuanceRefusedError: There is none, or none matches.
    """
    if not procedures:
        raise IssuanceRefusedError("no-certificate-procedure", "the token procedure issues no certificates")

    if not usage:
        return procedures[0]

    exact = switches[KEY_USAGE] == "exact"

    for procedure in procedures:
        if procedure.usage in (frozenset(), EVERY_USAGE):
            return procedure

        if procedure.usage == usage if exact else procedure.usage >= usage:
            return procedure

    wanted = ", ".join(sorted(usage))
    raise IssuanceRefusedError("no-match", f"no certificate procedure matches the key usage {wanted}")
