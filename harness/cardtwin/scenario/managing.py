"""What Certificate Manager needs in a scenario: its state, and what was set up in it so far."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cardtwin.cryptoki.constants import Ckm
from cardtwin.cryptoki.values import Buffer, Mechanism
from cardtwin.issuance.authority import ISSUING_CA, PublishedCa
from cardtwin.issuance.manager import CertificateManager, Policy, Production, Store, signed
from cardtwin.plan import Secret
from cardtwin.provenance import Switches
from cardtwin.scenario.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cryptography.x509 import Certificate

    from cardtwin.entropy import Entropy
    from cardtwin.plan import SecretName
    from cardtwin.scenario.pkcs11.sessions import TokenSession
    from cardtwin.scenario.pkcs11.steps import KeyName
    from cardtwin.scenario.run import Run

__all__ = ["Managing", "officer_signature"]

_PASSPHRASE: Final = Secret.of("a state in memory, which ends with the scenario")
_SIGNATURE_ROOM: Final = 1 << 10


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

    def production(self, procedure: str, holder: str, domain: str, fields: Mapping[str, str]) -> Production:
        """Return what produces a holder's card by a token procedure."""
        return Production(self._store, self.manager, procedure, holder, domain, fields)

    def secrets(self, serial: str) -> Mapping[SecretName, Secret] | None:
        """Return the secrets of the token with a card serial number; None where there is no such token."""
        found = self.manager.archive.secrets(serial)
        return found if found or self.certificates(serial) else None

    def certificates(self, serial: str) -> tuple[Certificate, ...]:
        """Return the certificates of the token with a card serial number, in the order of their issue."""
        return self.manager.authority.of_token(serial) if serial else ()

    def authority(self, name: str) -> PublishedCa:
        """Return one of the CAs, as others see it.

        Raises:
            UsageError: By no certificate procedure a CA of that name issues.
        """
        procedures = self.manager.workbench.policy.certificate_procedures.values()
        known = sorted({ISSUING_CA, *(procedure.issuer for procedure in procedures)})

        if name not in known:
            raise UsageError(f"Certificate Manager has no CA {name!r}; there are {', '.join(known)}")

        return PublishedCa(self.manager.authority, name)

    def close(self) -> None:
        """Close the state."""
        self._store.close()

    def _manager(self, policy: Policy) -> CertificateManager:
        return CertificateManager(
            self._store, policy, entropy=self._entropy, now=self._now, switches=self._switches
        )


def officer_signature(run: Run, officer: str, session: TokenSession, name: KeyName, content: bytes) -> bytes:
    """Return an officer's signature (CMS) over a content, made by a key on the card: RSA or on a curve.

    Raises:
        UsageError: There is no such officer.
        RefusedError: The token refuses.
        AbsentError: There is no such key on it.
    """
    officers = run.managing.manager.officers.all()
    certificate = next((found.certificate for found in officers if found.name == officer), None)

    if certificate is None:
        known = ", ".join(found.name for found in officers) or "none"
        raise UsageError(f"{officer!r} is no officer: there is no certificate; officers are {known}")

    on_curve = isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)

    def sign(data: bytes) -> bytes:
        key = session.key(name.kind, name.value)

        if not on_curve:
            return _made(session, key.handle, Ckm.CKM_SHA256_RSA_PKCS, data)

        # Every token with such keys has CKM_ECDSA, which hashes nothing itself.
        plain = _made(session, key.handle, Ckm.CKM_ECDSA, hashlib.sha256(data).digest())
        half = len(plain) // 2
        return encode_dss_signature(int.from_bytes(plain[:half]), int.from_bytes(plain[half:]))

    return signed(content, certificate, run.bench.now(), sign)


def _made(session: TokenSession, key: int, mechanism: Ckm, data: bytes) -> bytes:
    session.in_session("C_SignInit", Mechanism(int(mechanism)), key)
    (answer,) = session.in_session("C_Sign", data, Buffer(_SIGNATURE_ROOM))
    signature: bytes = answer.content
    return signature
