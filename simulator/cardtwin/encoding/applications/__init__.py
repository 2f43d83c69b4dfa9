"""Encoding applications: keys, certificates and data that go onto the card by PKCS#11."""

from cardtwin.encoding.applications import command, data, delivered, requests  # noqa: F401  # they register
from cardtwin.encoding.applications.session import Program

__all__ = ["Program"]
