"""Where secrets are in values, steps and instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.scenario.instance import Instance

__all__ = ["secrets_in", "secrets_of"]


def secrets_in(value: object) -> Iterator[bytes]:
    """Yield a secret, or all in a list, a mapping or a step."""
    match value:
        case Secret():
            yield value.reveal()
        case dict():
            for inner in value.values():
                yield from secrets_in(inner)
        case tuple():
            for inner in value:
                yield from secrets_in(inner)
        case BaseModel():
            for _, inner in value:
                yield from secrets_in(inner)
        case _:
            pass


def secrets_of(instance: Instance) -> frozenset[bytes]:
    """Return the secrets of an instance that are known before it runs."""
    steps = (spec.step for spec in instance.steps if spec.step is not None)
    return frozenset(each for value in (instance.secrets, *steps) for each in secrets_in(value))
