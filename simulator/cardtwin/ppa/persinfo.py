"""What the PERSINFO functions gather: the profile's name, secrets in order, the blob."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardtwin.plan import Secret, SecretName
    from cardtwin.source import Span

__all__ = ["PersInfo"]


@dataclass(slots=True)
class PersInfo:
    """The encrypted PINs in the making.

    Attributes:
        profile_name: What PERSINFO_PUT_PROFILENAME was given.
        secrets: What PERSINFO_PUT_SEC was given, each with its place.
        encrypted: Where PERSINFO_ENCRYPT_SEC was called.
        blob: What it gave; None also where that failed.
        attempted: Whether PERSINFO_PUT_SEC was called, be it in vain.
    """

    profile_name: str = ""
    secrets: dict[SecretName, tuple[Secret, Span]] = field(default_factory=dict)
    encrypted: Span | None = None
    blob: bytes | None = None
    attempted: bool = False
