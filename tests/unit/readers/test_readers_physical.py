from __future__ import annotations

import sys

import pytest

from cardtwin.readers import PyscardMissingError

MODULES = ("scard", "features", "connection", "context")


def test_without_pyscard_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("", *(f".{module}" for module in MODULES)):
        monkeypatch.delitem(sys.modules, f"cardtwin.readers.physical{name}", raising=False)

    monkeypatch.setitem(sys.modules, "smartcard", None)

    with pytest.raises(PyscardMissingError, match=r"cardtwin\[pcsc\]"):
        import cardtwin.readers.physical  # noqa: F401, PLC0415  # the import is what is tested
