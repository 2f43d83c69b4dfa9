"""What an installation of the middleware is, and its file iD2ppa.cfg."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import InstallationError
from cardtwin.middleware.version import Version
from cardtwin.provenance.middleware import PIN_CERTIFICATE_DATES
from cardtwin.source import Diagnostics, SourceText, closest, parse_ini

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from cardtwin.provenance import Switches
    from cardtwin.source import IniItem

__all__ = ["Installation", "parse_certificate", "pin_certificate", "usable_certificate"]

_SECTION = "PIN Encryption"
_KEY = "File"


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation of the middleware.

    Attributes:
        pin_certificate: The PIN encryption certificate of iD2ppa.cfg; None where there is no usable one.
        bits: 32 or 64: the library that is loaded. The 64-bit one cannot initialise cards.
        product: The product's name.
        version: Its version: numbers between dots.
        log_folder: Where log files go; None writes none.
    """

    pin_certificate: x509.Certificate | None = None
    bits: int = 32
    product: str = "Personal Desktop Client"
    version: str = "5.17.0"
    log_folder: Path | None = None

    def __post_init__(self) -> None:
        if self.bits not in {32, 64}:
            raise ValueError(f"a library has 32 or 64 bits, not {self.bits}")

        Version.of(self.version)


def usable_certificate(
    installation: Installation, switches: Switches, now: Callable[[], datetime]
) -> x509.Certificate:
    """Return the PIN encryption certificate of an installation that can initialise cards.

    Args:
        installation: What is installed.
        switches: Whether the certificate's dates count.
        now: The time.

    Raises:
        InstallationError: The library is the 64-bit one, or there is no valid certificate.
    """
    if installation.bits == 64:
        raise InstallationError(Ckr.CKR_FUNCTION_NOT_SUPPORTED, "the 64-bit library cannot initialise cards")

    certificate = installation.pin_certificate

    if certificate is None:
        raise InstallationError(
            Ckr.CKR_FUNCTION_FAILED, "no PIN encryption certificate is configured in iD2ppa.cfg"
        )

    if switches[PIN_CERTIFICATE_DATES] == "checked":
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc

        if not begin <= now() <= end:
            raise InstallationError(
                Ckr.CKR_FUNCTION_FAILED, f"the PIN encryption certificate is valid from {begin} to {end}"
            )

    return certificate


def parse_certificate(data: bytes) -> x509.Certificate:
    """Return the certificate of a file, in PEM or DER.

    Raises:
        ValueError: It holds none.
    """
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificate(data)

    return x509.load_der_x509_certificate(data)


def pin_certificate(
    source: SourceText, read: Callable[[str], bytes], diagnostics: Diagnostics
) -> x509.Certificate | None:
    """Return the PIN encryption certificate that iD2ppa.cfg names, in PEM or DER.

    Args:
        source: The text of iD2ppa.cfg.
        read: Gives the bytes of the file of a name as the configuration writes it; may raise OSError.
        diagnostics: Where findings go: no certificate is an error, what is unknown a warning.

    Returns:
        The certificate, or None where none is named or it cannot be had.
    """
    ini = parse_ini(source, diagnostics)

    for section in ini.sections:
        if section.name.casefold() != _SECTION.casefold():
            diagnostics.warning(
                "unknown-section",
                f"[{section.name}] is not known here",
                section.span,
                remedy=closest(section.name, [_SECTION]),
            )

    items = [item for section in ini.find(_SECTION) for item in section.items]

    for item in items:
        if item.key.casefold() != _KEY.casefold():
            diagnostics.warning(
                "unknown-key",
                f"{item.key!r} is not known here",
                item.key_span,
                remedy=closest(item.key, [_KEY]),
            )

    named = [item for item in items if item.key.casefold() == _KEY.casefold()]

    if not named:
        diagnostics.error(
            "no-pin-certificate",
            "no PIN encryption certificate is configured",
            source.start,
            expected=f"[{_SECTION}] with {_KEY}=",
        )
        return None

    return _load(named[-1], read, diagnostics)


def _load(item: IniItem, read: Callable[[str], bytes], diagnostics: Diagnostics) -> x509.Certificate | None:
    try:
        data = read(item.value)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        diagnostics.error("unreadable-file", f"{item.value!r}: {reason}", item.value_span)
        return None

    try:
        return parse_certificate(data)
    except ValueError:
        diagnostics.error(
            "bad-certificate",
            f"{item.value!r} holds no X.509 certificate",
            item.value_span,
            expected="a certificate in PEM or DER",
        )
        return None
