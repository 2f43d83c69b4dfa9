"""The card profiles that come with cardtwin, by the card model that they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["shipped_profile", "shipped_profiles"]

_FOLDER: Final = Path(__file__).resolve().parent / "profiles"
_SUFFIX: Final = ".cpf"


def shipped_profiles(model: str) -> tuple[str, ...]:
    """Return the names of the profiles for a card model, such as ``full``."""
    prefix = f"{model}-"
    stems = sorted(path.stem for path in _FOLDER.glob(f"*{_SUFFIX}"))
    return tuple(stem.removeprefix(prefix) for stem in stems if stem.startswith(prefix))


def shipped_profile(model: str, name: str) -> Path:
    """Return the file of a profile.

    Raises:
        KeyError: There is none of that name for the card model.
    """
    if name not in shipped_profiles(model):
        raise KeyError(name)

    return _FOLDER / f"{model}-{name}{_SUFFIX}"
