"""engineSignEncrypt.xml (signencrypt.xml in Docker): descriptors that name keys, and the keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from cardtwin.encoding.keys.xml import Element, parse_xml
from cardtwin.plan import Secret
from cardtwin.source import Diagnostics, Note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.source import SourceText, Span

__all__ = ["Descriptor", "KeyEntry", "KeyTable", "parse_key_table"]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A descriptor: a name for a way of using a key.

    Attributes:
        name: Its name.
        version: Its version, as text.
        algorithm: What the key is used for.
        key: The key's name.
        parameters: Further parameters, by name.
        span: Where it begins.
    """

    name: str
    version: str
    algorithm: str
    key: str
    parameters: Mapping[str, str]
    span: Span


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key: in a PKCS#12 file or in an HSM.

    Attributes:
        name: Its name.
        kind: ``pkcs12``, ``HSM`` or whatever the file says.
        location: The file, or the HSM's library.
        pin: What opens it.
        span: Where it begins.
        alias: What the key is called in an HSM.
        slot: The number of the HSM's slot.
    """

    name: str
    kind: str
    location: str
    span: Span
    pin: Secret = field(default_factory=lambda: Secret(b""))
    alias: str = ""
    slot: str = ""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """All descriptors and keys of a file, by name."""

    descriptors: Mapping[str, Descriptor]
    keys: Mapping[str, KeyEntry]


_Entry = TypeVar("_Entry", Descriptor, KeyEntry)


def parse_key_table(source: SourceText) -> KeyTable:
    """Read the file.

    Raises:
        SourceError: It is broken: no XML, a name missing or used twice, a descriptor without a type.
    """
    root = parse_xml(source)
    diagnostics = Diagnostics()

    if root.name != "engineSignEncrypt":
        diagnostics.error(
            "wrong-root", f"the root element is {root.name}", root.span, expected="engineSignEncrypt"
        )

    descriptors = [
        found
        for group in root.all("descriptors")
        for element in group.all("descriptor")
        if (found := _descriptor(element, diagnostics)) is not None
    ]
    keys = [
        entry
        for group in root.all("keys")
        for element in group.all("key")
        if (entry := _key(element, diagnostics)) is not None
    ]
    table = KeyTable(_by_name(descriptors, diagnostics), _by_name(keys, diagnostics))
    diagnostics.raise_errors()
    return table


def _descriptor(element: Element, diagnostics: Diagnostics) -> Descriptor | None:
    kind = _type_of(element, diagnostics)

    if kind is None:
        return None

    others = {name: value for name, value in kind.attributes.items() if name not in {"algorithm", "key"}}
    return Descriptor(
        element.get("name"),
        element.get("version") or "1",
        kind.get("algorithm"),
        kind.get("key"),
        others,
        kind.span,
    )


def _key(element: Element, diagnostics: Diagnostics) -> KeyEntry | None:
    kind = _type_of(element, diagnostics)

    if kind is None:
        return None

    return KeyEntry(
        element.get("name"),
        kind.get("name"),
        kind.get("locationValue"),
        kind.span,
        Secret.of(kind.get("pin")),
        kind.get("alias"),
        kind.get("slot"),
    )


def _type_of(element: Element, diagnostics: Diagnostics) -> Element | None:
    if not element.get("name"):
        diagnostics.error(
            "missing-name",
            f"this {element.name} has no name",
            element.span,
            expected=f'<{element.name} name="...">',
        )
        return None

    types = element.all("type")

    if len(types) != 1:
        diagnostics.error(
            "missing-type",
            f"{element.name} {element.get('name')!r} has {len(types) or 'no'} types",
            element.span,
            expected="one <type ...> in it",
        )
        return None

    return types[0]


def _by_name(entries: list[_Entry], diagnostics: Diagnostics) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}

    for entry in entries:
        if entry.name in found:
            note = Note("the first one", found[entry.name].span)
            diagnostics.error(
                "duplicate-name",
                f"{entry.name!r} is there twice",
                entry.span,
                remedy="give each a name of its own",
                notes=(note,),
            )

        found.setdefault(entry.name, entry)

    return found
