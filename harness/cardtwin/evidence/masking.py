"""Known secrets kept out of evidence: as text, as hex, as the hash of what holds them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["SHORTEST", "Mask"]

SHORTEST: Final = 4
"""Bytes of the shortest secret that is looked for: PINs have no fewer, and fewer are found anywhere."""

_HIDDEN: Final = "***"
_OWN: Final = frozenset({"sha256", "begun", "ended", "atr", "serial"})
"""Keys whose values never come from a secret, and may look like one by chance."""


class Mask:
    """Replaces secrets in texts.

    Args:
        secrets: What is to be kept out.
    """

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._secrets = tuple(
            sorted({each for each in secrets if len(each) >= SHORTEST}, key=len, reverse=True)
        )
        self._forms = tuple(form for each in self._secrets for form in _forms(each))

    def holds(self, content: bytes) -> bool:
        """Tell whether a secret is in some content: its hash would be as good as the secret then."""
        return any(each in content for each in (*self._secrets, *map(str.encode, self._forms)))

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        for form in self._forms:
            text = text.replace(form, _HIDDEN)

        return text

    def value(self, value: Any) -> Any:
        """Return a value for JSON with all texts in it masked."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {
                    self.text(name): each if name in _OWN else self.value(each)
                    for name, each in value.items()
                }
            case list() | tuple():
                return [self.value(each) for each in value]
            case _:
                return value


def _forms(secret: bytes) -> Iterator[str]:
    """Yield how a secret may stand in a text."""
    with suppress(UnicodeDecodeError):
        yield secret.decode("utf-8")

    for text in (secret.hex(), secret.hex(" ")):
        yield text
        yield text.upper()
