"""``keygen``: a batch of cards that the key generation system pre-personalises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from cardtwin.card import image as images
from cardtwin.issuance.keygeneration import ARCHIVE, KeyGenerationError
from cardtwin.issuance.manager import NumberRange
from cardtwin.scenario.document import ListNode, TextNode
from cardtwin.scenario.effects import READS
from cardtwin.scenario.matchers import TextListMatcher, TextMatcher
from cardtwin.scenario.step import Expectation, Observed, Refers, Step, verb
from cardtwin.scenario.texts import source_text
from cardtwin.scenario.values import Flag, Name
from cardtwin.targets.keygeneration import generate, order_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cardtwin.issuance.keygeneration import BatchOrder, CardRecord
    from cardtwin.scenario.document import MapNode
    from cardtwin.scenario.run import Run

__all__ = ["Keygen", "KeygenExpectation"]


class KeygenExpectation(Expectation):
    """What comes of it: ``made`` or ``refused``, why, and what the production list says of each card.

    `serials` are the chips', `numbers` those by which the cards go; `pins_for` are the ids of the keys that
    the encrypted PINs are for.
    """

    main: ClassVar[str] = "result"
    result: TextMatcher | None = None
    message: TextMatcher | None = None
    serials: TextListMatcher | None = None
    numbers: TextListMatcher | None = None
    labels: TextListMatcher | None = None
    pins_for: TextListMatcher | None = None


@verb("keygen", needs=set(), effects=READS)
class Keygen(Step):
    """Let the key generation system make a batch of cards from a profile. Without `expect`, it isn't refused.

    `cards` are names for the cards, one for each; `image: load` puts one into a reader. `numbers` is a range
    such as 1000-1999. With `archive`, the batch is a ZIP archive.
    """

    addressed: ClassVar[frozenset[str]] = frozenset()

    keygen: Annotated[Name, Refers("files")]
    model: str
    cards: Annotated[list[Name], Field(min_length=1)]
    certificate: Annotated[Name, Refers("files")]
    numbers: str | None = None
    label: str | None = None
    archive: Flag = False
    expect: KeygenExpectation | None = None

    @classmethod
    def declares(cls, written: MapNode) -> Iterator[tuple[str, TextNode]]:
        """Yield also the cards, as images that can be loaded."""
        yield from super().declares(written)
        names = written.get("cards")

        for name in names.items if isinstance(names, ListNode) else ():
            if isinstance(name, TextNode):
                yield "images", name

    def run(self, run: Run) -> Observed:
        """Make them."""
        name = f"batch of {', '.join(self.cards)}"
        path = run.bench.folder / (name + ARCHIVE if self.archive else name)

        try:
            steps = list(generate(self._order(run), path, now=run.bench.now()))
        except KeyGenerationError as error:
            return Observed({"result": "refused", "message": str(error)}, success=False, note=str(error))

        return self._made(run, path, [step.record for step in steps if step.record is not None])

    def _order(self, run: Run) -> BatchOrder:
        first, _, last = (self.numbers or "").partition("-")
        return order_for(
            self.model,
            run.setup.files[self.certificate],
            profile=source_text(run, self.keygen),
            count=len(self.cards),
            numbers=NumberRange(first, last) if self.numbers is not None else None,
            label=self.label,
            seed=run.setup.seed,
            switches=run.setup.switches,
        )

    def _made(self, run: Run, path: Path, records: Sequence[CardRecord]) -> Observed:
        for name, record in zip(self.cards, records, strict=True):
            run.images[name] = images.load(path / record.image)

        return Observed(
            {
                "result": "made",
                "serials": tuple(record.serial for record in records),
                "numbers": tuple(record.iccsn for record in records),
                "labels": tuple(record.label for record in records),
                "pins_for": tuple(record.pins_for for record in records),
            }
        )
