"""What options put in the place of what scenario files say, checked before anything runs."""

from __future__ import annotations

import click

from cardtwin.scenario.overrides import Overrides, OverridesError

__all__ = ["checked_overrides"]


def checked_overrides(
    target: str | None = None, card: str | None = None, quirks: tuple[str, ...] = (), *, to_run: bool = True
) -> Overrides:
    """Return what is given, all of which exists; a library of PKCS#11 can be loaded, if something is to run.

    Raises:
        click.UsageError: It doesn't, or it can't.
    """
    overrides = Overrides(target, card, quirks)

    try:
        overrides.check(to_run=to_run)
    except OverridesError as error:
        raise click.UsageError(str(error)) from None

    return overrides
