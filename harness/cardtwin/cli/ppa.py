"""``cardtwin ppa``: card profiles without a card."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardtwin import ppa
from cardtwin.cli.files import fail, read_source
from cardtwin.cli.findings import collected, report
from cardtwin.cli.pairs import hidden_pairs, pairs, parameter
from cardtwin.entropy import SeededEntropy, SystemEntropy
from cardtwin.middleware import parse_certificate
from cardtwin.plan import Secret, SecretName
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.ppa.describe import describe
from cardtwin.source import Diagnostics, SourceError, SourceText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.x509 import Certificate

    from cardtwin.plan import Plan

__all__ = ["command"]

_BUILT_IN = "test-pin-certificate.crt"


@click.group("ppa", short_help="Check and evaluate card profiles.")
def command() -> None:
    """Check and evaluate card profiles (.cpf), without a card."""


@command.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(paths: tuple[Path, ...]) -> None:
    """Look for mistakes in profiles. A variable without a value counts as a parameter.

    Exit status 1 if there is an error, 2 if a file cannot be read.
    """
    report(paths, _findings)


def _findings(source: SourceText) -> Diagnostics:
    try:
        return ppa.check(ppa.parse(source), _environment(_certificate(None)))
    except SourceError as error:
        return collected(error)


@command.command("plan")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all contents in hex.")
@click.option(
    "--pin-cert", type=click.Path(path_type=Path), help="The PIN encryption certificate (PEM or DER)."
)
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="0x... is hex, else text.")
@click.option("--secret", "secrets", multiple=True, metavar="NAME=TEXT", help="PIN1, PUK, OP and so on.")
@click.option("--label", help="The token's label.")
@click.option("--seed", help="Draw random values from this, to get the same plan again.")
@click.option("--show-secrets", is_flag=True, help="Show PINs instead of masking them.")
def plan(
    *,
    path: Path,
    as_json: bool,
    pin_cert: Path | None,
    parameters: tuple[str, ...],
    secrets: tuple[str, ...],
    label: str | None,
    seed: str | None,
    show_secrets: bool,
) -> None:
    """Work out what a profile amounts to: what would be written to a card, byte for byte.

    What only a card knows stands in angle brackets. Exit status 1 if the profile is wrong. Values of --secret
    and --param are written env:VARIABLE, file:PATH, or as they are.
    """
    environment = _environment(
        _certificate(pin_cert),
        parameters={name: parameter(text, name=name) for name, text in pairs(parameters, "--param")},
        secrets={
            _secret_name(name): Secret.of(text) for name, text in hidden_pairs(secrets, "--secret").items()
        },
        label=label,
        seed=seed,
    )

    if pin_cert is None:
        click.echo(
            "cardtwin: without --pin-cert, PINs are encrypted to a built-in test certificate", err=True
        )

    warnings = Diagnostics()

    try:
        found = ppa.evaluate(ppa.parse(read_source(path)), environment, warnings)
    except SourceError as error:
        click.echo(str(error), err=True)
        sys.exit(1)

    for warning in warnings:
        click.echo(f"{warning.render()}\n", err=True)

    document = describe(found, show_secrets=show_secrets)
    click.echo(json.dumps(document, indent=2) if as_json else _outline(found))


def _outline(found: Plan) -> str:
    """Return a plan in short: one line for each thing that comes into being."""
    lines = [
        f"{found.source}: {found.profile_name or '(no profile name)'}, for {found.card_model}",
        f"erasable by: {found.erase_access}; fuse: {'burnt' if found.burn_fuse else 'intact'}",
    ]
    lines += [f"PIN {pin.reference:3}  {pin.role.value:5} {pin.label}" for pin in found.pins]
    lines += [f"key {key.reference:3}  {key.algorithm.value}-{key.size} {key.name}" for key in found.keys]
    lines += [
        f"file {'/'.join(f'{identifier:04X}' for identifier in path):15} {file.name}"
        for path, file in found.root.walk()
    ]
    return "\n".join(lines)


def _environment(
    certificate: Certificate,
    *,
    parameters: Mapping[str, bytes] | None = None,
    secrets: Mapping[SecretName, Secret] | None = None,
    label: str | None = None,
    seed: str | None = None,
) -> ppa.Environment:
    return ppa.Environment(
        entropy=SystemEntropy() if seed is None else SeededEntropy(seed, "profile"),
        codec=CmsPinBlobCodec(),
        certificate=certificate,
        parameters=parameters or {},
        secrets=secrets or {},
        label=label,
    )


def _certificate(path: Path | None) -> Certificate:
    try:
        data = (
            files("cardtwin.hosting").joinpath(_BUILT_IN).read_bytes() if path is None else path.read_bytes()
        )
    except OSError as error:
        fail(str(error))

    try:
        return parse_certificate(data)
    except ValueError:
        fail(f"{path} holds no X.509 certificate in PEM or DER")


def _secret_name(name: str) -> SecretName:
    try:
        return SecretName(name)
    except ValueError:
        known = ", ".join(SecretName)
        raise click.BadParameter(f"{name!r} is none of {known}", param_hint="--secret") from None
