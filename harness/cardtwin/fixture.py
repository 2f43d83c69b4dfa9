"""The pytest fixture ``cardtwin``: cards for test suites of other people's programs."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cardtwin.hosting.hosted import HostedCards
    from cardtwin.hosting.request import CardRequest

__all__ = ["CardStarter", "cardtwin"]

_PathLike = str | os.PathLike[str]


class CardStarter:
    """Starts cards, and takes them down when the test has ended.

    Args:
        factory: Makes folders.
    """

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._stack = ExitStack()

    def start(  # noqa: PLR0913  # one for each thing that can be asked for
        self,
        card: str | None = None,
        *,
        profile: _PathLike | None = None,
        secrets: Mapping[str, str] | None = None,
        parameters: Mapping[str, bytes] | None = None,
        label: str | None = None,
        encoding: _PathLike | None = None,
        fields: Mapping[str, str] | None = None,
        answers: Mapping[int, str] | None = None,
        attached: Sequence[_PathLike] = (),
        image: _PathLike | None = None,
        serial: bytes | None = None,
        keep: _PathLike | None = None,
        factory: bool = False,
        config: Path | str | None = None,
        user_config: Path | str | None = None,
        ppa_config: _PathLike | None = None,
        program: str | None = None,
        reader: str | None = None,
        readers: Mapping[str, CardRequest | str | None] | None = None,
        pinpad: bool = False,
        cards: Mapping[str, CardRequest] | None = None,
        pcscd: str | None = None,
        quirks: Sequence[str] = (),
        speed: str = "instant",
        faults: Sequence[str] = (),
        switches: Mapping[str, str] | None = None,
        seed: str | None = None,
        trace: _PathLike | None = None,
    ) -> HostedCards:
        """Start a card in a process of its own, and return it when it is ready; or several.

        Args:
            card: The card model, such as ``cardos-5.3``; not needed with an image.
            profile: A card profile that is put on the card: a file, or the name of one that comes with
                cardtwin, such as ``full``. Without a profile, an encoding and an image the card is blank.
            secrets: PINs and PUKs for the profile; those not given are drawn at random by the profiles that
                come with cardtwin. `pins` of the card has them all.
            parameters: Parameters of the profile.
            label: The token's label for the profile.
            encoding: An encoding description that is run on the card.
            fields: Values of its fields.
            answers: Answers to its dialogs.
            attached: Files attached to it, besides those that lie beside it.
            image: A saved card memory.
            serial: The card's serial number; None takes the model's.
            keep: A file that the card's memory is kept in, and that it goes on with.
            factory: Whether the card is as it leaves the factory, with neither files nor packages.
            config: The system's Personal.cfg: a Path is a file, a str is its text.
            user_config: The user's Personal.cfg, likewise.
            ppa_config: iD2ppa.cfg, with the PIN encryption certificate beside it.
            program: What all programs are called, such as ``java.exe``.
            reader: The reader's name; None takes ``Emulated reader``.
            readers: More readers, and what is in each: a CardRequest, the name of one among `cards`, a
                model, or None. With `card` left out, there are these alone.
            cards: Cards by name, also some that are in no reader at first.
            pinpad: Whether the readers have PIN pads; `enter()` of the card uses them.
            pcscd: Where vpcd has a slot that the card is put into instead of a reader of cardtwin's own.
            quirks: Of the card.
            speed: ``real`` takes the time that real cards take.
            faults: What goes wrong with the card, such as ``do=mute at=002A after=1``.
            switches: Choices of behaviour by rule.
            seed: What all random values are drawn from.
            trace: The file that gets the trace, when the card is taken down.

        Raises:
            CardRefusedError: There is no such card, or the profile or encoding failed.
        """
        __tracebackhide__ = (
            True  # pytest shows the arguments of a function that fails, and PINs are among them
        )

        from cardtwin.hosting.errors import CardRefusedError  # noqa: PLC0415  # as below
        from cardtwin.hosting.hosted import HostedCards  # noqa: PLC0415  # only tests with a card pay for it
        from cardtwin.hosting.request import (  # noqa: PLC0415  # as above
            DEFAULT_READER,
            CardRequest,
            HostRequest,
        )

        asked = CardRequest(
            model=card,
            image=_path(image),
            serial=None if serial is None else serial.hex(),
            keep=_path(keep),
            factory=factory,
            profile=_path(profile),
            secrets=dict(secrets or {}),
            parameters={name: value.hex() for name, value in (parameters or {}).items()},
            label=label,
            encoding=_path(encoding),
            fields=dict(fields or {}),
            answers={str(number): text for number, text in (answers or {}).items()},
            attached=tuple(os.fspath(path) for path in attached),
            quirks=tuple(quirks),
            speed=speed,
            faults=tuple(faults),
        )

        if reader is not None and readers and asked == CardRequest():
            raise CardRefusedError(
                f"{reader!r}: which card is in it? Give one, or put the reader into `readers`"
            )

        alone = {} if asked == CardRequest() and readers else {reader or DEFAULT_READER: asked}
        every = {**alone, **(readers or {})}
        request = HostRequest.arranged(
            every,
            cards,
            pinpads=tuple(every) if pinpad else (),
            ppa_config=_path(ppa_config),
            config=self._file(config),
            user_config=self._file(user_config),
            program=program,
            pcscd=pcscd,
            switches=dict(switches or {}),
            seed=seed,
            trace=_path(trace),
        )
        return self._stack.enter_context(HostedCards(request))

    def close(self) -> None:
        """Take all cards down."""
        self._stack.close()

    def _file(self, config: Path | str | None) -> str | None:
        """Return the path of a Personal.cfg, which is written for a text."""
        if not isinstance(config, str):
            return _path(config)

        path = self._factory.mktemp("cardtwin") / "Personal.cfg"
        path.write_text(config, encoding="utf-8")
        return str(path)


def _path(path: _PathLike | None) -> str | None:
    return None if path is None else os.fspath(path)


@pytest.fixture
def cardtwin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CardStarter]:
    """Cards in readers for programs under test: ``cardtwin.start("cardos-5.3", profile="full")``."""
    starter = CardStarter(tmp_path_factory)

    try:
        yield starter
    finally:
        starter.close()
