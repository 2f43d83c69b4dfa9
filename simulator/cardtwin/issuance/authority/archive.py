"""Archived keys, and the PKCS #12 files in which they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from cardtwin.issuance.authority.errors import KeySizeRefusedError, NameRefusedError, PasswordRefusedError
from cardtwin.issuance.authority.keyusage import usage_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from cardtwin.issuance.authority.keyusage import KeyUsage
    from cardtwin.issuance.authority.records import ArchivedKey, Records
    from cardtwin.plan import Secret

__all__ = ["KEY_SIZES", "KeyArchive", "check_password", "new_key", "pkcs12_file"]

KEY_SIZES: Final = range(1024, 8193)
"""Bits of the modulus of a key that is made: a longer one takes minutes, a shorter one protects nothing."""

_EXPONENT: Final = 65537


class KeyArchive:
    """The keys that an authority has made and archived."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def put(self, holder: str, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
        """Archive a holder's key with its certificate, which the authority has issued."""
        with self._records.change():
            self._records.archive(holder, certificate.serial_number, key)

    def of(self, holder: str, usage: frozenset[KeyUsage]) -> tuple[ArchivedKey, ...]:
        """Return a holder's archived keys of a key usage, the oldest first; errors as of the records."""
        return tuple(
            found for found in self._records.archived(holder) if usage_of(found.certificate) == usage
        )


def new_key(bits: int) -> rsa.RSAPrivateKey:
    """Make an RSA key to be archived.

    Raises:
        KeySizeRefusedError: No key of that size is made.
    """
    if bits not in KEY_SIZES:
        known = f"a key to be archived has {KEY_SIZES[0]} to {KEY_SIZES[-1]} bits"
        raise KeySizeRefusedError(f"no key of {bits} bits can be made: {known}")

    return rsa.generate_private_key(_EXPONENT, bits)


def check_password(password: Secret) -> None:
    """See that a password can protect a PKCS #12 file.

    Raises:
        PasswordRefusedError: It is no text in UTF-8.
    """
    try:
        password.reveal().decode()
    except UnicodeDecodeError:
        message = "the password of a PKCS #12 file is a text in UTF-8 (RFC 7292, B.1): choose another one"
        raise PasswordRefusedError(message) from None


def pkcs12_file(
    name: str,
    certificate: x509.Certificate,
    key: rsa.RSAPrivateKey,
    password: Secret,
    above: Sequence[x509.Certificate] = (),
) -> bytes:
    """Return a key with its certificate, and those above it, as PKCS #12 (RFC 7292).

    Args:
        name: What the key is called in it (friendlyName).
        certificate: The key's certificate.
        key: The key.
        password: What protects it; an empty one protects nothing.
        above: The certificates above.

    Raises:
        PasswordRefusedError: The password is no text in UTF-8.
        NameRefusedError: The name is no text that could be written.
    """
    check_password(password)
    encryption = BestAvailableEncryption(password.reveal()) if len(password) else NoEncryption()

    try:
        friendly = name.encode()
    except UnicodeEncodeError:
        raise NameRefusedError(f"{name!r} is no name in a PKCS #12 file: it is a text in Unicode") from None

    return pkcs12.serialize_key_and_certificates(friendly, key, certificate, above, encryption)
