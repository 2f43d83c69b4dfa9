"""What is configured: the installation with its iD2ppa.cfg, and Personal.cfg as one program sees it."""

from cardtwin.middleware.configuration.installation import (
    Installation,
    parse_certificate,
    pin_certificate,
    usable_certificate,
)
from cardtwin.middleware.configuration.keys import KEYS, Form, Key
from cardtwin.middleware.configuration.loading import load
from cardtwin.middleware.configuration.settings import ClientConfiguration, Layer, Setting

__all__ = [
    "KEYS",
    "ClientConfiguration",
    "Form",
    "Installation",
    "Key",
    "Layer",
    "Setting",
    "load",
    "parse_certificate",
    "pin_certificate",
    "usable_certificate",
]
