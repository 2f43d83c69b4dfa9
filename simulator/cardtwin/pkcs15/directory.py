"""EF.ODF (ISO/IEC 7816-15, 8.3) and EF.DIR (7816-4, 12.2.3): what leads to the other files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.pkcs15 import asn1
from cardtwin.pkcs15.encoding import path_fields
from cardtwin.pkcs15.errors import Pkcs15Error
from cardtwin.pkcs15.parsing import BROKEN, elements, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.pkcs15.paths import Path

__all__ = [
    "AID",
    "Application",
    "DirectoryKind",
    "DirectoryPath",
    "encode_ef_dir",
    "encode_odf",
    "parse_ef_dir",
    "parse_odf",
]

AID = bytes.fromhex("A000000063504B43532D3135")


class DirectoryKind(StrEnum):
    """What a directory file lists; the names of CIOChoice."""

    PRIVATE_KEYS = "private_keys"
    PUBLIC_KEYS = "public_keys"
    TRUSTED_PUBLIC_KEYS = "trusted_public_keys"
    SECRET_KEYS = "secret_keys"  # noqa: S105  # the standard's name, no secret
    CERTIFICATES = "certificates"
    TRUSTED_CERTIFICATES = "trusted_certificates"
    USEFUL_CERTIFICATES = "useful_certificates"
    DATA_OBJECTS = "data_objects"
    AUTH_OBJECTS = "auth_objects"


@dataclass(frozen=True, slots=True)
class DirectoryPath:
    """One entry of EF.ODF: where the objects of a kind are listed."""

    kind: DirectoryKind
    path: Path


@dataclass(frozen=True, slots=True)
class Application:
    """One entry of EF.DIR.

    Attributes:
        aid: The application's identifier, 5 to 16 bytes.
        label: What users see; may be empty.
        path: The application's DF; empty where it is found by the AID.
    """

    aid: bytes
    label: str = ""
    path: bytes = b""


def encode_odf(entries: Iterable[DirectoryPath]) -> bytes:
    """Return the content of EF.ODF."""
    return b"".join(_encode_entry(entry) for entry in entries)


def _encode_entry(entry: DirectoryPath) -> bytes:
    try:
        inner = asn1.PathOrObjects("path", path_fields(entry.path))
        return bytes(asn1.DirectoryEntry(entry.kind.value, inner).dump())
    except (ValueError, TypeError) as error:
        raise Pkcs15Error(f"{entry.kind.value}: {error}") from error


def parse_odf(content: bytes) -> tuple[DirectoryPath, ...]:
    """Return the entries of EF.ODF that name a file; those of other forms are left out."""
    found = (_parse_entry(der) for der in elements(content))
    return tuple(entry for entry in found if entry is not None)


def _parse_entry(der: bytes) -> DirectoryPath | None:
    try:
        entry = asn1.DirectoryEntry.load(der)

        if entry.chosen.name != "path":
            return None

        return DirectoryPath(DirectoryKind(entry.name), path_of(entry.chosen.chosen))
    except BROKEN:
        return None


def encode_ef_dir(applications: Iterable[Application]) -> bytes:
    """Return the content of EF.DIR."""
    return b"".join(_template(application).encode() for application in applications)


def _template(application: Application) -> Tlv:
    fields = ((0x4F, application.aid), (0x50, application.label.encode()), (0x51, application.path))
    return Tlv.constructed(0x61, (Tlv(tag, value) for tag, value in fields if value))


def parse_ef_dir(content: bytes) -> tuple[Application, ...]:
    """Return the applications of EF.DIR up to the first 00, FF or broken template."""
    applications = []

    try:
        for template, _ in Tlv.walk(content, padding=True):
            fields = {found.tag: found.value for found in template.children()}

            if template.tag != 0x61 or 0x4F not in fields:
                continue

            label = fields.get(0x50, b"").decode(errors="replace")
            applications.append(Application(fields[0x4F], label, fields.get(0x51, b"")))
    except TlvFormatError:
        pass

    return tuple(applications)
