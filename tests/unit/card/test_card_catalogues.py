"""The catalogues of card systems and models: what a family's module has is there with its package."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import CardModel, cos, models
from cardtwin.card.cos import CardSystem

if TYPE_CHECKING:
    from types import ModuleType


@pytest.mark.parametrize(("package", "kind"), [(cos, CardSystem), (models, CardModel)])
def test_what_a_family_s_module_has_is_in_its_package_and_in_the_catalogue(
    package: ModuleType, kind: type[CardSystem | CardModel]
) -> None:
    found = 0

    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, kind):
                found += 1
                assert name in package.__all__, info.name
                assert getattr(package, name) is value
                assert package.get(value.name) is value

    assert found > 10


def test_every_system_of_the_catalogue_has_a_model() -> None:
    systems = {getattr(cos, name).name for name in cos.__all__ if isinstance(getattr(cos, name), CardSystem)}
    assert {models.get(name).system for name in models.names()} == systems
