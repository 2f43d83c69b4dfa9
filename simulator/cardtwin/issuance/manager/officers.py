"""Officers: who they are, by a certificate for the key on their card, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.issuance.authority import Contents, KeyUsage, subject_of
from cardtwin.issuance.manager.errors import SignatureRefusedError
from cardtwin.issuance.manager.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.issuance.authority import Authority, PublicKey
    from cardtwin.issuance.manager.store import Store

__all__ = ["LETTER_ROLES", "NEEDED_ROLES", "Officer", "Officers"]

NEEDED_ROLES: Final = frozenset({Role.USE_AWB, Role.POLICY_TASKS})
"""The roles without which nobody signs a policy task (CM-01)."""

LETTER_ROLES: Final = frozenset({Role.MANAGE_PIN_LETTERS})
"""The role without which nobody has PIN letters printed."""

_LIFE: Final = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Officer:
    """An officer."""

    name: str
    roles: frozenset[Role]
    certificate: x509.Certificate


class Officers:
    """All officers."""

    def __init__(self, store: Store, authority: Authority) -> None:
        self._store = store
        self._authority = authority

    def enrol(self, name: str, key: PublicKey, roles: Iterable[Role]) -> Officer:
        """Certify the key on an officer's card.

        Raises:
            SignatureRefusedError: The name or the key is another officer's already.
            NameRefusedError: The name can't stand in a certificate.
        """
        with self._store.change() as database:
            for other in self.all():
                if other.name == name or _spki(other.certificate.public_key()) == _spki(key):
                    raise SignatureRefusedError(f"that name, or that key, is the officer's {other.name!r}")

            subject = subject_of([(x509.NameOID.COMMON_NAME, name)])
            usage = frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION})
            certificate = self._authority.certify(Contents(subject, key, usage, life=_LIFE))
            officer = Officer(name, frozenset(roles), certificate)
            row = (name, ",".join(sorted(officer.roles)), certificate.public_bytes(Encoding.DER))
            database.execute("INSERT INTO officers VALUES (?, ?, ?)", row)

        return officer

    def all(self) -> tuple[Officer, ...]:
        """Return the officers, by name."""
        rows = self._store.database.execute("SELECT name, roles, certificate FROM officers ORDER BY name")
        return tuple(
            Officer(
                name,
                frozenset(Role(role) for role in roles.split(",") if role),
                x509.load_der_x509_certificate(certificate),
            )
            for name, roles, certificate in rows.fetchall()
        )

    def entitled(self, name: str, needed: frozenset[Role] = NEEDED_ROLES) -> Officer:
        """Return the officer of that name, who has roles that are needed, and may sign now.

        Raises:
            SignatureRefusedError: There is none, a role is missing, or the certificate isn't valid.
        """
        officer = next((found for found in self.all() if found.name == name), None)

        if officer is None:
            raise SignatureRefusedError(f"there is no officer {name!r}")

        if missing := needed - officer.roles:
            roles = " and ".join(sorted(missing))
            raise SignatureRefusedError(f"the officer {name!r} doesn't have the role {roles}")

        if not self._authority.is_valid(officer.certificate):
            raise SignatureRefusedError(f"the certificate of the officer {name!r} isn't valid")

        return officer


def _spki(key: object) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]  # every public key has it
    return encoded
