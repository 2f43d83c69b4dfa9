"""What is installed for each program of a scenario."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from cardtwin.middleware import Installation, pin_certificate
from cardtwin.source import Diagnostics, SourceText
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.targets.interface import ProcessSetup, Setup

__all__ = ["installation"]


def installation(process: ProcessSetup, setup: Setup) -> Installation:
    """Return what is installed for a program.

    Paths in iD2ppa.cfg are the ones of a Windows machine: the last part of each names a file of the scenario.
    """
    certificate = None

    if process.ppa_config is not None:
        source = SourceText(process.ppa_config, decode_text(setup.files[process.ppa_config]))
        certificate = pin_certificate(source, lambda path: _file(path, setup.files), Diagnostics())

    return Installation(certificate, process.bits)


def _file(path: str, files: Mapping[str, bytes]) -> bytes:
    name = PureWindowsPath(path).name

    if name not in files:
        raise FileNotFoundError(2, "the scenario has no such file", path)

    return files[name]
