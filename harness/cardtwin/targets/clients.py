"""The middleware of a bench's programs: what is installed for each, and how encodings reach it."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from cardtwin.middleware import Installation, Login, PersonalDesktopClient, UserType, pin_certificate
from cardtwin.source import Diagnostics, SourceText
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin import encoding
    from cardtwin.middleware import CardEraser, Token
    from cardtwin.plan import Secret, SecretName
    from cardtwin.targets.interface import ProcessSetup, Setup

__all__ = ["EncodingMiddleware", "installation"]


def installation(process: ProcessSetup, setup: Setup) -> Installation:
    """Return what is installed for a program.

    Paths in iD2ppa.cfg are the ones of a Windows machine: the last part of each names a file of the scenario.
    """
    usual = Installation()
    certificate = None

    if process.ppa_config is not None:
        source = SourceText(process.ppa_config, decode_text(setup.files[process.ppa_config]))
        certificate = pin_certificate(source, lambda path: _file(path, setup.files), Diagnostics())

    return Installation(certificate, process.bits, usual.product, process.version or usual.version)


def _file(path: str, files: Mapping[str, bytes]) -> bytes:
    name = PureWindowsPath(path).name

    if name not in files:
        raise FileNotFoundError(2, "the scenario has no such file", path)

    return files[name]


class EncodingMiddleware:
    """A Personal Desktop Client as encodings see it (``cardtwin.encoding.TokenMiddleware``)."""

    def __init__(self, client: PersonalDesktopClient) -> None:
        self._client = client

    def readers(self) -> Sequence[str]:
        """Return the names of the readers that hold a card."""
        return self._client.readers()

    def atr(self, reader: str) -> bytes:
        """Return the card's answer to reset."""
        return self._client.atr(reader)

    def chip_serial(self, reader: str) -> bytes:
        """Return the chip's own serial number."""
        return self._client.chip_serial(reader)

    def token(self, reader: str) -> Token:
        """Return the token's state."""
        return self._client.token(reader)

    def init_token(
        self,
        reader: str,
        profile: SourceText,
        *,
        parameters: Mapping[str, bytes],
        secrets: Mapping[SecretName, Secret],
        label: str | None,
    ) -> object:
        """InitTokenPPA: make a token from a card profile."""
        return self._client.init_token(reader, profile, parameters=parameters, secrets=secrets, label=label)

    def login(self, reader: str, user: encoding.UserType, secret: Secret) -> None:
        """Log in once, and out again."""
        self._client.login(reader, UserType[user.name], secret)

    def card_eraser(self, reader: str) -> _Eraser | None:
        """Return the Card Eraser, or None where the card shows none."""
        eraser = self._client.card_eraser(reader)
        return _Eraser(eraser) if eraser is not None else None

    def encrypted_pins(self, reader: str) -> bytes | None:
        """Return the contents of the object "Encrypted PINs", or None."""
        return self._client.encrypted_pins(reader)


class _Eraser:
    """The Card Eraser as encodings see it."""

    def __init__(self, eraser: CardEraser) -> None:
        self._eraser = eraser

    def destroy(self, login: encoding.Login | None) -> None:
        """Delete the token profile, after that login, or anonymously."""
        self._eraser.destroy(None if login is None else Login(UserType[login.user.name], login.secret))
