"""Digital Access as the tests of this folder take it."""

from __future__ import annotations

import pytest

from support.access import World


@pytest.fixture
def world() -> World:
    """One method, one user, one certificate authority."""
    return World()
