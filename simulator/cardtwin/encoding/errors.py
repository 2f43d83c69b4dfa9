"""Errors of encodings.

::

    EncodingError
    ├── MissingValueError      a field or dialog has no value
    ├── CardSelectionError     no card, or more than one, could be meant
    └── NoCardEraserError      DeleteProfile on a card without the object "Card Eraser"

A description or configuration that is wrong is a ``cardtwin.source.SourceError``; what the middleware or
the blob refuses is theirs.
"""

from __future__ import annotations

__all__ = ["CardSelectionError", "EncodingError", "MissingValueError", "NoCardEraserError"]


class EncodingError(Exception):
    """An encoding failed. The message holds no secret."""


class MissingValueError(EncodingError):
    """A field or a dialog has no value.

    Attributes:
        remedy: What gives it one.
    """

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(message)


class CardSelectionError(EncodingError):
    """No card, or more than one, could be meant."""


class NoCardEraserError(EncodingError):
    """The card shows no object "Card Eraser"."""
