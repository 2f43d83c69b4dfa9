"""What the token's lists say of a new object, by its attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin import pkcs15
from cardtwin.cryptoki.constants import Cka, CkcCategory, Cko
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keys.public import RsaKey
from cardtwin.cryptoki.objects.oids import dotted
from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware import Ckr
from cardtwin.pkcs15 import CommonFlags, KeyAccess, KeyAlgorithm, KeyUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.cryptoki.keys.public import PublicNumbers

__all__ = ["Entries", "algorithm_of", "require_keepable", "require_name"]

_ACCESS: Final = {
    Cka.CKA_SENSITIVE: KeyAccess.SENSITIVE,
    Cka.CKA_ALWAYS_SENSITIVE: KeyAccess.ALWAYS_SENSITIVE,
    Cka.CKA_NEVER_EXTRACTABLE: KeyAccess.NEVER_EXTRACTABLE,
    Cka.CKA_LOCAL: KeyAccess.LOCAL,
}
_PRIVATE_USES: Final = {
    Cka.CKA_DECRYPT: KeyUsage.DECRYPT,
    Cka.CKA_SIGN: KeyUsage.SIGN,
    Cka.CKA_SIGN_RECOVER: KeyUsage.SIGN_RECOVER,
    Cka.CKA_UNWRAP: KeyUsage.UNWRAP,
    Cka.CKA_DERIVE: KeyUsage.DERIVE,
}
_PUBLIC_USES: Final = {
    Cka.CKA_ENCRYPT: KeyUsage.ENCRYPT,
    Cka.CKA_VERIFY: KeyUsage.VERIFY,
    Cka.CKA_VERIFY_RECOVER: KeyUsage.VERIFY_RECOVER,
    Cka.CKA_WRAP: KeyUsage.WRAP,
    Cka.CKA_DERIVE: KeyUsage.DERIVE,
}
_FALSE: Final = b"\0"
_NAME: Final = 0x30
_NOT_KEPT: Final = {
    Cko.CKO_CERTIFICATE: (
        Cka.CKA_URL,
        Cka.CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
        Cka.CKA_HASH_OF_ISSUER_PUBLIC_KEY,
        Cka.CKA_JAVA_MIDP_SECURITY_DOMAIN,
    ),
    Cko.CKO_PUBLIC_KEY: (Cka.CKA_START_DATE, Cka.CKA_END_DATE),
    Cko.CKO_PRIVATE_KEY: (Cka.CKA_START_DATE, Cka.CKA_END_DATE, Cka.CKA_WRAP_WITH_TRUSTED),
}


def require_keepable(attributes: Mapping[int, bytes]) -> None:
    """See that the token can keep an object as its attributes say (rule ``cryptoki.token-objects``).

    Raises:
        CryptokiError: CKR_TEMPLATE_INCONSISTENT: it can't.
    """
    object_class = int.from_bytes(attributes[Cka.CKA_CLASS], "little")

    for kind in _NOT_KEPT.get(Cko(object_class), ()):
        if attributes.get(kind, b"").strip(_FALSE):
            raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, f"the token does not keep {kind.name}")

    wrong = list(_impossible(attributes, is_private_key=object_class == Cko.CKO_PRIVATE_KEY))

    if wrong:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, f"on the token, {' and '.join(wrong)}")


def _impossible(attributes: Mapping[int, bytes], *, is_private_key: bool) -> list[str]:
    def true(kind: Cka) -> bool:
        return attributes.get(kind, _FALSE) != _FALSE

    found = {
        "what can be changed can be destroyed": true(Cka.CKA_MODIFIABLE) and not true(Cka.CKA_DESTROYABLE),
        "everything but a private key can be copied": not is_private_key and not true(Cka.CKA_COPYABLE),
        "private keys are private": is_private_key and not true(Cka.CKA_PRIVATE),
        "private keys are sensitive": is_private_key and not true(Cka.CKA_SENSITIVE),
        "private keys do not leave": is_private_key and true(Cka.CKA_EXTRACTABLE),
    }
    return [why for why, is_so in found.items() if is_so]


@dataclass(frozen=True, slots=True)
class Entries:
    """Makes the entries of one slot.

    Attributes:
        auth_id: The PIN of the slot, which guards what is private.
    """

    auth_id: bytes

    def private_key(
        self, attributes: Mapping[int, bytes], algorithm: KeyAlgorithm, size: int
    ) -> pkcs15.PrivateKey:
        """Return the entry of a private key.

        Raises:
            CryptokiError: CKR_ATTRIBUTE_VALUE_INVALID: CKA_SUBJECT is no name.
        """
        consents = attributes[Cka.CKA_ALWAYS_AUTHENTICATE] != _FALSE
        return pkcs15.PrivateKey(
            id=attributes[Cka.CKA_ID],
            label=_text(attributes, Cka.CKA_LABEL),
            algorithm=algorithm,
            size=size,
            usage=_usage(attributes, _PRIVATE_USES),
            access=_access(attributes),
            common=_flags(attributes),
            auth_id=self.auth_id,
            user_consent=1 if consents else None,
            subject=require_name(attributes[Cka.CKA_SUBJECT]),
        )

    def public_key(
        self, attributes: Mapping[int, bytes], algorithm: KeyAlgorithm, size: int
    ) -> pkcs15.PublicKey:
        """Return the entry of a public key; errors as private_key()."""
        return pkcs15.PublicKey(
            id=attributes[Cka.CKA_ID],
            label=_text(attributes, Cka.CKA_LABEL),
            algorithm=algorithm,
            size=size,
            usage=_usage(attributes, _PUBLIC_USES),
            access=_access(attributes) or None,
            common=_flags(attributes),
            auth_id=self._guard(attributes),
            subject=require_name(attributes[Cka.CKA_SUBJECT]),
        )

    def certificate(self, attributes: Mapping[int, bytes]) -> pkcs15.Certificate:
        """Return the entry of a certificate."""
        category = int.from_bytes(attributes[Cka.CKA_CERTIFICATE_CATEGORY], "little")
        return pkcs15.Certificate(
            id=attributes[Cka.CKA_ID],
            label=_text(attributes, Cka.CKA_LABEL),
            authority=category == CkcCategory.CK_CERTIFICATE_CATEGORY_AUTHORITY,
            path=b"",
            common=_flags(attributes),
            auth_id=self._guard(attributes),
        )

    def data(self, attributes: Mapping[int, bytes]) -> pkcs15.DataObject:
        """Return the entry of a data object.

        Raises:
            CryptokiError: CKR_ATTRIBUTE_VALUE_INVALID: CKA_OBJECT_ID is none.
        """
        identifier = attributes[Cka.CKA_OBJECT_ID]
        return pkcs15.DataObject(
            label=_text(attributes, Cka.CKA_LABEL),
            application=_text(attributes, Cka.CKA_APPLICATION) or None,
            oid=dotted(identifier) if identifier else None,
            path=b"",
            common=_flags(attributes),
            auth_id=self._guard(attributes),
        )

    def _guard(self, attributes: Mapping[int, bytes]) -> bytes | None:
        return self.auth_id if attributes[Cka.CKA_PRIVATE] != _FALSE else None


def algorithm_of(public: PublicNumbers) -> KeyAlgorithm:
    """Return the algorithm of a key."""
    return KeyAlgorithm.RSA if isinstance(public, RsaKey) else KeyAlgorithm.EC


def _flags(attributes: Mapping[int, bytes]) -> CommonFlags:
    private = CommonFlags.PRIVATE if attributes[Cka.CKA_PRIVATE] != _FALSE else CommonFlags(0)
    return private | (CommonFlags.MODIFIABLE if attributes[Cka.CKA_MODIFIABLE] != _FALSE else CommonFlags(0))


def _access(attributes: Mapping[int, bytes]) -> KeyAccess:
    """Return how a key came to be; whatever isn't said of it is not so."""
    access = KeyAccess(0)

    for kind, flag in _ACCESS.items():
        if attributes.get(kind, _FALSE) != _FALSE:
            access |= flag

    return access


def require_name(subject: bytes) -> bytes:
    """Return CKA_SUBJECT, which is a name in DER, or empty.

    Raises:
        CryptokiError: CKR_ATTRIBUTE_VALUE_INVALID: it is none.
    """
    try:
        is_name = not subject or Tlv.parse(subject).tag == _NAME
    except TlvFormatError:
        is_name = False

    if not is_name:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_SUBJECT is no name in DER")

    return subject


def _usage(attributes: Mapping[int, bytes], table: Mapping[Cka, KeyUsage]) -> KeyUsage:
    usage = KeyUsage(0)

    for kind, flag in table.items():
        if attributes.get(kind, _FALSE) != _FALSE:
            usage |= flag

    return usage


def _text(attributes: Mapping[int, bytes], kind: Cka) -> str:
    return attributes[kind].decode()
