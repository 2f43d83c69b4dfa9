"""The faults of a card, as a scenario file has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, PlainValidator, WithJsonSchema, model_validator

from cardtwin.scenario.values import SCALAR, Flag, Hex, Number, parse_number
from cardtwin.targets import FaultSetup

__all__ = ["FaultModel"]


def _parse_times(value: Any) -> int | None:
    return None if value == "always" else parse_number(value)


def _parse_seconds(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no number of seconds, such as 2 or 0.5") from None


Times = Annotated[
    int | None,
    PlainValidator(_parse_times),
    WithJsonSchema({"type": SCALAR, "description": "a number, or always"}),
]
Seconds = Annotated[
    float,
    PlainValidator(_parse_seconds),
    WithJsonSchema({"type": SCALAR, "description": "2 or 0.5"}),
]


class FaultModel(BaseModel):
    """What goes wrong with a card, and at which commands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    do: Literal["answer", "delay", "mute", "remove", "tear"]
    at: Hex = b""
    after: Number = 0
    times: Times = 1
    sw: Hex | None = None
    data: Hex | None = None
    seconds: Seconds | None = None
    writes: Number | None = None
    dead: Flag | None = None
    carried_out: Flag | None = None

    @model_validator(mode="after")
    def _keys_belong_together(self) -> Self:
        self.setup()
        return self

    def setup(self) -> FaultSetup:
        """Return it as targets know it.

        Raises:
            ValueError: A key is missing, belongs to another `do`, or has no possible value.
        """
        return FaultSetup(**dict(self))
