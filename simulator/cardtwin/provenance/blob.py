"""Decisions about the encrypted PINs."""

from __future__ import annotations

from cardtwin.provenance.rules import Basis, rule

__all__ = ["FILE_WRAPPER", "FORMAT", "HSM_KEYS", "KEY_ID", "MESSAGE_HEX", "PUBLIC_KEY", "TRAILING_BYTES"]

FORMAT = rule(
    "blob.format",
    Basis.OURS,
    "RFC 5083, RFC 5084, RFC 4055",
    "The encrypted PINs are CMS AuthEnvelopedData with AES-256-GCM and RSAES-OAEP-SHA256. The vendor's "
    "format is not public: a blob from a real key generation system cannot be read, and nobody else "
    "reads ours.",
)

KEY_ID = rule(
    "blob.key-id",
    Basis.INFERRED,
    "BLOB-10; RFC 5280, 4.2.1.2",
    "The key id of the message 'No decryption key found matching' is the SHA-1 of the subjectPublicKey. "
    "That a key is looked up by an id is stated, how the id is made is not.",
)

MESSAGE_HEX = rule(
    "blob.message-hex",
    Basis.INFERRED,
    "BLOB-10",
    "The id in that message is written in upper-case hexadecimal, as its placeholder in the source suggests.",
)

FILE_WRAPPER = rule(
    "blob.file-wrapper",
    Basis.OURS,
    "PPA-11",
    "PERSINFO_PUT_PUBRSA_AND_SEC() gives a structure with the tag E0: version, public keys by name, the "
    "blob. Only the function's name is public.",
)

PUBLIC_KEY = rule(
    "blob.public-key",
    Basis.OURS,
    "PPA-11",
    "Where one public key stands beside the encrypted PINs, in the file that the token lists as a "
    "certificate, it is the public half of the private key with that certificate's identifier: a "
    "certificate can be requested for it, which then takes the PINs' place.",
)

TRAILING_BYTES = rule(
    "blob.trailing-bytes",
    Basis.OURS,
    "BLOB-01",
    "What follows the blob in its file is left alone, whatever it is: files are filled up with 00, and "
    "a shorter blob leaves the rest of a longer one behind.",
)

HSM_KEYS = rule(
    "blob.hsm-keys",
    Basis.INFERRED,
    "BLOB-08",
    "Of a key in an HSM, `slot` is the number of the slot, `alias` the label of the private key, or of a "
    "certificate with its CKA_ID. The attributes are stated, what they are to the module is not.",
)
