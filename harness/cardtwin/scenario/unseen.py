"""What a check asks for and a target's eyes can't see: it is neither right nor wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.targets import UnseenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.card import CardView
    from cardtwin.scenario.verbs.check import FileExpectation, PinExpectation
    from cardtwin.targets import Hidden

__all__ = ["see_file", "see_pin"]


def see_file(path: str, asked: FileExpectation, view: CardView, hidden: Hidden) -> None:
    """See that a file can be seen as far as a check asks for it.

    Raises:
        UnseenError: It can't.
    """
    if path not in view.files:
        _see(f"whether there is a file {path}", hidden.absence(path))
    elif asked.content is not None:
        _see(f"the content of {path}", hidden.content(path))


def see_pin(name: str, place: tuple[str, int], asked: PinExpectation, hidden: Hidden) -> None:
    """See the same of a PIN; errors as see_file()."""
    for what, reason in _of_pin(place, asked, hidden):
        _see(f"{what} of the PIN {name}", reason)


def _of_pin(place: tuple[str, int], asked: PinExpectation, hidden: Hidden) -> Iterator[tuple[str, str]]:
    if asked.tries is not None or asked.blocked is not None:
        yield "the tries left", hidden.tries(place)

    if asked.max_tries is not None:
        yield "the most tries", hidden.most_tries(place)


def _see(what: str, reason: str) -> None:
    if reason:
        raise UnseenError(f"{what} cannot be seen here: {reason}")
