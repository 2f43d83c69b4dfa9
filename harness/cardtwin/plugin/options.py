"""The options that hold for all scenarios of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin.plugin.hardware import add_hardware_options, check_hardware_options
from cardtwin.plugin.proving import OPTION

if TYPE_CHECKING:
    from cardtwin.scenario.overrides import Overrides

__all__ = ["add_options", "check_options", "overrides_of"]


def add_options(group: pytest.OptionGroup) -> None:
    """Add the options to their group."""
    group.addoption(
        "--cardtwin-target", metavar="NAME", help="Run against this target, such as module or pcscd."
    )
    group.addoption(
        "--cardtwin-card", metavar="MODEL", help="Put this model into every reader that has a card."
    )
    group.addoption(
        "--cardtwin-quirk", metavar="Q", action="append", default=[], help="Switch a quirk on in every card."
    )
    add_hardware_options(group)
    group.addoption(
        OPTION, metavar="FILE", type=Path, help="Write which requirements are proved, for cardtwin coverage."
    )


def check_options(config: pytest.Config) -> None:
    """See that all that is named exists, and, unless tests are only collected, that a library can be loaded.

    Raises:
        pytest.UsageError: It doesn't.
    """
    check_hardware_options(config)

    if not any(config.getoption(f"--cardtwin-{name}") for name in ("target", "card", "quirk")):
        return

    from cardtwin.scenario.overrides import OverridesError  # noqa: PLC0415  # as in ScenarioFile.collect

    try:
        overrides_of(config).check(to_run=not config.option.collectonly)
    except OverridesError as error:
        raise pytest.UsageError(str(error)) from None


def overrides_of(config: pytest.Config) -> Overrides:
    """Return what the options put in the place of what scenarios say."""
    from cardtwin.scenario.overrides import Overrides  # noqa: PLC0415  # as in ScenarioFile.collect

    return Overrides(
        config.getoption("--cardtwin-target"),
        config.getoption("--cardtwin-card"),
        tuple(config.getoption("--cardtwin-quirk")),
    )
