"""What all tests share."""

from __future__ import annotations

import sys

from hypothesis import settings

# A busy machine is no failure: pytest-timeout sees to what hangs.
settings.register_profile("cardtwin", deadline=None)

# One Python searches: what the others may differ in shows in a few examples.
settings.register_profile("few", parent=settings.get_profile("cardtwin"), max_examples=15)
settings.load_profile("cardtwin" if sys.version_info >= (3, 13) else "few")
