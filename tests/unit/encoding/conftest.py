from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.source import Diagnostics

if TYPE_CHECKING:
    from cardtwin.source import Diagnostic

OURS = (".dsc", ".xml", ".properties")


@pytest.fixture(autouse=True)
def every_finding_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test here finds wrong, the finding names what would be right, or a remedy."""
    add = Diagnostics.add

    def checked(diagnostics: Diagnostics, diagnostic: Diagnostic) -> None:
        ours = diagnostic.span.source.name.endswith(OURS)
        assert not ours or diagnostic.expected or diagnostic.remedy, diagnostic.render()
        add(diagnostics, diagnostic)

    monkeypatch.setattr(Diagnostics, "add", checked)
