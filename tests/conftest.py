"""What all tests share."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    import pytest

THOROUGH = os.environ.get("CARDTWIN_THOROUGH", "") in {
    "",
    f"{sys.version_info.major}.{sys.version_info.minor}",
}
"""Whether this Python looks at everything: where several run the tests, ./check says which one does."""

# A busy machine is no failure: pytest-timeout sees to what hangs.
settings.register_profile("cardtwin", deadline=None)

# One Python searches: what the others may differ in shows in a few examples.
settings.register_profile("few", parent=settings.get_profile("cardtwin"), max_examples=15)
settings.load_profile("cardtwin" if THOROUGH else "few")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to one Python what takes long and is the same on all."""
    if THOROUGH:
        return

    left_out = [item for item in items if item.get_closest_marker("thorough")]
    items[:] = [item for item in items if not item.get_closest_marker("thorough")]
    config.hook.pytest_deselected(items=left_out)
