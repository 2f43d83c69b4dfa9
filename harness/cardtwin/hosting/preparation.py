"""From a request to the setup of a bench and of its cards: what it names is read and checked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Final

from cardtwin.card import ImageError, UnknownModelError, models
from cardtwin.card import image as images
from cardtwin.hosting.errors import CardRefusedError
from cardtwin.middleware import ProfileRefusedError, configuration, pin_certificate
from cardtwin.provenance import Switches, UnknownSwitchError
from cardtwin.readers import ReaderError
from cardtwin.source import Diagnostics, SourceError, SourceText
from cardtwin.source.text import decode_text
from cardtwin.targets import CardSetup, FaultSetup, MiddlewareError, ProcessSetup, Setup, TargetError
from cardtwin.targets.emulated import EmulatedTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.card import CardImage
    from cardtwin.hosting.request import CardRequest, HostRequest

__all__ = ["ENCODER", "CardPlan", "Preparation", "planned", "refusals"]

ENCODER: Final = "encoder"
"""The program that puts tokens on cards. Personal.cfg is not for it."""

_PPA_CONFIG: Final = "iD2ppa.cfg"
_SYSTEM: Final = "Personal.cfg"
_USER: Final = "user-Personal.cfg"
_CERTIFICATE: Final = "test-pin-certificate.crt"
_DEFAULT_PPA_CONFIG: Final = f"[PIN Encryption]\nFile={_CERTIFICATE}\n"


@contextmanager
def refusals() -> Iterator[None]:
    """Let what is wrong with a request be told as such.

    Raises:
        CardRefusedError: In the place of the errors of files, cards, profiles and encodings.
    """
    try:
        yield
    except OSError as error:
        raise CardRefusedError(f"{error.filename}: {error.strerror}") from None
    except ProfileRefusedError as error:
        found = "\n".join(finding.render() for finding in error.diagnostics)
        raise CardRefusedError(found or str(error)) from None
    except _REFUSALS as error:
        raise CardRefusedError(str(error)) from None


_REFUSALS: Final = (
    ImageError,
    MiddlewareError,
    ReaderError,
    SourceError,
    TargetError,
    UnknownModelError,
    UnknownSwitchError,
)


@dataclass(frozen=True, slots=True)
class CardPlan:
    """A card that is asked for, and what has come of looking at it.

    Attributes:
        name: What it is called.
        request: What is asked for.
        setup: What it is like on a bench.
        start: The memory that it starts with, before a token is put on it.
    """

    name: str
    request: CardRequest
    setup: CardSetup
    start: CardImage


def planned(name: str, request: CardRequest) -> CardPlan:
    """Look at a card that is asked for.

    Its image is looked at here, so that messages name the file as it was given.

    Raises:
        CardRefusedError: A file cannot be read or is wrong, or there is no such card, quirk or fault.
    """
    request.check()

    with refusals():
        start = None if request.image is None else images.load(request.image)
        setup = _setup_of(request, _model(request, start))
        model = models.get(setup.model)

    if problems := EmulatedTarget().problems(Setup({}, {name: setup}, {})):
        raise CardRefusedError("\n".join(text for _, text in problems))

    if start is None:
        start = model.factory() if request.factory else model.blank()

    if request.serial is not None:
        start = replace(start, serial=_serial(request.serial, len(model.serial), model.name))

    return CardPlan(name, request, setup, start)


def _serial(text: str, size: int, model: str) -> bytes:
    try:
        serial = bytes.fromhex(text)
    except ValueError:
        serial = b""

    if len(serial) != size:
        raise CardRefusedError(f"{text!r} is no serial number of a {model}: these are {size} bytes in hex")

    return serial


def _model(request: CardRequest, start: CardImage | None) -> str:
    if start is not None:
        if request.model not in {None, start.model}:
            raise CardRefusedError(
                f"{request.image}: this is the image of a {start.model}, and the card is a {request.model}"
            )

        return start.model

    if request.model is not None:
        return models.get(request.model).name

    assert request.keep is not None, "the request was checked"
    return _kept_model(Path(request.keep))


def _kept_model(path: Path) -> str:
    if not path.is_file() or not path.stat().st_size:
        raise CardRefusedError(f"{path}: no card is kept there yet: give a card model, to make one")

    return images.load(path).model


def _setup_of(request: CardRequest, model: str) -> CardSetup:
    if request.keep is not None:
        check_folder(request.keep)

    try:
        faults = tuple(map(FaultSetup.parse, request.faults))
    except ValueError as error:
        raise CardRefusedError(str(error)) from None

    return CardSetup(
        model,
        request.quirks,
        fresh_keys=request.fresh_keys,
        real_speed=request.speed == "real",
        faults=faults,
        keep=request.keep,
    )


def check_folder(path: str) -> None:
    """See that what is written later has a folder: a missing one is told now.

    Raises:
        CardRefusedError: It is missing.
    """
    if not Path(path).absolute().parent.is_dir():
        raise CardRefusedError(f"{path}: there is no folder {str(Path(path).absolute().parent)!r}")


@dataclass
class Preparation:
    """Reads what a request names beside its cards.

    Attributes:
        request: What is asked for.
        warnings: What is noticed in the files that is no error, for people.
    """

    request: HostRequest
    warnings: list[str] = field(default_factory=list)
    _files: dict[str, bytes] = field(default_factory=dict, repr=False)

    def setup(self) -> Setup:
        """Return the setup of the bench, without readers and cards.

        Raises:
            CardRefusedError: A file cannot be read or is wrong, or there is no such switch.
        """
        for path in filter(None, (self.request.control, self.request.trace)):
            check_folder(path)

        with refusals():
            switches = Switches(self.request.switches)
            self._read_ppa_config()
            self._read_configuration(switches)

        others = ProcessSetup(
            "",
            ppa_config=_PPA_CONFIG,
            config=_SYSTEM if self.request.config else None,
            user_config=_USER if self.request.user_config else None,
        )
        setup = Setup(
            readers={},
            cards={},
            processes={ENCODER: ProcessSetup(ENCODER, ppa_config=_PPA_CONFIG)},
            files=self._files,
            seed=self.request.seed,
            switches=self.request.switches,
            others=others,
        )

        if problems := EmulatedTarget().problems(setup):
            raise CardRefusedError("\n".join(text for _, text in problems))

        return setup

    def _read_ppa_config(self) -> None:
        """Take iD2ppa.cfg, and the certificate that it names, which lies beside it."""
        if self.request.ppa_config is None:
            self._files[_PPA_CONFIG] = _DEFAULT_PPA_CONFIG.encode()
            self._files[_CERTIFICATE] = files("cardtwin.hosting").joinpath(_CERTIFICATE).read_bytes()
            return

        path = Path(self.request.ppa_config)
        found = Diagnostics()

        def read(name: str) -> bytes:
            beside = path.parent / PureWindowsPath(name).name
            self._files[beside.name] = beside.read_bytes()
            return self._files[beside.name]

        pin_certificate(SourceText.read(path), read, found)
        self._take(found)
        self._files[_PPA_CONFIG] = path.read_bytes()

    def _read_configuration(self, switches: Switches) -> None:
        request, found = self.request, Diagnostics()
        system, user = self._source(_SYSTEM, request.config), self._source(_USER, request.user_config)
        configuration.load(system, user, request.program or "", found, switches=switches)
        self._take(found)

    def _source(self, name: str, given: str | None) -> SourceText | None:
        """Put a file on the bench, and return its text under the name that it was given by."""
        if given is None:
            return None

        self._files[name] = Path(given).read_bytes()
        return SourceText(given, decode_text(self._files[name]))

    def _take(self, found: Diagnostics) -> None:
        """Keep warnings; errors end the preparation."""
        self.warnings += [warning.render() for warning in found.warnings]
        found.raise_errors()
