"""What scenarios under pytest may do to physical cards.

The options are those of ``cardtwin run``, with the plugin's name in front.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.scenario import Instance
    from cardtwin.scenario.hardware_options import HardwareOptions
    from cardtwin.targets.hardware import Hardware

__all__ = [
    "StatesOfCards",
    "add_hardware_options",
    "check_hardware",
    "check_hardware_options",
    "in_options_of_pytest",
    "known_hardware",
]

_PREFIX: Final = "--cardtwin-"


def _tries(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of tries, which are one at least")

    return int(text)


_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "hardware": {
        "metavar": "FILE",
        "type": Path,
        "help": "The file of physical cards [$CARDTWIN_HARDWARE, or hardware.yaml].",
    },
    "allow-destructive": {"action": "store_true", "help": "Contents of physical cards may be deleted."},
    "allow-irreversible": {
        "metavar": "COMMAND",
        "action": "append",
        "default": [],
        "help": "This command may be sent though nothing leads back; may be repeated.",
    },
    "allow-unverified-commands": {
        "action": "store_true",
        "help": "Commands may be sent that no public source records for such a card.",
    },
    "known-tries": {"metavar": "N", "type": _tries, "help": "PINs have N tries left, if no card tells."},
    "ledger": {"metavar": "FOLDER", "type": Path, "help": "Where tries spent on physical cards are kept."},
}


_NAMED: Final = re.compile(rf"(?<![\w-])--(?=(?:{'|'.join([*_OPTIONS, 'target'])})(?![\w-]))")
"""An option of ``cardtwin run`` that pytest has as well, up to its name."""


def add_hardware_options(group: pytest.OptionGroup) -> None:
    """Add the options that say what may be done to physical cards."""
    for name, keywords in _OPTIONS.items():
        group.addoption(f"{_PREFIX}{name}", **keywords)


def check_hardware_options(config: pytest.Config) -> None:
    """Refuse options that nothing has a use for, or that can't be, before anything is collected.

    Raises:
        pytest.UsageError: There are such.
    """
    if not _is_asked(config):
        return

    from cardtwin.targets import is_physical  # noqa: PLC0415  # as in ScenarioFile.collect

    target = config.getoption("--cardtwin-target")

    if target is not None and not is_physical(target):
        _refuse(_asked(config))


def check_hardware(config: pytest.Config, instances: Sequence[Instance]) -> None:
    """See that scenarios can have what they need of physical cards, when it is known which are to run.

    Args:
        config: The run's.
        instances: Those on physical cards.

    Raises:
        pytest.UsageError: The hardware file is wrong, or options are given and nothing runs on such a card.
    """
    if not instances:
        if _is_asked(config):
            _refuse(_asked(config))

        return

    from cardtwin.source import SourceError  # noqa: PLC0415  # as in ScenarioFile.collect

    try:
        known_hardware(config, instances)
    except SourceError as error:
        raise pytest.UsageError(str(error)) from None
    except OSError as error:
        raise pytest.UsageError(f"{error.filename}: {error.strerror}") from None


def known_hardware(config: pytest.Config, instances: Sequence[Instance]) -> Hardware:
    """Return what is known of physical cards, and may be done to them.

    Raises:
        SourceError: The hardware file is wrong, or a PIN isn't where it says.
        OSError: The hardware file can't be read.
    """
    return _asked(config).known(instances, _nobody)


def in_options_of_pytest(told: str) -> str:
    """Return what was told about physical cards, with the options in it called as pytest has them."""
    return _NAMED.sub(_PREFIX, told)


class StatesOfCards:
    """Tells in what state an interrupt has left cards, in a worker of pytest-xdist: elsewhere pytest does."""

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell it, where the worker's user reads it."""
        for note in getattr(excinfo.value, "__notes__", ()):
            sys.stderr.write(f"{note}\n")


def _is_asked(config: pytest.Config) -> bool:
    """Whether one of the options is given; found out without importing anything."""
    return any(config.getoption(f"{_PREFIX}{name}") not in (None, [], False) for name in _OPTIONS)


def _asked(config: pytest.Config) -> HardwareOptions:
    from cardtwin.scenario.hardware_options import HardwareOptions  # noqa: PLC0415  # as above

    given = {name.replace("-", "_"): config.getoption(f"{_PREFIX}{name}") for name in _OPTIONS}
    return HardwareOptions(**{**given, "allow_irreversible": tuple(given["allow_irreversible"])})


def _refuse(asked: HardwareOptions) -> None:
    if asked.given:
        raise pytest.UsageError(f"{_PREFIX}{asked.given[0]} is for physical cards: {_PREFIX}target pcsc")


def _nobody(what: str) -> NoReturn:
    raise ValueError(f"{what}: pytest asks nobody")
