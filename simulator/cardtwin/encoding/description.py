"""An encoding description, read: sections, settings and fields, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.encoding.keywords import Keyword
    from cardtwin.encoding.values import Value
    from cardtwin.source import Diagnostic, SourceText, Span

__all__ = ["Application", "Description", "Field", "Setting", "Settings"]


@dataclass(frozen=True, slots=True)
class Field:
    """A name from [Fields]: what the process maps to values."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Setting:
    """One ``keyword=value``."""

    keyword: Keyword
    value: Value
    span: Span
    value_span: Span

    @property
    def name(self) -> str:
        """The keyword's name, as the table spells it."""
        return self.keyword.name


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one section, in the order of the text."""

    span: Span
    items: tuple[Setting, ...] = ()

    def __iter__(self) -> Iterator[Setting]:
        return iter(self.items)

    def get(self, name: str) -> Setting | None:
        """Return the setting of the keyword of that name (the table's spelling), or None."""
        return next((setting for setting in self.items if setting.name == name), None)

    def flag(self, name: str) -> bool:
        """Whether a flag is there and true."""
        setting = self.get(name)
        return setting is not None and getattr(setting.value, "on", False)


@dataclass(frozen=True, slots=True)
class Application:
    """One [Application_X]; `name` is what stands for X."""

    name: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Description:
    """A whole description.

    Attributes:
        source: Its text; literals of secrets are masked in it, as they are in every span.
        encoding: [Encoding].
        fields: [Fields].
        settings: [Description].
        applications: The [Application_X] sections, in the order of the text.
        warnings: What was noticed while reading and is no error.
    """

    source: SourceText
    encoding: Settings
    fields: tuple[Field, ...]
    settings: Settings
    applications: tuple[Application, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()

    def field(self, name: str) -> Field | None:
        """Return the field of that name, compared without regard to case."""
        folded = name.casefold()
        return next((field for field in self.fields if field.name.casefold() == folded), None)

    def __iter__(self) -> Iterator[Setting]:
        """Iterate over all settings of all sections."""
        yield from self.encoding
        yield from self.settings

        for application in self.applications:
            yield from application.settings
