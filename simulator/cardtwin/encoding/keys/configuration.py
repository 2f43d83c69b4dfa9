"""Which private keys may open encrypted PINs. They are global: every tenant has all of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import InvalidVersion

from cardtwin.encoding.keys.hsm import HsmError, HsmKey
from cardtwin.encoding.keys.private import RsaDecryptionKey
from cardtwin.source import Diagnostics, closest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.encoding.keys.descriptors import Descriptor, KeyEntry, KeyTable
    from cardtwin.encoding.keys.properties import Properties, Property
    from cardtwin.plan import DecryptionKey
    from cardtwin.source import Span

__all__ = ["DESCRIPTOR_PROPERTY", "KeyConfiguration", "check_names", "decryption_keys"]

DESCRIPTOR_PROPERTY: Final = "pinBlobDecryptor.keyDescriptorNames"
_CLASSPATH: Final = "classpath:"


@dataclass(frozen=True, slots=True)
class KeyConfiguration:
    """Where keys are named.

    Attributes:
        table: engineSignEncrypt.xml.
        properties: system.properties.
        classpath: Folders in which ``classpath:`` locations are looked up, in that order.
        mounted: Files by their names in the class path, which count before the folders.
    """

    table: KeyTable
    properties: Properties
    classpath: tuple[Path, ...] = ()
    mounted: Mapping[str, Path] = field(default_factory=dict)


def decryption_keys(configuration: KeyConfiguration) -> tuple[DecryptionKey, ...]:
    """Return the keys of the descriptors that the property lists, in its order; none if it is not set.

    Raises:
        SourceError: A name resolves to nothing, a descriptor is not plain RSA, or a key can't be loaded.
    """
    listed = configuration.properties.get(DESCRIPTOR_PROPERTY)

    if listed is None:
        return ()

    diagnostics = Diagnostics()
    entries = [_resolve(name, listed, configuration.table, diagnostics) for name in _names(listed)]
    keys = [_load(entry, configuration, diagnostics) for entry in entries if entry is not None]
    diagnostics.raise_errors()
    return tuple(key for key in keys if key is not None)


def check_names(table: KeyTable, properties: Properties) -> Diagnostics:
    """Look whether the names that the property lists lead to keys; no key is loaded.

    Also told is what the documentation advises against: a key that several descriptors use, and a version
    other than 1.
    """
    diagnostics = Diagnostics()
    listed = properties.get(DESCRIPTOR_PROPERTY)

    if listed is None:
        diagnostics.warning(
            "no-descriptors",
            f"{DESCRIPTOR_PROPERTY} is not set: no encrypted PIN can be read",
            properties.source.start,
            remedy=f"set {DESCRIPTOR_PROPERTY} to the names of descriptors, separated by commas",
        )
        return diagnostics

    for name in _names(listed):
        if _resolve(name, listed, table, diagnostics) is not None:
            _advise(table.descriptors[name], table, diagnostics)

    return diagnostics


def _advise(descriptor: Descriptor, table: KeyTable, diagnostics: Diagnostics) -> None:
    others = [
        each.name
        for each in table.descriptors.values()
        if each.key == descriptor.key and each is not descriptor
    ]

    if others:
        diagnostics.warning(
            "shared-key",
            f"key {descriptor.key!r} is used by {descriptor.name!r} and by {', '.join(map(repr, others))}",
            descriptor.span,
            remedy="give each descriptor a key of its own",
        )

    if descriptor.version != "1":
        diagnostics.warning(
            "descriptor-version",
            f"descriptor {descriptor.name!r} has version {descriptor.version}",
            descriptor.span,
            remedy='write version="1": a descriptor for decrypting PINs has no versions',
        )


def _names(listed: Property) -> list[str]:
    return [name for piece in listed.value.split(",") if (name := piece.strip())]


def _resolve(name: str, listed: Property, table: KeyTable, diagnostics: Diagnostics) -> KeyEntry | None:
    descriptor = table.descriptors.get(name)

    if descriptor is None:
        diagnostics.error(
            "unknown-descriptor",
            f"no descriptor is called {name!r}",
            _place(name, listed.span),
            expected="names of descriptors, not of keys",
            remedy=_meant(name, table) or closest(name, table.descriptors),
        )
        return None

    _require_plain_rsa(descriptor, diagnostics)

    if (entry := table.keys.get(descriptor.key)) is None:
        diagnostics.error(
            "unknown-key",
            f"descriptor {name!r} names key {descriptor.key!r}, which isn't there",
            descriptor.span,
            remedy=closest(descriptor.key, table.keys) or f"add a <key name={descriptor.key!r}>",
        )

    return entry


def _place(name: str, listed: Span) -> Span:
    """Return the name's own place in a list on one line, else the list's."""
    at = listed.source.line(listed.line).find(name, listed.column - 1)
    return listed.source.span(listed.line, at + 1, len(name)) if at >= 0 else listed


def _meant(name: str, table: KeyTable) -> str:
    users = (found.name for found in table.descriptors.values() if found.key.casefold() == name.casefold())
    meant = next(users, None)
    return f"{name!r} is a key; the descriptor that uses it is {meant!r}" if meant else ""


def _require_plain_rsa(descriptor: Descriptor, diagnostics: Diagnostics) -> None:
    if descriptor.algorithm != "RSA":
        diagnostics.error(
            "not-rsa",
            f"descriptor {descriptor.name!r} has algorithm {descriptor.algorithm!r}",
            descriptor.span,
            expected='algorithm="RSA"',
        )

    if descriptor.parameters:
        diagnostics.error(
            "further-parameters",
            f"descriptor {descriptor.name!r} has further parameters: {', '.join(descriptor.parameters)}",
            descriptor.span,
            remedy="for decrypting PINs, algorithm and key stand alone",
        )


def _load(entry: KeyEntry, configuration: KeyConfiguration, diagnostics: Diagnostics) -> DecryptionKey | None:
    loader = _LOADERS.get(entry.kind.casefold())

    if loader is None:
        diagnostics.error(
            "unknown-key-type",
            f"key {entry.name!r} is of type {entry.kind!r}",
            entry.span,
            expected="pkcs12 or HSM",
        )
        return None

    return loader(entry, configuration, diagnostics)


def _load_hsm(entry: KeyEntry, _: KeyConfiguration, diagnostics: Diagnostics) -> DecryptionKey | None:
    if not entry.slot.isdecimal() or not entry.alias:
        diagnostics.error(
            "incomplete-hsm-key",
            f"key {entry.name!r}: a key in an HSM is named by slot and alias",
            entry.span,
            expected='slot="NUMBER" alias="LABEL"',
        )
        return None

    try:
        return HsmKey(entry)
    except HsmError as error:
        diagnostics.error(
            "unusable-hsm-key",
            f"key {entry.name!r} in the HSM cannot be used: {error}",
            entry.span,
            remedy="locationValue is the path of its PKCS#11 library; pin, slot and alias lead to the key",
        )
        return None


def _load_pkcs12(
    entry: KeyEntry, configuration: KeyConfiguration, diagnostics: Diagnostics
) -> DecryptionKey | None:
    path = _find(entry.location, configuration)

    if path is None:
        places = (
            ", ".join((*configuration.mounted, *map(str, configuration.classpath))) or "no folder is given"
        )
        diagnostics.error(
            "missing-key-file",
            f"key {entry.name!r}: {entry.location} is not found",
            entry.span,
            remedy=f"{_CLASSPATH} stands for: {places}",
        )
        return None

    try:
        key = _open_pkcs12(path.read_bytes(), entry.pin.reveal() or None)
    except (ValueError, OSError, InvalidVersion, UnsupportedAlgorithm):
        diagnostics.error(
            "unreadable-key-file",
            f"key {entry.name!r}: {path.name} is broken, or its PIN is wrong",
            entry.span,
            expected="a PKCS#12 file that the attribute pin opens",
        )
        return None

    if not isinstance(key, RSAPrivateKey):
        diagnostics.error(
            "not-rsa",
            f"key {entry.name!r}: {path.name} holds no RSA key",
            entry.span,
            expected="the private key of a PIN encryption certificate, which is RSA",
        )
        return None

    return RsaDecryptionKey(key)


def _open_pkcs12(content: bytes, password: bytes | None) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # BER instead of DER, which older tools write, is fine
        key, _, _ = pkcs12.load_key_and_certificates(content, password)
        return key


def _find(location: str, configuration: KeyConfiguration) -> Path | None:
    if not location.startswith(_CLASSPATH):
        path = Path(location)
        return path if path.is_file() else None

    name = PurePosixPath(location.removeprefix(_CLASSPATH).lstrip("/"))
    mounted = configuration.mounted.get(str(name))
    places = [mounted] if mounted is not None else [folder / name for folder in configuration.classpath]
    return next((place for place in places if place.is_file()), None)


_LOADERS: Final[dict[str, Callable[[KeyEntry, KeyConfiguration, Diagnostics], DecryptionKey | None]]] = {
    "pkcs12": _load_pkcs12,
    "hsm": _load_hsm,
}
