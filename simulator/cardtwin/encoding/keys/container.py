"""The same in a container: SYSTEM_PROPERTIES in its environment, and the files that are mounted into it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.keys.properties import Properties, parse_system_properties_json
from cardtwin.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CLASSES", "container_properties", "mounted_files"]

CLASSES: Final = PurePosixPath("/usr/local/tomcat/webapps/ROOT/WEB-INF/classes")
"""The folder in the container that ``classpath:`` stands for."""

_VARIABLE: Final = "SYSTEM_PROPERTIES"


def container_properties(environment: Mapping[str, str]) -> Properties:
    """Return the properties that the environment's SYSTEM_PROPERTIES has; none where it isn't set.

    Raises:
        SourceError: It is no JSON object of texts.
    """
    text = environment.get(_VARIABLE)
    source = SourceText(_VARIABLE, text or "")
    return Properties(source, ()) if text is None else parse_system_properties_json(source)


def mounted_files(volumes: Iterable[str]) -> dict[str, Path]:
    """Return what is mounted into the class path, by name there: ``HOST:CONTAINER``, ``HOST:CONTAINER:ro``.

    A folder that is mounted there, or above, gives no name: list the files, as the documentation does.

    Raises:
        ValueError: A volume is written otherwise.
    """
    found: dict[str, Path] = {}

    for volume in volumes:
        mapping = volume.removesuffix(":ro").removesuffix(":rw")
        outside, colon, inside = mapping.rpartition(":")

        if not colon or not outside or not PurePosixPath(inside).is_absolute():
            raise ValueError(f"{volume!r} is no volume HOST:CONTAINER, with :ro behind it or not")

        if PurePosixPath(inside).is_relative_to(CLASSES):
            found[str(PurePosixPath(inside).relative_to(CLASSES))] = Path(outside)

    return found
