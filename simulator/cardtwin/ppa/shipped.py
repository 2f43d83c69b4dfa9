"""The card profiles that come with cardtwin, by the card models that they are for.

A profile is for a card family, and is called after one model of it: ``cardos-5.3-full`` suits each CardOS 5.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cardtwin.ppa import card_models

__all__ = ["shipped_profile", "shipped_profiles"]

_FOLDER: Final = Path(__file__).resolve().parent / "profiles"
_SUFFIX: Final = ".cpf"


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
    """Return the files for a card model by name: those called after it, then those of its family."""
    family = _family(model)
    found: dict[str, Path] = {}

    for path in sorted(_FOLDER.glob(f"*{_SUFFIX}")):
        owner, _, name = path.stem.rpartition("-")

        if owner == model or (_family(owner) == family and name not in found):
            found[name] = path

    return found


def _family(model: str) -> str:
    """Return the card family of a model: the name of one begins with that of the other."""
    families = (each for each in card_models.families() if model.startswith((f"{each}.", f"{each}-")))
    return max(families, key=len, default=model)
