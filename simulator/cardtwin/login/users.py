"""Which user account a login belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.login.attributes import attribute_values
from cardtwin.login.errors import LoginRefusedError
from cardtwin.login.refusals import Refusal
from cardtwin.provenance.login import ATTRIBUTE_MATCHING

if TYPE_CHECKING:
    from collections.abc import Collection

    from cryptography import x509

    from cardtwin.login.configuration import Configuration, ExtendedProperties, UserAccount
    from cardtwin.provenance import Switches

__all__ = ["by_certificate", "by_key", "check_enabled"]


def by_certificate(
    configuration: Configuration,
    properties: ExtendedProperties,
    certificate: x509.Certificate,
    switches: Switches,
) -> UserAccount:
    """Return the account whose user attribute equals the certificate attribute (DA-04).

    Raises:
        LoginRefusedError: The certificate has no such attribute, or it fits no account, or several.
    """
    try:
        values = attribute_values(certificate, properties.certificate_attribute)
    except ValueError:
        raise LoginRefusedError(Refusal.BROKEN_CERTIFICATE, properties.certificate_attribute) from None

    if not values:
        raise LoginRefusedError(Refusal.NO_CERTIFICATE_ATTRIBUTE, properties.certificate_attribute)

    wanted = {_compared(value, switches) for value in values}
    return _only(
        [
            user
            for user in configuration.users.values()
            if _compared(user.attributes.get(properties.user_attribute, ""), switches) in wanted
        ]
    )


def by_key(configuration: Configuration, enrolled: bytes, others: Collection[str] = ()) -> UserAccount:
    """Return the account for which a key is enrolled, in the configuration or, by phones, in `others`.

    Raises:
        LoginRefusedError: There is none, or there are several.
    """
    return _only(
        [user for user in configuration.users.values() if enrolled in user.keys or user.user_id in others]
    )


def check_enabled(user: UserAccount) -> None:
    """See that Personal is enabled for an account (DA-05).

    Raises:
        LoginRefusedError: It isn't.
    """
    if not user.personal:
        raise LoginRefusedError(Refusal.PERSONAL_NOT_ENABLED)


def _compared(value: str, switches: Switches) -> str:
    return value if switches[ATTRIBUTE_MATCHING] == "exact" else value.casefold()


def _only(found: list[UserAccount]) -> UserAccount:
    if len(found) > 1:
        raise LoginRefusedError(Refusal.AMBIGUOUS_USER)

    if not found:
        raise LoginRefusedError(Refusal.NO_SUCH_USER)

    return found[0]
