"""What a command sees of the card: memory, volatile state, conditions, and the way to write at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card.chip.algorithms import PIN, KeyCache
from cardtwin.card.chip.session import UNLIMITED, Session
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Ef, ObjectKey, parent, path_text
from cardtwin.card.memory.access import ALWAYS
from cardtwin.card.memory.rules import condition_of
from cardtwin.events import CardChange, CardChanged, Hub
from cardtwin.iso7816 import StatusWord
from cardtwin.pcsc import CardMuteError
from cardtwin.provenance.card import DEACTIVATED_DF

if TYPE_CHECKING:
    from cardtwin.card.chip.dialect import Dialect
    from cardtwin.card.chip.model import CardModel
    from cardtwin.card.memory import CardImage, Df, File, SecurityObject
    from cardtwin.card.memory.writes import Write
    from cardtwin.entropy import Entropy
    from cardtwin.provenance import Switches

__all__ = ["Chip"]

_LARGEST_REFERENCE = 0x7F


class Chip:
    """The inside of a card.

    Attributes:
        model: What the chip is.
        dialect: What commands do its operating system's own way.
        image: The non-volatile memory; only commit() changes it.
        session: The volatile state.
        entropy: Where challenges and keys come from.
        switches: Which of several possible behaviours holds.
        fresh_keys: Whether seeded RSA keys are searched for instead of taken from the pool.
        keys: The private keys used since the last reset.
        told: What observers know of the session's `passed`.
        reader: The reader that the card is in, for observers.
    """

    def __init__(
        self,
        model: CardModel,
        dialect: Dialect,
        image: CardImage,
        entropy: Entropy,
        switches: Switches,
        *,
        hub: Hub | None = None,
        reader: str = "",
        fresh_keys: bool = False,
    ) -> None:
        self.model = model
        self.dialect = dialect
        self.image = image
        self.session = Session()
        self.entropy = entropy
        self.switches = switches
        self.fresh_keys = fresh_keys
        self.keys = KeyCache()
        self.told: dict[ObjectKey, int] = {}
        self._hub = hub or Hub()
        self.reader = reader
        self._writes_until_cut: int | None = None

    def cut_power_after(self, writes: int | None) -> None:
        """Let only so many more writes reach the memory, then the power is gone; None takes that back."""
        self._writes_until_cut = writes

    def commit(self, *writes: Write) -> None:
        """Change the memory, now.

        A command gives its writes as its outcome instead. What calls this is what must hold before the
        outcome is known: a retry counter goes down before the comparison.

        Raises:
            CardMuteError: The power was cut before all was written.
        """
        kept = writes if self._writes_until_cut is None else writes[: self._writes_until_cut]
        image = self.image

        for write in kept:
            image = write.apply(image)

        self.image = image
        self._tell(kept)

        if self._writes_until_cut is not None:
            self._writes_until_cut -= len(kept)

            if len(kept) < len(writes):
                self._writes_until_cut = None
                raise CardMuteError(self.reader, "the power was cut while the card wrote")

    def _tell(self, writes: tuple[Write, ...]) -> None:
        if self._hub.silent:
            return

        for write in writes:
            change, subject, detail = write.change()
            self._hub.emit(CardChanged(reader=self.reader, change=change, subject=subject, detail=detail))

    @property
    def free(self) -> int:
        """How many bytes of the memory are free."""
        return self.model.memory - self.image.used

    def require_room(self, size: int) -> None:
        """Refuse with 6A84 where the memory hasn't so many bytes left."""
        if size > self.free:
            raise Refusal(StatusWord.NOT_ENOUGH_MEMORY)

    def current_df(self) -> Df:
        """Return the current DF; a deactivated one is refused with 6283."""
        return self._active(self.session.df)  # type: ignore[return-value]  # only DFs hold files

    def current_ef(self) -> Ef:
        """Return the current EF; 6986 without one, 6283 where it is deactivated."""
        path = self.session.ef

        if path is None:
            raise Refusal(StatusWord.NO_CURRENT_EF)

        return self._active(path)  # type: ignore[return-value]  # only EFs become current EF

    def is_active(self, path: bytes) -> bool:
        """Tell whether a file is active, and every DF that it is in (rule ``card.deactivated-df``)."""
        files, at = self.image.files, path

        while files[at].active:  # not climb(): every READ BINARY comes by here
            if at == MF:
                return True

            at = at[:-2]

        return at != path and self.switches[DEACTIVATED_DF] == "itself"

    def require_active(self, path: bytes) -> None:
        """Refuse with 6283 a file that isn't active."""
        if not self.is_active(path):
            raise Refusal(StatusWord.FILE_DEACTIVATED)

    def _active(self, path: bytes) -> File:
        self.require_active(path)
        return self.image.files[path]

    def child(self, df: bytes, file_id: bytes) -> bytes | None:
        """Return the path of the file in a DF with that identifier, or None."""
        path = df + file_id
        return path if path in self.image.files else None

    def object(self, key: ObjectKey) -> SecurityObject:
        """Return an object that is there."""
        return self.image.objects[key]

    def require(self, df: bytes, condition: int) -> None:
        """Refuse with 6982 unless an access condition is met.

        Args:
            df: Where the search for the test object begins: the DF, or the one that holds EF or object.
            condition: The condition byte.
        """
        if condition == ALWAYS:
            return

        for one in self.dialect.alternatives(self.image, condition):
            if one == ALWAYS:
                return

            key = self.guard(df, one)
            uses = self.session.passed.get(key, 0) if key else 0

            if key is not None and uses:
                if uses != UNLIMITED:
                    self.session.passed[key] = uses - 1

                return

        raise Refusal(StatusWord.SECURITY_STATUS_NOT_SATISFIED)

    def guard(self, df: bytes, condition: int) -> ObjectKey | None:
        """Return the test object that an access condition names; None where it names none that is there."""
        return self.image.find_object(df, 0x00, condition) if condition <= _LARGEST_REFERENCE else None

    def require_of_file(self, path: bytes, operation: int) -> None:
        """Refuse with 6982 unless a file's condition for an operation is met."""
        file = self.image.files[path]
        condition = condition_of(self.image, path, operation)
        self.require(parent(path) if isinstance(file, Ef) else path, condition)

    def pass_test(self, key: ObjectKey) -> None:
        """Note that a test object was passed."""
        self.session.passed[key] = self.object(key).consent or UNLIMITED

    def fail_test(self, key: ObjectKey) -> None:
        """Forget that a test object was passed."""
        self.session.passed.pop(key, None)

    def forget(self) -> None:
        """Forget everything volatile, as a reset does."""
        self.tell_master_file()
        self.session = Session()
        self.keys.clear()
        self.tell_status()

    def tell_status(self) -> None:
        """Tell observers which PINs and keys count as verified since they were told last, or do no more."""
        before, now = (
            {key for key, uses in passed.items() if uses} for passed in (self.told, self.session.passed)
        )
        self.told = dict(self.session.passed)

        if self._hub.silent:
            return

        for change, keys in (
            (CardChange.STATUS_LOST, before - now),
            (CardChange.STATUS_GAINED, now - before),
        ):
            for key in sorted(keys):
                self._tell_status(change, key)

    def _tell_status(self, change: CardChange, key: ObjectKey) -> None:
        tested = self.image.objects.get(key)
        kind = "PIN" if tested is None or tested.algorithm == PIN else "key"
        self._hub.emit(
            CardChanged(
                reader=self.reader,
                change=change,
                subject=str(key),
                detail=f"{kind} {key.id:02X}",
                reference=key.id,
            )
        )

    def tell_master_file(self) -> None:
        """Tell observers that the MF becomes the current DF again, where another one is it, by no SELECT."""
        if self.session.df != MF and not self._hub.silent:
            change = CardChange.MASTER_FILE_CURRENT
            self._hub.emit(CardChanged(reader=self.reader, change=change, subject=path_text(MF)))
