"""``cardtwin dsc``: encoding descriptions without a card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardtwin.cli.findings import collected, report, report_bytes
from cardtwin.encoding import RULES, is_package, parse, read_package
from cardtwin.encoding import check as check_description
from cardtwin.encoding.keys import (
    check_names,
    parse_key_table,
    parse_properties,
    parse_system_properties_json,
)
from cardtwin.provenance import Basis
from cardtwin.source import Diagnostics, SourceError, SourceText
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    from cardtwin.source import Diagnostic

__all__ = ["command"]


@click.group("dsc", short_help="Check encoding descriptions.")
def command() -> None:
    """Check encoding descriptions (.dsc, .dsz) and the keys for encrypted PINs, without a card."""


@command.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--attached",
    "attachments",
    multiple=True,
    metavar="NAME",
    help="A file that is attached; may be repeated.",
)
@click.option("--lenient", is_flag=True, help="Warn of keywords and sections that nobody knows.")
def check(paths: tuple[Path, ...], attachments: tuple[str, ...], *, lenient: bool) -> None:
    """Look for mistakes in descriptions. Without --attached it stays open which files are attached.

    Of a zipped description (.dsz) the files in it are known. Exit status 1 if there is an error, 2 if a file
    cannot be read.
    """
    report_bytes(
        paths, lambda name, data: _findings(name, data, attachments, strict=not lenient), _whose_rule
    )


def _whose_rule(finding: Diagnostic) -> str:
    """Return a line that says whether the documentation calls that wrong."""
    rule = RULES[finding.code]
    said = {
        Basis.STATED: f"the documentation says so: {rule.source}",
        Basis.INFERRED: f"follows from the documentation: {rule.source}",
        Basis.OURS: "cardtwin's own rule",
    }
    return f"  basis: {said[rule.basis]}\n"


def _findings(name: str, data: bytes, attachments: tuple[str, ...], *, strict: bool) -> Diagnostics:
    try:
        if not is_package(data):
            source, attached = SourceText(name, decode_text(data)), attachments or None
        else:
            package = read_package(name, data)
            source, attached = package.description, (*package.attachments, *attachments)

        return check_description(parse(source, strict=strict), attachments=attached)
    except SourceError as error:
        return collected(error)


@command.command("keys")
@click.argument("descriptors", type=click.Path(path_type=Path))
@click.argument("properties", type=click.Path(path_type=Path))
def keys(descriptors: Path, properties: Path) -> None:
    """Look whether the names in PROPERTIES lead to keys in DESCRIPTORS, which is engineSignEncrypt.xml.

    PROPERTIES is system.properties, or a file with the JSON of SYSTEM_PROPERTIES (.json). No key is loaded.
    Exit status as that of check.
    """

    def look(source: SourceText) -> Diagnostics:
        read = parse_system_properties_json if properties.suffix == ".json" else parse_properties

        try:
            return check_names(parse_key_table(SourceText.read(descriptors)), read(source))
        except SourceError as error:
            return collected(error)

    report((properties,), look)
