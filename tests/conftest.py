"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no failure: pytest-timeout sees to what hangs.
settings.register_profile("cardtwin", deadline=None)
settings.load_profile("cardtwin")
