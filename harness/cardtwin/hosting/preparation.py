"""From a request to the setup of a bench: what it names is read and checked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
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

    from cardtwin.hosting.request import CardRequest

__all__ = ["CARD", "ENCODER", "Preparation", "refusals"]

CARD: Final = "card"
"""What the card is called on the bench."""

ENCODER: Final = "encoder"
"""The program that puts the token on the card. Personal.cfg is not for it."""

_IMAGE: Final = "card.image"
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


@dataclass
class Preparation:
    """Reads what a request names.

    Attributes:
        request: What is asked for.
        warnings: What is noticed in the files that is no error, for people.
    """

    request: CardRequest
    warnings: list[str] = field(default_factory=list)
    _files: dict[str, bytes] = field(default_factory=dict, repr=False)

    def setup(self) -> Setup:
        """Return the setup of the bench.

        Raises:
            CardRefusedError: A file cannot be read or is wrong, or there is no such card, quirk or switch.
        """
        self._check_folders()

        with refusals():
            switches = Switches(self.request.switches)
            card = self._card()
            self._read_ppa_config()
            self._read_configuration(switches)
            others = ProcessSetup(
                "",
                ppa_config=_PPA_CONFIG,
                config=_SYSTEM if self.request.config else None,
                user_config=_USER if self.request.user_config else None,
            )
            setup = Setup(
                readers={self.request.reader: CARD},
                cards={CARD: card},
                processes={ENCODER: ProcessSetup(ENCODER, ppa_config=_PPA_CONFIG)},
                files=self._files,
                seed=self.request.seed,
                switches=self.request.switches,
                others=others,
                pinpads=frozenset({self.request.reader} if self.request.pinpad else ()),
            )

        if problems := EmulatedTarget().problems(setup):
            raise CardRefusedError("\n".join(text for _, text in problems))

        return setup

    def _check_folders(self) -> None:
        """See that what is written later has a folder: a missing one is told now."""
        for path in filter(None, (self.request.control, self.request.trace)):
            if not Path(path).absolute().parent.is_dir():
                raise CardRefusedError(f"{path}: there is no folder {str(Path(path).absolute().parent)!r}")

    def _card(self) -> CardSetup:
        """Return the card; its image is looked at first, so that messages name the file as it was given."""
        request = self.request

        if request.image is None:
            assert request.card is not None, "the request was checked"
            return self._setup_of(models.get(request.card).name)

        path = Path(request.image)
        model = images.load(path).model

        if request.card not in {None, model}:
            raise CardRefusedError(
                f"{path}: this is the image of a {model}, and the card is a {request.card}"
            )

        self._files[_IMAGE] = path.read_bytes()
        return self._setup_of(model, image=_IMAGE)

    def _setup_of(self, model: str, image: str | None = None) -> CardSetup:
        request = self.request

        try:
            faults = tuple(map(FaultSetup.parse, request.faults))
        except ValueError as error:
            raise CardRefusedError(str(error)) from None

        return CardSetup(
            model,
            request.quirks,
            image=image,
            factory=request.factory,
            real_speed=request.speed == "real",
            faults=faults,
        )

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
