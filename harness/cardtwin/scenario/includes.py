"""``{use: FILE}`` in a list stands for the items of the list in another file: steps, or values of an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeGuard

from cardtwin.scenario.document import ListNode, MapNode, Node, TextNode, parse_yaml
from cardtwin.scenario.substitution import Names, substitute
from cardtwin.source import Diagnostics, SourceError, SourceText, closest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["STEPS", "VALUES", "Includes", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a list is of.

    Attributes:
        what: Its items, in the plural.
        suffix: How the names of such files end.
        example: What such a list looks like.
        own: A key by which an item stands for itself, even if it has a field ``use`` too.
    """

    what: str
    suffix: str
    example: str
    own: str | None = None

    def is_use(self, item: Node) -> TypeGuard[MapNode]:
        """Whether an item stands for those of a file."""
        keys = item.keys() if isinstance(item, MapNode) else ()
        return "use" in keys and self.own not in keys


STEPS: Final = Kind("steps", ".steps.yaml", "- verb: ...")
VALUES: Final = Kind("values", ".values.yaml", "- {id: name, ...}", own="id")


class Includes:
    """The lists that one scenario file uses; each is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lists: dict[Path, Node] = {}

    def expanded(self, node: Node | None, kind: Kind, names: Names, found: Diagnostics) -> Iterator[Node]:
        """Yield the items of a list, those of the files that it uses in their places."""
        for item in node.items if isinstance(node, ListNode) else ():
            if kind.is_use(item):
                yield from self._included(item, kind, names, found)
            else:
                yield item

    def _included(self, item: MapNode, kind: Kind, names: Names, found: Diagnostics) -> Iterator[Node]:
        for entry in item.without("use"):
            found.error("unknown-key", f"{entry.key.text!r} cannot stand beside 'use'", entry.key.span)

        use = item.get("use")
        assert use is not None, "asked for by the caller"
        name = substitute(use, names, found)

        if not isinstance(name, TextNode):
            found.error("bad-value", f"'use' takes the path of a list of {kind.what}", name.span)
            return

        tree = self._list(self._folder / name.text, name, kind, found)

        for inner in tree.items if isinstance(tree, ListNode) else ():
            if kind.is_use(inner):
                found.error(
                    "nested-use",
                    "an included list cannot include another",
                    inner.key_span("use"),
                    remedy="'use:' goes one level deep: include both lists from the scenario",
                )
            else:
                yield inner

    def _list(self, path: Path, name: TextNode, kind: Kind, found: Diagnostics) -> Node | None:
        if path in self._lists:
            return self._lists[path]

        try:
            tree = parse_yaml(SourceText.read(path))
        except OSError as error:
            folder = path.parent
            near = sorted(each.name for each in folder.glob(f"*{kind.suffix}")) if folder.is_dir() else []
            found.error(
                "no-such-file",
                f"{path} cannot be read: {error.strerror}",
                name.span,
                remedy=closest(path.name, near),
            )
            return None
        except SourceError as error:
            for finding in error.diagnostics:
                found.add(finding)

            return None

        if not isinstance(tree, ListNode) or not tree.items:
            found.error(
                "not-a-list", f"an included file is a list of {kind.what}", tree.span, expected=kind.example
            )

        self._lists[path] = tree
        return tree
