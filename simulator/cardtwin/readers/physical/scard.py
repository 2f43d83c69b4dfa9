"""pyscard's functions of PC/SC, with errors raised instead of returned."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, NoReturn

from cardtwin.pcsc import PcscError
from cardtwin.readers.errors import PyscardMissingError

__all__ = ["called", "error_of", "scard"]

_CODE: Final = 0xFFFFFFFF


class _Missing:
    """Stands for pyscard where it is not installed, so that only who uses it is told."""

    def __getattr__(self, name: str) -> NoReturn:
        raise PyscardMissingError(
            "readers of the system are used through pyscard, which is not installed: "
            "pip install 'cardtwin[pcsc]'"
        )


def _loaded() -> Any:
    try:
        return import_module("smartcard.scard")
    except ImportError:
        return _Missing()


scard: Final = _loaded()
"""pyscard's module of PC/SC's functions and constants."""


def called(reader: str, function: Any, *arguments: object) -> tuple[Any, ...]:
    """Call a function and return what it gives beside its return value.

    Args:
        reader: The reader that it is about, for the error.
        function: The function.
        arguments: Its arguments.

    Raises:
        PcscError: Of the class that stands for the return value.
    """
    answer = function(*arguments)
    code, *results = answer if isinstance(answer, list | tuple) else (answer,)

    if code != scard.SCARD_S_SUCCESS:
        raise error_of(code & _CODE, reader)

    return tuple(results)


def error_of(code: int, reader: str) -> PcscError:
    """Return the error that a return value stands for; one that has no class of its own keeps its code."""
    found = _ERRORS.get(code)

    if found is not None:
        return found(reader)

    error = PcscError(reader, f"0x{code:08X}")
    error.code = code
    return error


_ERRORS: Final = {found.code: found for found in PcscError.__subclasses__()}
