"""What is installed for each program of a scenario."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from cardtwin.middleware import Installation, configuration, pin_certificate
from cardtwin.provenance import Switches
from cardtwin.source import Diagnostics, SourceText
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cardtwin.middleware import ClientConfiguration
    from cardtwin.targets.interface import ProcessSetup, Setup

__all__ = ["client_configuration", "configuration_problems", "installation"]


def installation(process: ProcessSetup, setup: Setup, log_folder: Path) -> Installation:
    """Return what is installed for a program that writes its log files into a folder.

    Paths in iD2ppa.cfg are the ones of a Windows machine: the last part of each names a file of the scenario.
    """
    certificate = None

    if process.ppa_config is not None:
        source = _text(process.ppa_config, setup)
        certificate = pin_certificate(source, lambda path: _file(path, setup.files), Diagnostics())

    return Installation(certificate, process.bits, version=process.version, log_folder=log_folder)


def client_configuration(
    process: ProcessSetup, setup: Setup, diagnostics: Diagnostics, switches: Switches
) -> ClientConfiguration:
    """Return Personal.cfg as a program sees it; findings go to `diagnostics`."""
    system, user = (
        None if name is None else _text(name, setup) for name in (process.config, process.user_config)
    )
    return configuration.load(system, user, process.name, diagnostics, switches=switches)


def configuration_problems(setup: Setup) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is broken in the programs' Personal.cfg: the place in the scenario, and the finding."""
    for process in setup.processes.values():
        if not {process.config, process.user_config} - {None} <= setup.files.keys():
            continue  # told by whoever looks for the files

        found = Diagnostics()
        client_configuration(process, setup, found, Switches())

        for error in found.errors:
            key = "config" if error.span.source.name == process.config else "user_config"
            yield ("processes", process.name, key), f"{error}; expected: {error.expected}"


def _text(name: str, setup: Setup) -> SourceText:
    return SourceText(name, decode_text(setup.files[name]))


def _file(path: str, files: Mapping[str, bytes]) -> bytes:
    name = PureWindowsPath(path).name

    if name not in files:
        raise FileNotFoundError(2, "the scenario has no such file", path)

    return files[name]
