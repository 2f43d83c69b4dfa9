"""Keys at work as Gemalto's IAS Classic has them: choosing, taking over a hash, signing, deciphering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from cardtwin.card.chip.iasecc import KeyOperation
from cardtwin.card.commands import environment
from cardtwin.card.commands.authentication import get_challenge
from cardtwin.card.commands.files import delete
from cardtwin.card.commands.iasecc_files import delete_current
from cardtwin.card.commands.operations import KeyInUse, carried_out, chosen_key, crypto_refused, use_key
from cardtwin.card.commands.selection import by_aid
from cardtwin.card.crypto import EcPrivateKey, PaddingError, RsaPrivateKey, pad_pss, unpad_encryption
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Handler, Outcome
    from cardtwin.iso7816 import CommandApdu

__all__ = [
    "applet",
    "challenge",
    "choose",
    "decipher",
    "decipher_bare",
    "delete_file",
    "hash_taken",
    "sign",
]

_BARE: Final = 0x02
_DIGEST_INFO: Final = {
    0x12: ("sha1", "3021300906052B0E03021A05000414"),
    0x42: ("sha256", "3031300D060960864801650304020105000420"),
    0x52: ("sha384", "3041300D060960864801650304020205000430"),
    0x62: ("sha512", "3051300D060960864801650304020305000440"),
}
_PSS: Final = {0x45: "sha256", 0x55: "sha384", 0x65: "sha512"}
_ECDSA: Final = 0x44
_DECIPHER: Final = 0x1A
_OAEP: Final[dict[int, Callable[[], hashes.HashAlgorithm]]] = {
    0x1D: hashes.SHA1,
    0x4D: hashes.SHA256,
    0x5D: hashes.SHA384,
    0x6D: hashes.SHA512,
}
_LENGTHS: Final = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}

_SIGNING: Final = frozenset({_BARE, _ECDSA, *_DIGEST_INFO, *_PSS})
"""The references of algorithms that clients choose for signatures."""

_DECIPHERING: Final = frozenset({_BARE, _DECIPHER, *_OAEP})
"""The references of algorithms that clients choose for deciphering; without one, a key is agreed on."""

_LOCAL: Final = 0x80
_HASH: Final = 0x90
_CRYPTOGRAM, _POINT = b"\x81", b"\x00"


def applet(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select by AID; the applet itself forgets every PIN (rule ``card.ias-classic-applet``)."""
    outcome = by_aid(chip, apdu)

    if chip.session.df == MF:
        chip.session.passed.clear()

    return outcome


def delete_file(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete a file of the current DF by its identifier, or without one the current file."""
    return (delete if apdu.data else delete_current)(chip, apdu)


def choose(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Choose a key by its reference (84) and an algorithm (80), which key agreement alone does without."""
    values = environment.template_values(apdu.data, {0x80, 0x84})
    algorithm, reference = values.get(0x80), values.get(0x84)
    known: frozenset[int | None] = _SIGNING if apdu.p2 == environment.SIGNATURE else _DECIPHERING | {None}

    if reference is None or algorithm not in known:
        raise Refusal(StatusWord.WRONG_DATA)

    chip.session.digest = b""
    whole = chip.image.find_object(chip.session.df, 0x20, reference)
    return environment.choose(chip, apdu.p2, reference if whole else reference & ~_LOCAL, algorithm)


def hash_taken(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Take over a hash, or a DigestInfo, for the signature that follows: ``90 n hash``; give it back."""
    try:
        given = Tlv.parse(apdu.data)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    if given.tag != _HASH or not given.value:
        raise Refusal(StatusWord.WRONG_DATA)

    chip.session.digest = given.value
    return given.value, StatusWord.SUCCESS, ()


def sign(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign the hash that was taken over; 6985 without one."""
    choice = chosen_key(chip, environment.SIGNATURE)
    digest, chip.session.digest = chip.session.digest, b""

    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if not digest:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    used = use_key(chip, choice.reference, KeyOperation.SIGN)

    with crypto_refused():
        return carried_out(chip, used, _signature(chip, used, choice.algorithm or 0, digest))


def _signature(chip: Chip, used: KeyInUse, algorithm: int, digest: bytes) -> bytes:
    private = used.private

    if isinstance(private, EcPrivateKey) != (algorithm == _ECDSA):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    if isinstance(private, EcPrivateKey):
        return private.sign(digest, chip.entropy)

    if algorithm in _PSS:
        return private.raw(pad_pss(digest, _PSS[algorithm], private.bits, chip.entropy))

    if algorithm in _DIGEST_INFO:
        name, head = _DIGEST_INFO[algorithm]

        if len(digest) != _LENGTHS[name]:
            raise PaddingError("the hash isn't one of that algorithm")

        digest = bytes.fromhex(head) + digest

    return private.sign_pkcs1(digest)


def decipher(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Decipher ``81 || cryptogram`` and take the padding off, or agree on a key with ``00 || point``."""
    choice = chosen_key(chip, environment.CONFIDENTIALITY)
    used = use_key(chip, choice.reference, KeyOperation.DECIPHER)
    head, data = apdu.data[:1], apdu.data[1:]

    if choice.algorithm is not None:
        return _deciphered(chip, used, choice.algorithm, data, well_formed=head == _CRYPTOGRAM)

    if not isinstance(used.private, EcPrivateKey):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    if head != _POINT:
        raise Refusal(StatusWord.WRONG_DATA)

    with crypto_refused():
        return carried_out(chip, used, used.private.agree(data))


def decipher_bare(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Decipher a cryptogram without a byte before it, and take the padding off."""
    choice = chosen_key(chip, environment.CONFIDENTIALITY)
    used = use_key(chip, choice.reference, KeyOperation.DECIPHER)
    return _deciphered(chip, used, choice.algorithm or 0, apdu.data, well_formed=True)


def _deciphered(
    chip: Chip, used: KeyInUse, algorithm: int, cryptogram: bytes, *, well_formed: bool
) -> Outcome:
    private = used.private

    if not isinstance(private, RsaPrivateKey):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    if len(cryptogram) != private.size:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if not well_formed:
        raise Refusal(StatusWord.WRONG_DATA)

    if algorithm in _OAEP:
        return carried_out(chip, used, _without_oaep(private, algorithm, cryptogram))

    with crypto_refused():
        return carried_out(chip, used, unpad_encryption(private.raw(cryptogram)))


def _without_oaep(private: RsaPrivateKey, algorithm: int, cryptogram: bytes) -> bytes:
    kind = _OAEP[algorithm]()

    try:
        return private.to_cryptography().decrypt(
            cryptogram, padding.OAEP(padding.MGF1(kind), kind, label=None)
        )
    except ValueError:
        raise Refusal(StatusWord.WRONG_DATA) from None


def challenge(lengths: dict[int, int]) -> Handler:
    """Return the GET CHALLENGE that gives so many bytes by P2, and refuses with 6700 any other Le."""

    def handler(chip: Chip, apdu: CommandApdu) -> Outcome:
        if apdu.le != lengths[apdu.p2]:
            raise Refusal(StatusWord.WRONG_LENGTH)

        return get_challenge(chip, apdu)

    return handler
