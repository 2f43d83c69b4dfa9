"""Reading Personal.cfg: the system's and the user's, merged for one program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from cardtwin.middleware.configuration.keys import KEYS, PROGRAMS, SECTIONS, Key, mistake
from cardtwin.middleware.configuration.settings import ClientConfiguration, Layer, Setting
from cardtwin.provenance import Switches
from cardtwin.provenance.middleware import PROGRAM_OVER_USER
from cardtwin.source import Note, closest, parse_ini

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from cardtwin.source import Diagnostics, IniFile, IniItem, IniSection, SourceText

__all__ = ["load"]

# From the strongest to the weakest.
_ORDERS: Final = {
    "program": (Layer.USER_PROGRAM, Layer.SYSTEM_PROGRAM, Layer.USER, Layer.SYSTEM),
    "user": (Layer.USER_PROGRAM, Layer.USER, Layer.SYSTEM_PROGRAM, Layer.SYSTEM),
}
_SYSTEM: Final = (Layer.SYSTEM, Layer.SYSTEM_PROGRAM)
_USER: Final = (Layer.USER, Layer.USER_PROGRAM)


@dataclass(frozen=True, slots=True)
class _File:
    """A file, and the layers that its general sections and the programs' sections make."""

    ini: IniFile
    general: Layer
    program: Layer


def load(
    system: SourceText | None,
    user: SourceText | None,
    program: str,
    diagnostics: Diagnostics,
    *,
    switches: Switches | None = None,
) -> ClientConfiguration:
    """Return what both files amount to for a program.

    Args:
        system: The system's Personal.cfg; None where there is none.
        user: The user's, which wins key by key; None where there is none.
        program: The program's name, such as ``java.exe``, or a path to it: its last part counts, and case
            does not.
        diagnostics: Where findings go. A broken value is an error, and is passed over here as if it weren't
            written; what isn't known, and sections that don't count, are warnings.
        switches: Which rules hold where the sources leave a choice.
    """
    switches = switches or Switches()
    program = re.split(r"[/\\]", program)[-1]
    given = ((system, _SYSTEM), (user, _USER))
    files = [_File(parse_ini(text, diagnostics), *layers) for text, layers in given if text is not None]
    order = _ORDERS[switches[PROGRAM_OVER_USER]]
    listing = _setting(PROGRAMS, files, "", order)
    programs = _names(listing.value)
    before = set(diagnostics.warnings)
    _check(files, listing, diagnostics)
    own = program if program.casefold() in {name.casefold() for name in programs} else ""
    settings = [listing if key is PROGRAMS else _setting(key, files, own, order) for key in KEYS]
    warnings = [str(warning) for warning in diagnostics.warnings if warning not in before]
    return ClientConfiguration.of(program, settings, switches, warnings)


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(";") if name.strip())


def _setting(key: Key, files: Sequence[_File], program: str, order: Iterable[Layer]) -> Setting:
    """Return a key's value by the strongest layer that has one; `program` is empty without a section."""
    for layer in order:
        items = [item for item in _items(key, files, program, layer) if not mistake(key, item.value)]
        counting = items if key.repeatable else items[-1:]

        if counting:
            values = tuple(item.value for item in counting)
            return Setting(key, values, layer, tuple(item.key_span for item in counting))

    return Setting(key, (key.default,), Layer.DEFAULT)


def _items(key: Key, files: Iterable[_File], program: str, layer: Layer) -> Iterator[IniItem]:
    for file in files:
        if layer is file.general:
            sections = file.ini.find(key.section)
        elif layer is file.program and program and key.per_program:
            sections = _own_sections(file, program)
        else:
            continue

        yield from chain.from_iterable(section.find(key.name) for section in sections)


def _own_sections(file: _File, program: str) -> tuple[IniSection, ...]:
    """Return a program's sections; a general section is none, whatever programs are called."""
    return () if _is_general(program) else file.ini.find(program)


def _is_general(section: str) -> bool:
    return section.casefold() in {name.casefold() for name in SECTIONS}


def _check(files: Sequence[_File], listing: Setting, diagnostics: Diagnostics) -> None:
    listed = _names(listing.value)
    known = {name.casefold() for name in listed}
    sections = [section for file in files for section in file.ini.sections if not _is_general(section.name)]
    there = {section.name.casefold() for section in sections}
    missing = [name for name in listed if name.casefold() not in there]
    spare = [section.name for section in sections if section.name.casefold() not in known]

    for file in files:
        for section in file.ini.sections:
            if _is_general(section.name) or section.name.casefold() in known:
                _check_section(section, diagnostics)
            else:
                _not_listed(section, missing, diagnostics)

        _check_repeated(file, known, diagnostics)

    for name in missing:
        diagnostics.warning(
            "no-such-section",
            f"{PROGRAMS.name} lists {name!r}, and no section [{name}] is there",
            listing.places[-1],
            remedy=closest(name, spare) or "write the section, or take the name out",
        )


def _check_section(section: IniSection, diagnostics: Diagnostics) -> None:
    folded = section.name.casefold()
    allowed = [key for key in KEYS if key.section.casefold() == folded]
    allowed = allowed or [key for key in KEYS if key.per_program]

    for item in section.items:
        _check_item(item, section, allowed, diagnostics)


def _check_repeated(file: _File, programs: AbstractSet[str], diagnostics: Diagnostics) -> None:
    """Tell of keys that a section of the file has twice; sections of one name are one."""
    seen: dict[tuple[str, str], IniItem] = {}
    once = {key.name.casefold() for key in KEYS if not key.repeatable}

    for section in file.ini.sections:
        name = section.name.casefold()

        if not (_is_general(name) or name in programs):
            continue

        for item in section.items:
            place = (name, item.key.casefold())

            if place in seen and place[1] in once:
                diagnostics.warning(
                    "repeated-key",
                    f"{item.key} stands here again; the last line counts",
                    item.key_span,
                    remedy="take one of them out",
                    notes=(Note("the line before", seen[place].key_span),),
                )

            seen[place] = item


def _check_item(item: IniItem, section: IniSection, allowed: Sequence[Key], diagnostics: Diagnostics) -> None:
    key = next((key for key in allowed if key.name.casefold() == item.key.casefold()), None)

    if key is None:
        _unknown_key(item, section, allowed, diagnostics)
    elif wrong := mistake(key, item.value):
        diagnostics.error(
            "bad-value", f"{key.name}: {wrong}", item.value_span, expected=key.form.value, remedy=_REMEDY
        )


_REMEDY: Final = "correct the value, or take the line out"


def _unknown_key(
    item: IniItem, section: IniSection, allowed: Sequence[Key], diagnostics: Diagnostics
) -> None:
    elsewhere = next((key for key in KEYS if key.name.casefold() == item.key.casefold()), None)

    if elsewhere is not None:
        message = f"{elsewhere.name} doesn't count in [{section.name}]"
        remedy = f"write it into [{elsewhere.section}]"
    else:
        message = f"{item.key!r} is not known in [{section.name}], and nothing follows from it"
        remedy = closest(item.key, (key.name for key in allowed))

    diagnostics.warning("unknown-key", message, item.key_span, remedy=remedy)


def _not_listed(section: IniSection, missing: Sequence[str], diagnostics: Diagnostics) -> None:
    """Tell of a section that doesn't count: a program's, by its name or its keys, or one of no meaning.

    Args:
        section: The section.
        missing: Programs that are listed and have no section.
        diagnostics: Where it is told.
    """
    per_program = (key.name for key in KEYS if key.per_program)

    if section.name.casefold().endswith(".exe") or any(section.find(name) for name in per_program):
        diagnostics.warning(
            "section-not-listed",
            f"[{section.name}] is not in {PROGRAMS.name}, and doesn't count",
            section.span,
            remedy=closest(section.name, missing)
            or f"add {section.name} to {PROGRAMS.name} in [{PROGRAMS.section}]",
        )
    else:
        diagnostics.warning(
            "unknown-section",
            f"[{section.name}] is not known, and nothing follows from it",
            section.span,
            remedy=closest(section.name, (*SECTIONS, *missing)),
        )
