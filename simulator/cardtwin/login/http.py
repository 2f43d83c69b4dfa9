"""Revocation lists and OCSP over HTTP (RFC 5280, 4.2.1.13; RFC 6960, appendix A)."""

from __future__ import annotations

from http.client import HTTPException
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from cardtwin.login.errors import UnreachableError

__all__ = ["HttpRevocationSource"]

_LARGEST: Final = 16 << 20
"""Bytes that a list may have."""


class HttpRevocationSource:
    """Implements ``RevocationSource``: asks the addresses over HTTP, each time anew."""

    def __init__(self, timeout: float = 5.0) -> None:
        """Take how many seconds a server has to answer."""
        self._timeout = timeout

    def crl(self, address: str) -> bytes:
        """Return the list at an address.

        Raises:
            UnreachableError: It could not be had.
        """
        return self._fetched(address, None, {})

    def ocsp(self, address: str, request: bytes) -> bytes:
        """Return a responder's answer.

        Raises:
            UnreachableError: It could not be had.
        """
        return self._fetched(address, request, {"Content-Type": "application/ocsp-request"})

    def _fetched(self, address: str, data: bytes | None, headers: dict[str, str]) -> bytes:
        if urlsplit(address).scheme != "http":
            raise UnreachableError(
                f"{address} is no address of http: lists and answers are signed themselves"
            )

        request = Request(address, data, headers)  # noqa: S310  # the scheme was looked at

        try:
            with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310  # as above
                content: bytes = answer.read(_LARGEST + 1)
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise UnreachableError(f"{address} does not answer: {error}") from None

        if len(content) > _LARGEST:
            raise UnreachableError(f"{address} answers with more than {_LARGEST} bytes")

        return content
