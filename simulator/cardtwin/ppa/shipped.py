"""The card profiles that come with cardtwin, by the card models that they are for.

A profile is for a card family, and is called after one model of it: ``cardos-5.3-full`` suits each CardOS 5.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["shipped_profile", "shipped_profiles"]

_FOLDER: Final = Path(__file__).resolve().parent / "profiles"
_SUFFIX: Final = ".cpf"

_CALLED_AFTER: Final = {
    "cardos-5.0": "cardos-5.3",
    "cardos-5.3-di": "cardos-5.3",
    "cardos-5.4": "cardos-5.3",
    "cosmo-7": "cosmo-8.2",
}
"""By model, after which other one its profiles are called. Likeness of names doesn't tell: cards of one maker
may have little in common."""


def shipped_profiles(model: str) -> tuple[str, ...]:
    """Return the names of the profiles for a card model, such as ``full``."""
    return tuple(sorted(_profiles(model)))


def shipped_profile(model: str, name: str) -> Path:
    """Return the file of a profile.

    Raises:
        KeyError: There is none of that name for the card model.
    """
    return _profiles(model)[name]


def _profiles(model: str) -> dict[str, Path]:
    """Return the files for a card model by name."""
    found: dict[str, Path] = {}

    for path in sorted(_FOLDER.glob(f"*{_SUFFIX}")):
        owner, _, name = path.stem.rpartition("-")

        if owner == _CALLED_AFTER.get(model, model):
            found[name] = path

    return found
