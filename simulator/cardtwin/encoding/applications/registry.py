"""One application while it runs, and the table of what applications can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.encoding.applications.session import MAIN, SIGNATURE
from cardtwin.encoding.errors import ApplicationError
from cardtwin.encoding.values import Label, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.encoding.applications.session import SlotSession
    from cardtwin.encoding.description import Application, Setting
    from cardtwin.encoding.run import Run

__all__ = ["PARTS", "ApplicationRun", "Part", "part"]

_SIGNATURE: Final = "signature"


@dataclass(frozen=True, slots=True)
class ApplicationRun:
    """What a part of an application works with.

    Attributes:
        run: The encoding.
        application: The application.
        slots: The sessions with the reader's slots.
    """

    run: Run
    application: Application
    slots: Mapping[int, SlotSession]

    @property
    def session(self) -> SlotSession:
        """The session with the slot that Location names.

        Raises:
            ApplicationError: The token has no signature slot.
        """
        place = SIGNATURE if self.text("Location").casefold() == _SIGNATURE else MAIN

        if place not in self.slots:
            raise ApplicationError(f"[Application_{self.application.name}]: the token has no signature slot")

        return self.slots[place]

    def setting(self, name: str) -> Setting | None:
        """Return the setting of a keyword, or None."""
        return self.application.settings.get(name)

    def text(self, name: str) -> str:
        """Return the text that a keyword amounts to; empty where it isn't there."""
        setting = self.setting(name)

        if setting is None:
            return ""

        match setting.value:
            case Text(text):
                return text
            case Label(parts):
                return "".join(each if isinstance(each, str) else self.run.job.text(each) for each in parts)
            case value:
                return self.run.job.text(value)

    @property
    def serial(self) -> str:
        """The card serial number that CardSerialNumberField gives; empty without one."""
        setting = self.setting("CardSerialNumberField")
        return "" if setting is None else self.run.serial_of(setting)


@dataclass(frozen=True, slots=True)
class Part:
    """Something that an application can do: its name, when it applies, and what it does."""

    name: str
    applies: Callable[[Application], bool]
    carry_out: Callable[[ApplicationRun], None]


PARTS: Final[list[Part]] = []


def part(
    name: str, applies: Callable[[Application], bool]
) -> Callable[[Callable[[ApplicationRun], None]], Callable[[ApplicationRun], None]]:
    """Register a part; within an application, parts are done in the order of entry."""

    def register(carry_out: Callable[[ApplicationRun], None]) -> Callable[[ApplicationRun], None]:
        PARTS.append(Part(name, applies, carry_out))
        return carry_out

    return register
