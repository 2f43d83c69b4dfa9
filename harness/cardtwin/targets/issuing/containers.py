"""IDPrime cards with something on them: an image with containers, keys and certificates.

No public client writes such cards, so the emulated one can't be written by commands either.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from cardtwin.card.chip.algorithms import KEY_CLASS, ec_body
from cardtwin.card.chip.iasecc import KeyOperation
from cardtwin.card.crypto import Curve, EcPrivateKey, RsaPrivateKey
from cardtwin.card.errors import ImageError
from cardtwin.card.memory import MF, Ef, FileKind, ObjectKey, SecurityObject
from cardtwin.card.memory.access import ALWAYS, NEVER, EfOperation, complete
from cardtwin.card.memory.objects import TEST_CLASS
from cardtwin.card.models import idprime_files as files
from cardtwin.card.models.gemalto import IDPRIME_940_MODEL, SIGNATURE_PIN, USER_PIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cardtwin.card.memory import CardImage

__all__ = ["Container", "idprime_image"]

_FIRST_REFERENCE: Final = 0x56
_MOST_CONTAINERS: Final = 10
_FIRST_CERTIFICATE: Final = 0x0310
_LONGEST_CERTIFICATE: Final = 0xFFFF
_PRIVATE, _CONTINUES = 0x02, 0x20
_CRT, _EC = 0x0A, 0x8E
_PIN_NUMBERS: Final = {USER_PIN: 1, SIGNATURE_PIN: 2}


@dataclass(frozen=True, slots=True)
class Container:
    """A container: a private key and its certificate.

    Attributes:
        name: Its name, 1 to 39 characters; Windows gives it a GUID's.
        key: The private key as PKCS#8 in DER: RSA of up to 4096 bits, or EC.
        certificate: The certificate in DER.
        exchange: Whether the key deciphers, or agrees on keys, beside signing.
        signature_pin: Whether the second PIN guards the key, and not the first.
    """

    name: str
    key: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    exchange: bool = True
    signature_pin: bool = False


def idprime_image(
    containers: Sequence[Container],
    *,
    label: str = "IDPrime",
    pin: bytes = b"0000",
    signature_pin: bytes = b"0000",
    serial: bytes | None = None,
) -> CardImage:
    """Return the memory of an IDPrime 940 with these containers.

    Args:
        containers: At most ten, numbered from 00 on.
        label: The token's label.
        pin: The first PIN, 4 to 16 bytes.
        signature_pin: The second PIN, likewise.
        serial: The chip's serial number; without one, the model's.

    Raises:
        ImageError: There are too many containers, or one of the values can't be on such a card.
        ValueError: The serial number has another length than the model's.
    """
    if len(containers) > _MOST_CONTAINERS:
        raise ImageError(f"an IDPrime has {_MOST_CONTAINERS} containers at most, not {len(containers)}")

    if len(label.encode()) > files.MAX_LABEL:
        raise ImageError(f"the label of an IDPrime has {files.MAX_LABEL} bytes at most in UTF-8: {label!r}")

    blank = IDPRIME_940_MODEL.blank(serial=serial)
    objects = dict(blank.objects)

    for reference, value in ((USER_PIN, pin), (SIGNATURE_PIN, signature_pin)):
        at = ObjectKey(MF, TEST_CLASS, reference)
        objects[at] = replace(objects[at], body=_pin(value, len(objects[at].body)))

    keys = [_private_key(container) for container in containers]

    for number, (container, private) in enumerate(zip(containers, keys, strict=True)):
        objects.update(_key_objects(number, container, private))

    contents = _contents(label, containers, keys)
    made = {**blank.files, **{MF + file_id: _file(content) for file_id, content in contents.items()}}
    return replace(blank, files=made, objects=objects)


def _pin(value: bytes, length: int) -> bytes:
    if not 4 <= len(value) <= length:
        raise ImageError(f"a PIN of an IDPrime has 4 to {length} bytes")

    return value.ljust(length, b"\0")


def _private_key(container: Container) -> RsaPrivateKey | EcPrivateKey:
    if not 1 <= len(container.name.encode("utf-16-le")) // 2 <= files.MAX_NAME:
        raise ImageError(f"a container's name has 1 to {files.MAX_NAME} characters: {container.name!r}")

    try:
        key = load_der_private_key(container.key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ImageError(f"the key of the container {container.name!r} is no unencrypted PKCS#8") from None

    if isinstance(key, rsa.RSAPrivateKey) and key.key_size <= IDPRIME_940_MODEL.max_rsa_bits:
        numbers = key.private_numbers()
        return RsaPrivateKey.from_primes(numbers.p, numbers.q, numbers.public_numbers.e)

    if isinstance(key, ec.EllipticCurvePrivateKey):
        curve = next((one for one in Curve if one.to_cryptography().name == key.curve.name), None)

        if curve is not None:
            return EcPrivateKey(curve, key.private_numbers().private_value)

    raise ImageError(f"the key of the container {container.name!r} is of a kind that the card hasn't")


def _key_objects(
    number: int, container: Container, key: RsaPrivateKey | EcPrivateKey
) -> Iterator[tuple[ObjectKey, SecurityObject]]:
    guard = _guard(container)
    access = bytearray([NEVER] * (KeyOperation.GET + 1))
    access[0] = access[KeyOperation.SIGN] = guard
    access[KeyOperation.DECIPHER] = guard if container.exchange else NEVER
    bodies = [ec_body(key)] if isinstance(key, EcPrivateKey) else _components(key)

    for place, body in enumerate(bodies):
        yield (
            ObjectKey(MF, KEY_CLASS + place, _FIRST_REFERENCE + number),
            SecurityObject(
                option=_PRIVATE | (_CONTINUES if place + 1 < len(bodies) else 0),
                flags=0,
                algorithm=_EC if isinstance(key, EcPrivateKey) else _CRT,
                tries_left=0,
                uses_left=0xFF,
                dek=0xFF,
                consent=0,
                min_length=0,
                access=bytes(access),
                body=body,
            ),
        )


def _guard(container: Container) -> int:
    return SIGNATURE_PIN if container.signature_pin else USER_PIN


def _components(key: RsaPrivateKey) -> list[bytes]:
    half = (key.bits + 15) // 16
    return [number.to_bytes(half) for number in (key.p, key.q, key.dp, key.dq, key.qinv)]


def _contents(
    label: str, containers: Sequence[Container], keys: Sequence[RsaPrivateKey | EcPrivateKey]
) -> Mapping[bytes, bytes]:
    card_id = IDPRIME_940_MODEL.files[files.CARD_ID]
    sizes = [key.bits if isinstance(key, RsaPrivateKey) else key.curve.order.bit_length() for key in keys]
    found = {
        files.CARD_ID: ("cardid", "", card_id),
        files.CONTAINER_MAP: ("cmapfile", "mscp", _container_map(containers, sizes)),
        files.TOKEN_LABEL: ("tinfo", "p11", files.encode_label(label)),
        **dict(_certificates(containers)),
    }
    index = [
        files.IndexEntry(file_id, len(content), name, directory)
        for file_id, (name, directory, content) in found.items()
    ]
    return {
        **{file_id: content for file_id, (_, _, content) in found.items()},
        files.INDEX: files.encode_index(index),
        files.KEY_REFERENCES: files.encode_key_references(
            files.KeyReference(number, _FIRST_REFERENCE + number, _PIN_NUMBERS[_guard(container)])
            for number, container in enumerate(containers)
        ),
    }


def _certificates(containers: Sequence[Container]) -> Iterator[tuple[bytes, tuple[str, str, bytes]]]:
    for number, container in enumerate(containers):
        if not 1 <= len(container.certificate) <= _LONGEST_CERTIFICATE:
            longest = _LONGEST_CERTIFICATE
            raise ImageError(f"the certificate of {container.name!r} hasn't 1 to {longest} bytes")

        name = f"{'kxc' if container.exchange else 'ksc'}{number:02}"
        file_id = (_FIRST_CERTIFICATE + number).to_bytes(2)
        yield file_id, (name, "mscp", files.compressed(container.certificate))


def _container_map(containers: Sequence[Container], sizes: Sequence[int]) -> bytes:
    return files.encode_container_map(
        files.ContainerEntry(each.name, 0 if each.exchange else bits, bits if each.exchange else 0)
        for each, bits in zip(containers, sizes, strict=True)
    )


def _file(content: bytes) -> Ef:
    access = bytearray(complete(b""))
    access[EfOperation.READ] = ALWAYS
    kind = FileKind.TRANSPARENT
    return Ef(kind, len(content), bytes(access), bytes((kind,)), content)
