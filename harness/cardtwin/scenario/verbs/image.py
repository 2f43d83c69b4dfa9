"""``image``: the card's whole memory, kept, put back and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from cardtwin.card import ImageError
from cardtwin.card import image as images
from cardtwin.scenario.document import TextNode
from cardtwin.scenario.effects import READS
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.matchers import FlagMatcher, TextListMatcher
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.scenario.values import Name
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from cardtwin.card import CardImage
    from cardtwin.scenario.document import MapNode
    from cardtwin.scenario.run import Run

__all__ = ["Image", "ImageExpectation"]


class ImageExpectation(Expectation):
    """What a comparison shows."""

    main: ClassVar[str] = "equal"
    equal: FlagMatcher | None = None
    differences: TextListMatcher | None = None


@verb("image", needs={Capability.EYES}, effects=READS)
class Image(Step):
    """Save the card's memory under a name, load it again (or load a file), compare with it.

    Without `expect`, what is compared has to be equal.
    """

    addressed: ClassVar[frozenset[str]] = frozenset({"on"})
    image: Literal["save", "load", "compare"]
    name: Name
    expect: ImageExpectation | None = None

    @classmethod
    def refers(cls, written: MapNode) -> Iterator[tuple[str, TextNode]]:
        """Yield also the image that is loaded or compared with."""
        yield from super().refers(written)

        if (name := _name(written, {"load", "compare"})) is not None:
            yield "images", name

    @classmethod
    def declares(cls, written: MapNode) -> Iterator[tuple[str, TextNode]]:
        """Yield also the image that is saved."""
        yield from super().declares(written)

        if (name := _name(written, {"save"})) is not None:
            yield "images", name

    @classmethod
    def capabilities(cls, written: MapNode) -> frozenset[Capability]:
        """Return what the step needs: eyes, and to load a memory hands."""
        return cls.needs if _name(written, {"save", "compare"}) is not None else frozenset({Capability.DESK})

    def run(self, run: Run) -> Observed:
        """Save, load or compare."""
        reader = run.reader(self)

        if self.image == "save":
            run.images[self.name] = run.bench.desk.image(reader)
        elif self.image == "load":
            run.bench.desk.load(reader, _kept(run, self.name))
        else:
            found = images.compare(_kept(run, self.name), run.bench.desk.image(reader))
            differences = tuple(str(difference) for difference in found)
            return Observed(
                {"equal": not found, "differences": differences},
                success=not found,
                note="\n".join(differences),
            )

        return Observed()


def _name(written: MapNode, actions: Collection[str]) -> TextNode | None:
    action, name = written.get("image"), written.get("name")
    is_one = isinstance(action, TextNode) and action.text in actions
    return name if is_one and isinstance(name, TextNode) else None


def _kept(run: Run, name: str) -> CardImage:
    if name in run.images:
        return run.images[name]

    if name not in run.setup.files:
        known = ", ".join((*run.images, *run.setup.files))
        raise UsageError(
            f"no image {name!r} was saved, and no file is called so; there are {known or 'none'}"
        )

    try:
        return images.load(run.bench.folder / name)
    except ImageError as error:
        raise UsageError(f"{name}: {error}") from None
