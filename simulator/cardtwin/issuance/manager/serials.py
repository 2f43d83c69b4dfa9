"""Card serial numbers: given out of a procedure's range, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.issuance.manager.errors import RangeExhaustedError, SerialRefusedError

if TYPE_CHECKING:
    from cardtwin.issuance.manager.model import NumberRange
    from cardtwin.issuance.manager.store import Store

__all__ = ["Serials"]


class Serials:
    """The numbers that tokens have."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, numbers: NumberRange, procedure: str) -> str:
        """Take the lowest number of a range that no token has, for a new token.

        Raises:
            RangeExhaustedError: There is none.
        """
        with self._store.change() as database:
            query = "SELECT next FROM ranges WHERE first = ? AND last = ?"
            row = database.execute(query, (numbers.first, numbers.last)).fetchone()
            serial = self._free(numbers, row[0] if row else int(numbers.first))
            following = (numbers.first, numbers.last, int(serial) + 1)
            database.execute("INSERT OR REPLACE INTO ranges VALUES (?, ?, ?)", following)
            database.execute("INSERT INTO tokens VALUES (?, ?)", (serial, procedure))

        return serial

    def use(self, serial: str, numbers: NumberRange, procedure: str) -> None:
        """Take a number that comes from elsewhere, such as a range in Identity Manager.

        Raises:
            SerialRefusedError: It isn't in the procedure's range, or a token has it already.
        """
        if serial not in numbers:
            raise SerialRefusedError(f"the serial number {serial} isn't in the range {numbers}")

        with self._store.change() as database:
            if self.is_used(serial):
                raise SerialRefusedError(f"a token has the serial number {serial} already")

            database.execute("INSERT INTO tokens VALUES (?, ?)", (serial, procedure))

    def is_used(self, serial: str) -> bool:
        """Whether a token has that number."""
        query = "SELECT 1 FROM tokens WHERE serial = ?"
        return self._store.database.execute(query, (serial,)).fetchone() is not None

    def _free(self, numbers: NumberRange, start: int) -> str:
        for number in range(start, int(numbers.last) + 1):
            serial = str(number).zfill(numbers.digits)

            if not self.is_used(serial):
                return serial

        raise RangeExhaustedError(f"every serial number of {numbers} is used")
