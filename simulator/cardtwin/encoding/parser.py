"""Reads encoding descriptions (.dsc): sections, keywords, values, with every place kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.encoding import keywords
from cardtwin.encoding.description import Application, Description, Field, Setting, Settings
from cardtwin.encoding.forms import Cell, read_value
from cardtwin.encoding.keywords import SectionKind
from cardtwin.encoding.masking import LEFT_OUT, MaskedText
from cardtwin.source import Diagnostics, Note, Severity, closest, parse_ini

if TYPE_CHECKING:
    from cardtwin.encoding.keywords import Keyword
    from cardtwin.source import IniItem, IniSection, SourceText, Span

__all__ = ["parse"]

_SINGLE: Final = {
    kind.value.strip("[]").casefold(): kind for kind in SectionKind if kind is not SectionKind.APPLICATION
}
_SECTIONS: Final = ("Encoding", "Fields", "Description", "Application_A")
_NAMED: Final = f"[{'], ['.join(_SECTIONS)}]"
_MOST_ERRORS: Final = 100
_APPLICATION: Final = re.compile(r"Application_(\w+)", re.IGNORECASE)


def parse(source: SourceText, *, strict: bool = True) -> Description:
    """Read a description.

    Args:
        source: Its text.
        strict: Whether keywords and sections that nobody knows, and parts that are left out, are errors; else
            they are warnings.

    Raises:
        SourceError: It is wrong; carries all findings. Secrets in its lines are masked.
    """
    reader = _Reader(MaskedText(source), strict=strict)
    description = reader.read()
    reader.diagnostics.raise_errors()
    return description


class _Reader:
    def __init__(self, text: MaskedText, *, strict: bool) -> None:
        self.diagnostics = Diagnostics()
        self._text = text
        self._strict = strict
        self._fields: dict[str, Field] = {}

    def read(self) -> Description:
        source = self._text.source
        sections = self._sort(self._ini())

        for section in sections.get("fields", ()):
            self._read_fields(section)

        return Description(
            source,
            self._single(SectionKind.ENCODING, sections),
            tuple(self._fields.values()),
            self._single(SectionKind.DESCRIPTION, sections),
            self._applications(sections),
            tuple(found for found in self.diagnostics if found.severity is Severity.WARNING),
        )

    def _ini(self) -> tuple[IniSection, ...]:
        """Return the sections. A text without any is something else: that is told once, not line by line.

        Raises:
            SourceError: It is no encoding description.
        """
        broken = Diagnostics()
        source = self._text.source
        ini = parse_ini(source, broken, comments="#")

        if broken.errors and not ini.sections:
            self.diagnostics.error(
                "no-description",
                "this is no encoding description: it has lines, but no section",
                broken.errors[0].span,
                expected="[Encoding]",
                remedy=f"sections are {_NAMED}; see whether another file is meant",
            )
            self.diagnostics.raise_errors()

        for finding in broken:
            line = source.lines[finding.span.line - 1].strip()

            if finding.code == "bad-line" and line in LEFT_OUT:
                self._left_out(line, finding.span)
            else:
                self.diagnostics.add(finding)

        return ini.sections

    def _sort(self, sections: tuple[IniSection, ...]) -> dict[str, list[IniSection]]:
        """Return the sections by folded name; report those that are unknown or there twice."""
        sorted_: dict[str, list[IniSection]] = {}

        for section in sections:
            name = section.name.casefold()

            if name not in _SINGLE and not _APPLICATION.fullmatch(name):
                self._unknown(
                    "unknown-section",
                    f"[{section.name}] is no section of an encoding description",
                    section,
                    closest(section.name, _SECTIONS) or f"sections are {_NAMED}",
                )
            elif name in sorted_:
                first = Note("the first one", sorted_[name][0].span)
                message = f"[{section.name}] is there twice"
                self.diagnostics.error(
                    "duplicate-section",
                    message,
                    section.span,
                    remedy="put everything into one of them",
                    notes=(first,),
                )
            else:
                sorted_[name] = [section]

        return sorted_

    def _left_out(self, what: str, where: Span) -> None:
        report = self.diagnostics.error if self._strict else self.diagnostics.warning
        report(
            "left-out",
            f"{what} stands for what is left out",
            where,
            remedy="write what belongs there, or take it away: examples in the documentation leave parts out",
        )

    def _unknown(self, code: str, message: str, where: IniSection | IniItem, remedy: str) -> None:
        span = where.key_span if hasattr(where, "key_span") else where.span
        report = self.diagnostics.error if self._strict else self.diagnostics.warning
        report(code, message, span, remedy=remedy)

    def _read_fields(self, section: IniSection) -> None:
        for item in section.items:
            first = self._fields.get(item.key.casefold())

            if first is not None:
                notes = (Note("the first one", first.span),)
                self.diagnostics.error(
                    "duplicate-field",
                    f"field {item.key!r} is declared twice",
                    item.key_span,
                    remedy="take one of them away; case makes no difference",
                    notes=notes,
                )
                continue

            self._fields[item.key.casefold()] = Field(item.key, item.key_span)

            if item.value:
                self.diagnostics.warning(
                    "field-with-value",
                    f"what follows {item.key}= is not used",
                    item.value_span,
                    remedy="fields get their values from the process, by the field mapping",
                )

    def _single(self, kind: SectionKind, sections: dict[str, list[IniSection]]) -> Settings:
        found = sections.get(kind.value.strip("[]").casefold())

        if not found:
            source = self._text.source
            self.diagnostics.error(
                "missing-section",
                f"there is no {kind.value} section",
                source.start,
                remedy=f"add {kind.value}, with its keywords below it",
            )
            return Settings(source.start)

        return self._settings(kind, found[0])

    def _applications(self, sections: dict[str, list[IniSection]]) -> tuple[Application, ...]:
        return tuple(
            Application(match[1], self._settings(SectionKind.APPLICATION, section))
            for group in sections.values()
            for section in group
            if (match := _APPLICATION.fullmatch(section.name))
        )

    def _settings(self, kind: SectionKind, section: IniSection) -> Settings:
        settings: dict[str, Setting] = {}

        for item in section.items:
            self._give_up_at(item)
            setting = self._setting(kind, item)

            if setting is None:
                continue

            if (first := settings.get(setting.name)) is not None:
                self.diagnostics.error(
                    "duplicate-keyword",
                    f"{setting.name} is there twice",
                    setting.span,
                    remedy=_other_name(setting.keyword) + "take one of them away",
                    notes=(Note("the first one", first.span),),
                )
            else:
                settings[setting.name] = setting

        return Settings(section.span, tuple(settings.values()))

    def _give_up_at(self, item: IniItem) -> None:
        """End reading where there are too many errors to be of use."""
        if len(self.diagnostics.errors) < _MOST_ERRORS:
            return

        self.diagnostics.error(
            "too-many-errors",
            f"reading ends here, after {_MOST_ERRORS} errors",
            item.key_span,
            remedy="see whether another file is meant, or correct these first",
        )
        self.diagnostics.raise_errors()

    def _setting(self, kind: SectionKind, item: IniItem) -> Setting | None:
        keyword = keywords.find(kind, item.key)

        if keyword is None:
            message = f"{item.key!r} is no keyword of {kind.value}"
            self._unknown("unknown-keyword", message, item, _remedy(kind, item.key))
            return None

        text = self._text.value(item)

        if text in LEFT_OUT:
            self._left_out(text, item.value_span)
            return None

        value = read_value(
            Cell(
                keyword,
                text,
                item.value_span,
                self._fields,
                self.diagnostics,
                self._strict,
            )
        )
        return Setting(keyword, value, item.key_span, item.value_span) if value is not None else None


def _remedy(kind: SectionKind, name: str) -> str:
    for other in SectionKind:
        if other is not kind and (found := keywords.find(other, name)):
            return f"{found.name} belongs into {other.value}"

    known = [word for entry in keywords.keywords(kind) for word in (entry.name, *entry.aliases)]
    meant = next((word for word in known if _looks(word) == _looks(name)), None)

    if meant:
        return f"write {meant}, with the letter i where l stands"

    return closest(name, known) or f"leave it out; nothing like it is known in {kind.value}"


def _other_name(keyword: Keyword) -> str:
    names = " and ".join((keyword.name, *keyword.aliases))
    return f"{names} are the same; " if keyword.aliases else ""


def _looks(word: str) -> str:
    """Fold letters that look alike: the documentation itself prints useChipSerialAslccsn."""
    return word.casefold().replace("l", "i")
