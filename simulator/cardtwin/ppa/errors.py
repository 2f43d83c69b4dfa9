"""What goes wrong beside the profile. A mistake in a profile is a :class:`cardtwin.source.SourceError`.

PpaError
├── UnknownCardModelError
├── RegistrationError
└── RejectedError
"""

from __future__ import annotations

from cardtwin.source import closest

__all__ = ["PpaError", "RegistrationError", "RejectedError", "UnknownCardModelError"]


class PpaError(Exception):
    """The root of the package's exceptions."""


class UnknownCardModelError(PpaError, ValueError):
    """A card model was asked for that the table doesn't have.

    Attributes:
        name: The name.
        known: The names that the table has.
        remedy: The known name most like it, as a question; may be empty.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.known = known
        self.remedy = closest(name, known)
        super().__init__(f"card model {name!r} is not known; known are {', '.join(map(repr, known))}")


class RegistrationError(PpaError):
    """A name was registered twice, or an entry point cannot be loaded."""


class RejectedError(PpaError):
    """A statement cannot be carried out. Why has been reported; the evaluation goes on with the next one.

    Never leaves the package: see :meth:`cardtwin.ppa.run.Run.reject`.
    """
