"""The C library, compiled once, in this very process, above a made-up token."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.cryptoki import Served, compiled, served
from support.pkcs11_module import Module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAGS = "CARDTWIN_TEST_FLAGS"
"""The environment variable with more flags for the compiler, such as those of sanitizers."""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the library."""
    return compiled(tmp_path_factory.mktemp("library"), *os.environ.get(FLAGS, "").split())


@pytest.fixture(scope="session")
def loaded(library: Path) -> Module:
    """Return the library, loaded into this process."""
    return Module(library)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Serve the made-up token to this process and its children."""
    with served() as token:
        for name, value in token.server.environment.items():
            monkeypatch.setenv(name, value)

        yield token


@pytest.fixture
def bare(loaded: Module) -> Iterator[Module]:
    """Return the library, not initialised; and leave it so."""
    yield loaded
    loaded.C_Finalize(None)


@pytest.fixture
def module(token: Served, bare: Module) -> Module:
    """Return the library, initialised, above the made-up token."""
    assert bare.C_Initialize(None) == 0
    return bare
