from __future__ import annotations

import sys
from importlib import import_module

import pytest

from cardtwin.readers import PyscardMissingError

MODULES = ("scard", "features", "connection", "context")


def test_without_pyscard_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("", *(f".{module}" for module in MODULES)):
        monkeypatch.delitem(sys.modules, f"cardtwin.readers.physical{name}", raising=False)

    monkeypatch.setitem(sys.modules, "smartcard", None)
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    physical = import_module("cardtwin.readers.physical")

    with pytest.raises(PyscardMissingError, match=r"cardtwin\[pcsc\]"):
        physical.PhysicalContext()


def test_the_package_can_be_looked_at_without_pyscard(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("", *(f".{module}" for module in MODULES)):
        monkeypatch.delitem(sys.modules, f"cardtwin.readers.physical{name}", raising=False)

    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    assert import_module("cardtwin.readers.physical").PhysicalContext.__doc__
