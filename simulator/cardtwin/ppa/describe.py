"""A plan as plain data: what would be written to a card, for people and for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cardtwin.plan import ChipSerial, PublicKeyForm, PublicKeyOf, Wrapped
from cardtwin.ppa.card_models import family_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.plan import (
        Access,
        Content,
        DirectoryPlan,
        FilePlan,
        KeyPlan,
        Operation,
        Part,
        PinPlan,
        Plan,
        Secret,
    )

__all__ = ["describe"]

_MASK: Final = "***"
_LENGTHS: Final = {PublicKeyForm.KEY_ID: 20}


def describe(plan: Plan, *, show_secrets: bool = False) -> dict[str, Any]:
    """Return what a plan amounts to as data that JSON can hold.

    File contents are hexadecimal; what only a card knows stands in angle brackets, such as ``<chip serial>``,
    and so does a length that depends on it. Sizes are in bytes, those of keys in bits.

    Args:
        plan: The plan.
        show_secrets: Show PINs as text, or as hexadecimal where they are none; otherwise they are masked.
    """
    return {
        "source": plan.source,
        "card_model": plan.card_model,
        "card_family": family_of(plan.card_model),
        "profile_name": plan.profile_name,
        "eraseable": plan.eraseable,
        "burn_fuse": plan.burn_fuse,
        "erase_access": str(plan.erase_access),
        "irreversible": plan.irreversible,
        "label_written": plan.label_written,
        "directories": [_directory(path, found) for path, found in _directories(plan.root)],
        "files": [_file(path, found) for path, found in plan.root.walk()],
        "pins": [_pin(pin, show_secrets=show_secrets) for pin in plan.pins],
        "keys": [_key(key) for key in plan.keys],
    }


def _directories(
    directory: DirectoryPlan, above: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], DirectoryPlan]]:
    here = (*above, directory.file_id)
    yield here, directory

    for child in directory.directories:
        yield from _directories(child, here)


def _directory(path: tuple[int, ...], directory: DirectoryPlan) -> dict[str, Any]:
    return {
        "path": _path(path),
        "name": directory.name,
        "size": directory.size,
        "aid": directory.aid.hex().upper(),
        "access": _access(directory.access),
    }


def _file(path: tuple[int, ...], file: FilePlan) -> dict[str, Any]:
    return {
        "path": _path(path),
        "name": file.name,
        "size": file.size,
        "access": _access(file.access),
        "content": None if file.content is None else _content(file.content),
    }


def _pin(pin: PinPlan, *, show_secrets: bool) -> dict[str, Any]:
    return {
        "name": pin.name,
        "role": pin.role.value,
        "value": _shown(pin.value) if show_secrets else _MASK,
        "reference": pin.reference,
        "label": pin.label,
        "min_length": pin.min_length,
        "max_length": pin.max_length,
        "stored_length": pin.stored_length,
        "pad": f"{pin.pad:02X}",
        "tries": pin.tries,
        "unblocked_by": pin.unblocked_by.value if pin.unblocked_by else None,
        "so": pin.so,
        "slot": pin.slot,
    }


def _key(key: KeyPlan) -> dict[str, Any]:
    return {
        "name": key.name,
        "reference": key.reference,
        "directory": _path(key.directory),
        "algorithm": key.algorithm.value,
        "size": key.size,
        "use": [use.name for use in key.use],
        "access": str(key.access),
        "generate": key.generate,
    }


def _path(path: tuple[int, ...]) -> str:
    return "/".join(f"{file_id:04X}" for file_id in path)


def _access(conditions: Mapping[Operation, Access]) -> dict[str, str]:
    return {operation.value: str(condition) for operation, condition in conditions.items()}


def _shown(secret: Secret) -> str:
    value = secret.reveal()
    return (
        value.decode() if value.isascii() and value.decode().isprintable() else f"0x{{{value.hex().upper()}}}"
    )


# Contents


def _content(content: Content) -> str:
    return "".join(_text(part) for part in content.parts)


def _text(part: Part) -> str:
    match part:
        case bytes():
            return part.hex().upper()
        case ChipSerial():
            return "<chip serial>"
        case PublicKeyOf(key, PublicKeyForm.KEY_ID):
            return f"<key id of {key}>"
        case PublicKeyOf(key, form):
            return f"<{form.value} of {key}>"
        case Wrapped(tag, parts):
            inner = "".join(_text(each) for each in parts)
            return f"{_tag(tag)}{_length(_lengths(parts))}{inner}"


def _tag(tag: int) -> str:
    digits = f"{tag:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


def _lengths(parts: tuple[Part, ...]) -> int | None:
    """Return how many bytes the parts make, or None if only the card knows."""
    lengths = [_part_length(part) for part in parts]
    known = [length for length in lengths if length is not None]
    return sum(known) if len(known) == len(lengths) else None


def _part_length(part: Part) -> int | None:
    match part:
        case bytes():
            return len(part)
        case PublicKeyOf(form=form):
            return _LENGTHS.get(form)
        case Wrapped(tag, parts):
            inner = _lengths(parts)
            return None if inner is None else len(_tag(tag) + _length(inner)) // 2 + inner
        case _:
            return None


def _length(length: int | None) -> str:
    """Return a BER length field (ISO/IEC 7816-4:2020, 6.3.2)."""
    if length is None:
        return "<length>"

    if length < 0x80:
        return f"{length:02X}"

    digits = length.to_bytes((length.bit_length() + 7) // 8)
    return f"{0x80 | len(digits):02X}{digits.hex().upper()}"
