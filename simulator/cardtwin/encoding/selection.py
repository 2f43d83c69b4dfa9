"""Which of the cards in the readers is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.encoding.errors import CardSelectionError
from cardtwin.middleware import Ckr, MiddlewareError
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from cardtwin.encoding.checks import Scope
    from cardtwin.encoding.job import Job
    from cardtwin.encoding.token import TokenMiddleware

__all__ = ["all_card_numbers", "card_number", "select_reader"]

_NOT_MEANT: Final = frozenset({Ckr.CKR_TOKEN_NOT_PRESENT, Ckr.CKR_TOKEN_NOT_RECOGNIZED})


def card_number(middleware: TokenMiddleware, reader: str, scope: Scope) -> str:
    """Return the card's ICCSN, with the ATR after a hyphen where UseICCSNwithATR wants it.

    It is the chip's serial number in upper-case hexadecimal, unless another was written on the card; with
    useChipSerialAsIccsn it is the chip's all the same.
    """
    if scope.flag("useChipSerialAsIccsn"):
        iccsn = middleware.chip_serial(reader).hex().upper()
    else:
        iccsn = middleware.card_number(reader)

    with_atr = scope.flag("UseICCSNwithATR")
    return f"{iccsn}-{middleware.atr(reader).hex().upper()}" if with_atr else iccsn


def all_card_numbers(scope: Scope, middleware: TokenMiddleware) -> str:
    """Return the ICCSNs of all cards, separated by commas, in the readers' order.

    A card that nobody knows has none.

    Raises:
        CardSelectionError: There is no card with one.
        MiddlewareError: A card could not be asked.
    """
    numbers = [_number(middleware, reader, scope) for reader in _with_card(middleware)]
    found = [number for number in numbers if number is not None]

    if not found:
        raise CardSelectionError("no reader holds a token")

    return ",".join(found)


def select_reader(job: Job, scope: Scope, middleware: TokenMiddleware) -> str:
    """Return the reader with the card that is meant.

    That is the one that the job names, else the only one with a card; with UseSelectCriteriaIccsn, the
    one of them whose card has that number.

    Raises:
        CardSelectionError: No card, or more than one, could be meant.
        MiddlewareError: A card could not be asked.
    """
    readers = [job.reader] if job.reader is not None else _with_card(middleware)

    if scope.flag("UseSelectCriteriaIccsn"):
        readers = _with_number(readers, job, scope, middleware)

    if len(readers) > 1:
        raise CardSelectionError(f"{len(readers)} cards could be meant: {', '.join(readers)}")

    if not readers:
        raise CardSelectionError("no reader holds a card")

    return readers[0]


def _with_card(middleware: TokenMiddleware) -> list[str]:
    return [reader for reader in middleware.readers() if _has_card(middleware, reader)]


def _has_card(middleware: TokenMiddleware, reader: str) -> bool:
    try:
        middleware.atr(reader)
    except MiddlewareError as error:
        if error.rv in _NOT_MEANT:
            return False

        raise

    return True


def _with_number(readers: list[str], job: Job, scope: Scope, middleware: TokenMiddleware) -> list[str]:
    criterion = scope.setting("SelectCriteriaIccsn")
    assert criterion is not None, "the checks refuse a selection without criterion"
    wanted = job.text(criterion.value).strip().casefold()
    found = [reader for reader in readers if _folded(_number(middleware, reader, scope)) == wanted]

    if not found:
        # A field that is stored encrypted may hold something else by mistake.
        secret = isinstance(job.value(criterion.value), Secret)
        named = "that is asked for" if secret else job.text(criterion.value).strip()
        raise CardSelectionError(f"no card has the ICCSN {named}")

    return found


def _folded(number: str | None) -> str | None:
    return None if number is None else number.casefold()


def _number(middleware: TokenMiddleware, reader: str, scope: Scope) -> str | None:
    try:
        return card_number(middleware, reader, scope)
    except MiddlewareError as error:
        if error.rv in _NOT_MEANT:
            return None

        raise
