"""The process that an encoding runs in: its variables, its data pools, and how fields map to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EncryptedField",
    "FieldMapping",
    "PlainField",
    "PoolField",
    "PoolFieldValue",
    "Process",
    "ProcessVariable",
]

_POOL_FIELD: Final = re.compile(r"\$\{\s*([^{}\s]+)\s*\}")


@dataclass(frozen=True, slots=True)
class PlainField:
    """A field of a data pool whose value anybody sees."""

    value: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class EncryptedField:
    """A field of a data pool that is stored encrypted."""

    value: Secret = field(default_factory=lambda: Secret(b""))


PoolFieldValue = PlainField | EncryptedField


@dataclass(frozen=True, slots=True)
class PoolField:
    """A target in a data pool; `name` is the pool's name and the field's, as in ``Card_PukRef``."""

    name: str

    def __str__(self) -> str:
        return f"${{{self.name}}}"


@dataclass(frozen=True, slots=True)
class ProcessVariable:
    """A target among the process variables."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """What a description's field stands for.

    Attributes:
        target: A data pool's field, or a process variable.
        read: Whether what is read from the card goes there (the Read flag).
        write: Whether its value goes into the encoding (the Write flag).
    """

    target: PoolField | ProcessVariable
    read: bool = False
    write: bool = True

    @classmethod
    def of(cls, text: str, *, read: bool = False, write: bool = True) -> FieldMapping:
        """Return the mapping to a target as it is written: ``${DataPool_Field}``, or a variable's name.

        Raises:
            ValueError: It is neither.
        """
        if found := _POOL_FIELD.fullmatch(text):
            return cls(PoolField(found[1]), read, write)

        if not text.strip() or any(sign in text for sign in "${}"):
            raise ValueError(f"{text!r} is neither ${{DataPool_Field}} nor the name of a process variable")

        return cls(ProcessVariable(text.strip()), read, write)


@dataclass(frozen=True, slots=True)
class Process:
    """Values, immutable: an encoding gives back another process.

    Attributes:
        variables: Process variables by name.
        pools: Data-pool fields by pool and field name, as in ``Card_PukRef``.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    pools: Mapping[str, PoolFieldValue] = field(default_factory=dict)

    def value(self, target: PoolField | ProcessVariable) -> str | Secret | None:
        """Return the target's value; None where it doesn't exist."""
        if isinstance(target, ProcessVariable):
            return self.variables.get(target.name)

        found = self.pools.get(target.name)
        return found.value if found is not None else None

    def with_variable(self, name: str, value: str) -> Process:
        """Return the process with that variable set."""
        return replace(self, variables={**self.variables, name: value})

    def without_variable(self, name: str) -> Process:
        """Return the process without that variable."""
        return replace(self, variables={key: value for key, value in self.variables.items() if key != name})

    def with_value(self, target: PoolField | ProcessVariable, value: str | Secret) -> Process:
        """Return the process with that target set.

        Raises:
            KeyError: No data pool has that field.
            TypeError: A secret would go where anybody sees it.
        """
        if isinstance(target, PoolField) and target.name not in self.pools:
            raise KeyError(target.name)

        if isinstance(target, PoolField) and isinstance(self.pools.get(target.name), EncryptedField):
            secret = value if isinstance(value, Secret) else Secret.of(value)
            return replace(self, pools={**self.pools, target.name: EncryptedField(secret)})

        if isinstance(value, Secret):
            raise TypeError(f"{target} is not encrypted and takes no secret")

        if isinstance(target, ProcessVariable):
            return self.with_variable(target.name, value)

        return replace(self, pools={**self.pools, target.name: PlainField(value)})
