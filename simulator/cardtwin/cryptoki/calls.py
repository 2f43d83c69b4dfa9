"""How the C_* functions are written in Python, and how they are called.

A function takes the Application first, then an argument for each parameter that brings something, in C's
order; it returns what the parameters that want something get: nothing, one value, or a tuple. What is what,
:class:`cardtwin.cryptoki.functions.Kind` says::

    @function("C_GetSlotInfo")
    def get_slot_info(application: Application, slot_id: int) -> SlotInfo: ...

    @function("C_Login")
    def login(application: Application, session: int, user_type: int, pin: Secret | None) -> None: ...

    @function("C_Sign")
    def sign(
        application: Application, session: int, data: bytes, signature: Buffer[bytes]
    ) -> Answer[bytes]: ...

    @function("C_GenerateKeyPair")
    def generate_key_pair(
        application: Application,
        session: int,
        mechanism: Mechanism,
        public: tuple[Attribute, ...],
        private: tuple[Attribute, ...],
    ) -> tuple[int, int]: ...

Any other result than CKR_OK is raised, as CryptokiError or as the middleware's own MiddlewareError.
A NULL where the standard wants a pointer is answered with CKR_ARGUMENTS_BAD before the function is called.
C_Initialize, C_Finalize, C_GetFunctionList and C_GetInterface* are not written this way: C_Initialize makes
the Application, C_Finalize or the end of the program closes it.

One call of an application runs at a time, the others wait; a function registered with ``alone=False`` runs
beside others, and looks after its own locks.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from cardtwin.cryptoki.functions import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.cryptoki.functions import Function
    from cardtwin.middleware import Ckr

__all__ = ["Application", "Client", "Implementation", "Registry", "function", "registry"]


class Application(Protocol):
    """One program that has called C_Initialize: its sessions, handles, caches and view of the settings."""

    def abandon(self) -> None:
        """Let a call that is under way end soon: the program is gone, close() follows.

        May be called while another function runs, and more than once.
        """

    def close(self) -> None:
        """End what is waiting with CKR_CRYPTOKI_NOT_INITIALIZED, and let go of everything.

        Called once, by C_Finalize or when the program is gone; never while another function runs, but for
        those that wait. One of those may begin to wait a moment later: it is to be refused the same way.
        """

    def notes(self, name: str, rv: Ckr) -> bool:
        """Whether the program's own log is to tell of a call of that function which ended so."""

    def note(self, call: str, rv: Ckr, reason: str) -> None:
        """Tell the program's own log of a call: written as in C, secrets masked, and why it ended so."""


@dataclass(frozen=True, slots=True)
class Client:
    """The program at the other end.

    Attributes:
        pid: Its process; 0 where that is of another namespace.
        program: The name of its executable, such as ``java``, or the one it was told to go by.
    """

    pid: int
    program: str


F = TypeVar("F", bound="Callable[..., object]")


@dataclass(frozen=True, slots=True)
class Implementation:
    """A function of the table, and the Python function that does it."""

    function: Function
    run: Callable[..., object]
    alone: bool


class Registry:
    """The Python functions behind the C_* functions, by name. What has none is CKR_FUNCTION_NOT_SUPPORTED."""

    def __init__(self) -> None:
        self._implementations: dict[str, Implementation] = {}

    def function(self, name: str, *, alone: bool = True) -> Callable[[F], F]:
        """Register the decorated function for a C function.

        Args:
            name: The name in C.
            alone: Whether it waits for other calls of the application; False for what blocks.

        Raises:
            TypeError: There is no such function, it is taken, or it takes another number of arguments.
        """

        def register(run: F) -> F:
            self._add(name, run, alone=alone)
            return run

        return register

    def find(self, name: str) -> Implementation | None:
        """Return what is registered for a C function."""
        return self._implementations.get(name)

    def names(self) -> tuple[str, ...]:
        """Return the functions that are there, in the table's order."""
        return tuple(name for name in BY_NAME if name in self._implementations)

    def _add(self, name: str, run: Callable[..., object], *, alone: bool) -> None:
        found = BY_NAME.get(name)

        if found is None or found.local:
            raise TypeError(f"{name} is no function that can be written in Python")

        if name in self._implementations:
            raise TypeError(f"{name} is there twice")

        taken = len(inspect.signature(run).parameters)
        wanted = 1 + len(found.arguments)

        if taken != wanted:
            raise TypeError(f"{name} takes {wanted} arguments, the application included, and not {taken}")

        self._implementations[name] = Implementation(found, run, alone)


registry = Registry()
"""The functions of this package."""

function = registry.function
