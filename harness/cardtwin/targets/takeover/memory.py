"""Makes files and objects of an image of what a card has told. What it doesn't tell has no value there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cardtwin.card.chip.algorithms import KEY_CLASS, PIN, TEST_CLASS, TRIPLE_DES
from cardtwin.card.memory import MF, Df, Ef, FileKind, ObjectKey, SecurityObject, climb
from cardtwin.card.memory.access import ALWAYS, NEVER
from cardtwin.pkcs15 import KeyAlgorithm, KeyUsage
from cardtwin.targets.takeover.conditions import access_of, referenced, rules_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardtwin import pkcs15
    from cardtwin.card.memory import File
    from cardtwin.targets.takeover.files import FileFound
    from cardtwin.targets.takeover.tokens import TokenObjects

__all__ = ["ASSUMED_TRIES", "Credential", "credentials", "file_of", "key_object", "keys_of"]

ASSUMED_TRIES: Final = 3
"""What a PIN gets that doesn't tell its tries: a number of ours."""

_MOST_TRIES: Final = 15
_RECORD_HEADER: Final = 2
_UNLIMITED: Final = 0xFF
_TWO_PARTS_BITS: Final = 1024
_BYTE: Final = 0x100
_REFERENCE: Final = 0x7F
"""A reference without the bit that says: in this DF."""

_DECIPHERING: Final = KeyUsage.DECRYPT | KeyUsage.UNWRAP | KeyUsage.DERIVE
_RSA_SHORT, _RSA_LONG, _EC = (0x8C, 0x0C), (0x8A, 0x0A), (0x8E, 0x0E)
"""The algorithm bytes of keys, to sign and to decipher or agree."""


def file_of(found: FileFound) -> File | None:
    """Return a file as the image has it, zeros where nothing was read; None if its kind isn't known.

    So it is too where the control information doesn't tell how a file's fixed records are.
    """
    options = found.control.get(0x85) or b"\x00"
    access, rules = access_of(found), rules_reference(found)

    if found.is_df:
        name = found.control.get(0x84) or b""
        size = found.control.size or 0
        return Df(size, access, name, options, active=found.active, rules=rules)

    return None if found.kind is None else _ef(found, found.kind, access, options, rules)


def _ef(found: FileFound, kind: FileKind, access: bytes, options: bytes, rules: bytes) -> Ef | None:
    size, descriptor, records = found.control.size or 0, found.control.get(0x82) or b"", found.records
    length, count = 0, 0

    if kind.has_fixed_records:
        length, count = int.from_bytes(descriptor[2:4]), int.from_bytes(descriptor[4:6])
        size = length * count

        if not size or any(len(record) != length for record in records):
            return None
    elif kind.has_records:
        # The card may count otherwise than the emulated one does; a size that is too small can't be kept.
        size = max(size, sum(len(record) + _RECORD_HEADER for record in records))

    return Ef(
        kind,
        size,
        access,
        descriptor,
        content=b"" if kind.has_records else found.content[:size].ljust(size, b"\0"),
        records=records,
        record_length=length,
        record_count=count,
        options=options,
        active=found.active,
        rules=rules,
    )


class Credential(NamedTuple):
    """A PIN, or a key for authentication, whose value the card doesn't tell.

    Attributes:
        key: Where it is.
        label: Of a PIN that PKCS#15 lists; empty for one that only conditions name.
        is_key: Whether it is a key.
        tries: The tries left, as the card told; None where they are assumed.
        pin: The entry of PKCS#15.
    """

    key: ObjectKey
    label: str
    is_key: bool
    tries: int | None
    pin: pkcs15.Pin | None

    def object(self) -> SecurityObject:
        """Return the object for the image: without a value, and nobody may change it."""
        left = ASSUMED_TRIES if self.tries is None else self.tries
        return SecurityObject(
            option=0x02,
            flags=min(max(left, ASSUMED_TRIES), _MOST_TRIES),
            algorithm=TRIPLE_DES if self.is_key else PIN,
            tries_left=left,
            uses_left=_UNLIMITED,
            dek=0xFF,
            consent=0,
            min_length=min(self.pin.min_length, _BYTE - 1) if self.pin else 0,
            access=bytes((ALWAYS, NEVER, NEVER)),
            body=b"",
        )


def credentials(
    files: Mapping[bytes, FileFound],
    token: TokenObjects,
    told: Mapping[ObjectKey, SecurityObject],
    tries: Callable[[bytes, int], int | None],
) -> Iterator[Credential]:
    """Yield the PINs that PKCS#15 lists, then the test objects that conditions name or the card tells of.

    Of the latter it isn't told in which DF they lie: the MF is taken, where all conditions find them.

    Args:
        files: The files of the card.
        token: What PKCS#15 lists.
        told: The objects that the card tells of.
        tries: Tells the tries left of the PIN of a DF and reference; None where they aren't told.
    """
    kinds: dict[int, bool] = {}

    for reference, is_key in referenced(files.values()):
        kinds[reference] = kinds.get(reference, False) or is_key

    known: set[ObjectKey] = set()

    for df, pin in token.pins:
        key = _placed(ObjectKey(_holder(files, df), TEST_CLASS, pin.reference & _REFERENCE), told)

        if key not in known:
            known.add(key)
            left = told[key].tries_left if key in told else tries(key.df, key.id)
            yield Credential(key, pin.label, is_key=False, tries=left, pin=pin)

    for key in told:
        if key.class_ == TEST_CLASS and key not in known:
            known.add(key)
            yield Credential(key, "", is_key=False, tries=told[key].tries_left, pin=None)

    listed = {key.id for key in known}

    for reference, is_key in sorted(kinds.items()):
        if reference not in listed:
            key = ObjectKey(MF, TEST_CLASS, reference)
            yield Credential(key, "", is_key=is_key, tries=None if is_key else tries(MF, reference), pin=None)


def keys_of(
    files: Mapping[bytes, FileFound], token: TokenObjects, told: Mapping[ObjectKey, SecurityObject]
) -> Iterator[tuple[ObjectKey, pkcs15.PrivateKey]]:
    """Yield the private keys that PKCS#15 lists, each with its place; one without a reference has none."""
    for df, key in token.keys:
        if key.reference is not None and key.reference < _BYTE:
            listed = ObjectKey(_holder(files, df), KEY_CLASS, key.reference)
            without_bit = listed._replace(id=listed.id & _REFERENCE)
            place = _placed(without_bit, told)
            yield place if place in told else listed, key


def _placed(key: ObjectKey, told: Mapping[ObjectKey, SecurityObject]) -> ObjectKey:
    """Return where an object is that the card tells of: in its DF or above; else what is given."""
    places = (key._replace(df=df) for df in climb(key.df))
    return next((place for place in places if place in told), key)


def key_object(key: pkcs15.PrivateKey, token: TokenObjects) -> SecurityObject:
    """Return a private key without a value: one component, whose use the card refuses with 6984."""
    guards = (pin.reference & 0x7F for _, pin in token.pins if key.auth_id and pin.id == key.auth_id)
    return SecurityObject(
        option=0x02,
        flags=0,
        algorithm=_algorithm(key),
        tries_left=0,
        uses_left=_UNLIMITED,
        dek=0xFF,
        consent=0,
        min_length=0,
        access=bytes((next(guards, ALWAYS), NEVER, NEVER)),
        body=b"",
    )


def _algorithm(key: pkcs15.PrivateKey) -> int:
    long = key.size is None or key.size > _TWO_PARTS_BITS
    pair = _EC if key.algorithm is KeyAlgorithm.EC else _RSA_LONG if long else _RSA_SHORT
    return pair[1 if key.usage & _DECIPHERING else 0]


def _holder(files: Mapping[bytes, FileFound], path: bytes) -> bytes:
    """Return the DF of a path, or the nearest one above it that the card has."""
    return next((df for df in climb(path) if df in files and files[df].is_df), MF)
