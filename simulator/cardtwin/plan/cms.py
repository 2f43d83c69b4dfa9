"""The encrypted PINs as CMS AuthEnvelopedData (RFC 5083). The format is ours: the vendor's is not public.

One recipient, named by the SHA-1 of its subjectPublicKey; the content key goes to it by RSAES-OAEP with
SHA-256 (RFC 4055, RFC 8017); the content is encrypted by AES-256-GCM (RFC 5084). GCM covers the content
only, so what it does not cover is pinned otherwise: a blob is read only if encoding what was understood
gives the very same bytes. What remains free is the key id (a changed one matches no key) and the
wrapped content key (a changed one fails in OAEP).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asn1crypto import algos, cms, core
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.plan import oaep
from cardtwin.plan.blob import NoMatchingKeyError, PinBlob, PinBlobError
from cardtwin.plan.secret import Secret, SecretName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.x509 import Certificate

    from cardtwin.entropy import Entropy
    from cardtwin.plan.blob import DecryptionKey

__all__ = ["CmsPinBlobCodec"]

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
_UTF8_STRING: Final = 0x0C
_OID: Final = 0x06

_CONTENT_TYPE: Final = Tlv(
    _OID, core.ObjectIdentifier(cms.ContentType.unmap("authenticated_enveloped_data")).contents
).encode()
_CONTENT_VERSION: Final = Tlv(_INTEGER, b"\x00")
_SHA256: Final = {"algorithm": "sha256", "parameters": core.Null()}
_KEY_ENCRYPTION: Final = cms.KeyEncryptionAlgorithm(
    {
        "algorithm": "rsaes_oaep",
        "parameters": {  # both hashes SHA-256, the label empty by default (RFC 4055, 4.1)
            "hash_algorithm": _SHA256,
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": _SHA256},
        },
    }
).dump()
_MIN_KEY_BITS: Final = 2048
_KEY_LENGTH: Final = 32
_NONCE_LENGTH: Final = 12
_TAG_LENGTH: Final = 16


class CmsPinBlobCodec:
    """The blob format that cardtwin ships; implements :class:`cardtwin.plan.PinBlobCodec`."""

    name = "cardtwin PIN blob 1 (CMS AuthEnvelopedData)"

    def encrypt(self, blob: PinBlob, certificate: Certificate, entropy: Entropy) -> bytes:
        """Encrypt to the certificate's RSA key; the same entropy gives the same bytes.

        Raises:
            PinBlobError: The certificate has no RSA key of 2048 bits or more, or a secret is named twice.
        """
        recipient = _rsa_key(certificate)
        content_key = entropy.bytes(_KEY_LENGTH)
        nonce = entropy.bytes(_NONCE_LENGTH)
        sealed = AESGCM(content_key).encrypt(nonce, _encode_content(blob), None)

        return _Envelope(
            key_id=oaep.key_identifier(recipient),
            encrypted_key=oaep.encrypt(recipient, content_key, entropy),
            nonce=nonce,
            ciphertext=sealed[:-_TAG_LENGTH],
            tag=sealed[-_TAG_LENGTH:],
        ).encode()

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes begin as CMS AuthEnvelopedData does; nothing else of them is looked at."""
        header = 2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0)
        return data[:1] == bytes((_SEQUENCE,)) and data[header:].startswith(_CONTENT_TYPE)

    def recipients(self, data: bytes) -> tuple[bytes, ...]:
        """Return the id of the one key that the blob is encrypted to.

        Raises:
            PinBlobError: The blob is broken.
        """
        return (_Envelope.parse(data).key_id,)

    def decrypt(self, data: bytes, keys: Sequence[DecryptionKey]) -> PinBlob:
        """Decrypt with the one of the keys that fits. What follows the blob is left alone.

        Raises:
            NoMatchingKeyError: None of the keys has the id that the blob names.
            PinBlobError: The blob is broken or was changed; then nothing of it is given out.
        """
        envelope = _Envelope.parse(data)
        key = next((key for key in keys if key.key_id == envelope.key_id), None)

        if key is None:
            raise NoMatchingKeyError(envelope.key_id)

        content_key = key.unwrap(envelope.encrypted_key, oaep.OAEP_HASH)

        if len(content_key) != _KEY_LENGTH:
            raise PinBlobError("the blob's content key has the wrong length")

        try:
            content = AESGCM(content_key).decrypt(envelope.nonce, envelope.ciphertext + envelope.tag, None)
        except InvalidTag:
            raise PinBlobError("the blob was changed: its authentication tag is wrong") from None

        return _decode_content(content)


@dataclass(frozen=True, slots=True)
class _Envelope:
    """What differs from blob to blob; all else of the CMS structure is fixed."""

    key_id: bytes
    encrypted_key: bytes
    nonce: bytes
    ciphertext: bytes
    tag: bytes

    @classmethod
    def parse(cls, data: bytes) -> _Envelope:
        """Read the blob at the start of the bytes.

        Raises:
            PinBlobError: It isn't one, or not written as :meth:`encode` writes it.
        """
        try:
            outer, end = next(Tlv.walk(data), (Tlv(0), 0))
            found = cls._from_cms(outer.encode())
            rewritten = found.encode()
        except (TlvFormatError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
            raise PinBlobError("the blob is broken: it is no CMS AuthEnvelopedData") from None

        if rewritten != data[:end]:
            raise PinBlobError("the blob is broken or was changed: it is not written as cardtwin writes it")

        return found

    @classmethod
    def _from_cms(cls, data: bytes) -> _Envelope:
        # asn1crypto decodes lazily and reports what is wrong by several kinds of exceptions.
        content: Any = cms.ContentInfo.load(data)["content"]
        (recipient,) = content["recipient_infos"]
        encrypted = content["auth_encrypted_content_info"]
        gcm = encrypted["content_encryption_algorithm"]["parameters"].parse(algos.CcmParams)

        return cls(
            key_id=recipient.chosen["rid"].chosen.native,
            encrypted_key=recipient.chosen["encrypted_key"].native,
            nonce=gcm["aes_nonce"].native,
            ciphertext=encrypted["encrypted_content"].native,
            tag=content["mac"].native,
        )

    def encode(self) -> bytes:
        """Return the CMS ContentInfo in DER."""
        recipient = cms.KeyTransRecipientInfo(
            {
                "version": "v2",
                "rid": cms.RecipientIdentifier({"subject_key_identifier": self.key_id}),
                "key_encryption_algorithm": cms.KeyEncryptionAlgorithm.load(_KEY_ENCRYPTION),
                "encrypted_key": self.encrypted_key,
            }
        )
        content = cms.AuthEnvelopedData(
            {
                "version": "v0",
                "recipient_infos": [cms.RecipientInfo({"ktri": recipient})],
                "auth_encrypted_content_info": {
                    "content_type": "data",
                    "content_encryption_algorithm": _gcm_algorithm(self.nonce),
                    "encrypted_content": self.ciphertext,
                },
                "mac": self.tag,
            }
        )
        encoded: bytes = cms.ContentInfo(
            {"content_type": "authenticated_enveloped_data", "content": content}
        ).dump()
        return encoded


def _gcm_algorithm(nonce: bytes) -> Any:
    """AES-256-GCM; GCMParameters have the shape of CCMParameters (RFC 5084, 3.1 and 3.2)."""
    parameters = algos.CcmParams({"aes_nonce": nonce, "aes_icvlen": _TAG_LENGTH})
    return algos.EncryptionAlgorithm({"algorithm": "aes256_gcm", "parameters": parameters})


def _rsa_key(certificate: Certificate) -> RSAPublicKey:
    key = certificate.public_key()

    if not isinstance(key, RSAPublicKey):
        raise PinBlobError("the PIN encryption certificate must hold an RSA key")

    if key.key_size < _MIN_KEY_BITS:
        raise PinBlobError(
            f"the PIN encryption certificate's key has {key.key_size} bits; {_MIN_KEY_BITS} is the least"
        )

    return key


def _encode_content(blob: PinBlob) -> bytes:
    _refuse_repeated(name for name, _ in blob.secrets)
    secrets = (
        Tlv.constructed(
            _SEQUENCE, (Tlv(_UTF8_STRING, name.value.encode()), Tlv(_OCTET_STRING, secret.reveal()))
        )
        for name, secret in blob.secrets
    )
    content = (
        _CONTENT_VERSION,
        Tlv(_UTF8_STRING, blob.profile_name.encode()),
        Tlv.constructed(_SEQUENCE, secrets),
    )
    return Tlv.constructed(_SEQUENCE, content).encode()


def _decode_content(content: bytes) -> PinBlob:
    try:
        _, profile_name, secrets = Tlv.parse(content).children()
        pairs = tuple(_decode_secret(entry) for entry in secrets.children())
        blob = PinBlob(pairs, profile_name.value.decode())
        understood = _encode_content(blob) == content
    except ValueError:
        understood = False

    if not understood:
        # Authentic, so a writer of another version made it: the sender is at fault, not the way here.
        raise PinBlobError("the blob's contents are none that this version of cardtwin can read")

    return blob


def _decode_secret(entry: Tlv) -> tuple[SecretName, Secret]:
    name, value = entry.children()
    return SecretName(name.value.decode()), Secret(value.value)


def _refuse_repeated(names: Iterable[SecretName]) -> None:
    seen: set[SecretName] = set()

    for name in names:
        if name in seen:
            raise PinBlobError(f"{name.value} stands in the blob twice")

        seen.add(name)
