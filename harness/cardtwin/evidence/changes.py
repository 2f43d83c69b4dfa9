"""Cards before and after a run, as anybody may see them, and in what they differ."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from cardtwin.card import image as images
from cardtwin.card.chip.algorithms import KEY_CLASS
from cardtwin.card.memory import ObjectKey, path_text
from cardtwin.evidence.model import Aspect, CardSeen, FileChanged, FileState, FoundChange, TriesLeft
from cardtwin.targets.takeover import Read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.card import CardImage
    from cardtwin.evidence.masking import Mask
    from cardtwin.targets.takeover import FileFound, TakenCard

__all__ = ["found_change", "seen", "tries_kept", "tries_left"]

_CONDITIONS: Final = (0x86, 0x8B, 0x8C, 0xA1, 0xAB)
"""The tags that access conditions come in."""


def seen(card: TakenCard) -> CardSeen:
    """Return what a card tells anybody of itself."""
    unread = [path for path, found in card.files.items() if found.read in {Read.REFUSED, Read.PARTLY}]
    return CardSeen(
        model=card.model.name,
        atr=_hex(card.image.atr),
        serial=_hex(card.image.serial),
        protocol=card.protocol.name or "undefined",
        life_cycle=_words(card.image.life_cycle.name),
        files=len(card.files),
        unread=tuple(map(path_text, dict.fromkeys((*unread, *card.omitted)))),
        unlisted=tuple(map(path_text, card.unlisted)),
    )


def found_change(before: TakenCard, after: TakenCard, mask: Mask) -> FoundChange:
    """Return in what a card is otherwise than before."""
    return FoundChange(files=tuple(_files(before, after, mask)), others=tuple(_others(before, after)))


def tries_left(before: TakenCard | None, after: TakenCard | None) -> Iterator[TriesLeft]:
    """Yield the tries that a card tells of its PINs and keys."""
    told = [
        {} if card is None else {str(each.key): each.tries for each in card.credentials}
        for card in (before, after)
    ]

    for name in dict.fromkeys((*told[0], *told[1])):
        left, right = told[0].get(name), told[1].get(name)

        if left is not None or right is not None:
            yield TriesLeft(credential=name, told_by="card", before=left, after=right)


def tries_kept(before: CardImage | None, after: CardImage | None) -> Iterator[TriesLeft]:
    """Yield the tries that stand in an emulated card's memory."""
    kept = [
        {}
        if image is None
        else {str(key): each.tries_left for key, each in image.objects.items() if each.max_tries}
        for image in (before, after)
    ]

    for name in dict.fromkeys((*kept[0], *kept[1])):
        left, right = kept[0].get(name), kept[1].get(name)
        yield TriesLeft(credential=name, told_by="memory", before=left, after=right)


def _others(before: TakenCard, after: TakenCard) -> Iterator[Aspect]:
    """Yield the differences beside the files: properties and objects that the card tells, PINs and keys."""
    told = [_listed(card) for card in (before, after)]

    # Files are compared elsewhere; and what is assumed of PINs and keys in an image isn't told by the card.
    listed = {subject for each in told for subject in each}
    images_ = [
        replace(
            card.image,
            files={},
            objects={key: each for key, each in card.image.objects.items() if str(key) not in listed},
        )
        for card in (before, after)
    ]

    for found in images.compare(*images_):
        yield Aspect(subject=found.subject, before=found.before, after=found.after)

    for subject in sorted(listed):
        one, other = told[0].get(subject, ""), told[1].get(subject, "")

        if one != other:
            yield Aspect(subject=subject, before=one, after=other)


def _listed(card: TakenCard) -> dict[str, str]:
    """Return what is told of PINs and keys, by what they are called elsewhere in evidence."""
    pins = {
        str(each.key): " ".join(("key" if each.is_key else "PIN", repr(each.label) if each.label else ""))
        for each in card.credentials
    }
    keys = {
        str(ObjectKey(bytes.fromhex(key.df.replace("/", "")), KEY_CLASS, key.reference)): (
            f"private key {key.kind} {key.label!r}"
        )
        for key in card.keys
    }
    return {name: text.strip() for name, text in (pins | keys).items()}


def _files(before: TakenCard, after: TakenCard, mask: Mask) -> Iterator[FileChanged]:
    for path in sorted({*before.files, *after.files}):
        one, other = before.files.get(path), after.files.get(path)
        states = [None if found is None else _state(found, mask) for found in (one, other)]

        if states[0] == states[1] and _read(one) == _read(other):
            continue

        change: Literal["created", "deleted", "changed"] = (
            "created" if one is None else "deleted" if other is None else "changed"
        )
        yield FileChanged(path=path_text(path), change=change, before=states[0], after=states[1])


def _state(found: FileFound, mask: Mask) -> FileState:
    conditions = ((tag, found.control.get(tag)) for tag in _CONDITIONS)
    content = _read(found)
    told = found.read is Read.WHOLE and not mask.holds(content)
    return FileState(
        kind="DF" if found.is_df else "unknown" if found.kind is None else _words(found.kind.name),
        size=found.control.size,
        told_conditions="; ".join(
            f"{tag:02X}: {_hex(value)}" for tag, value in conditions if value is not None
        ),
        active=found.active,
        read=found.read.value,
        sha256=hashlib.sha256(content).hexdigest() if told else None,
    )


def _read(found: FileFound | None) -> bytes:
    return b"" if found is None else found.content or b"".join(found.records)


def _words(name: str) -> str:
    return name.replace("_", " ").lower()


def _hex(value: bytes) -> str:
    return value.hex(" ").upper()
