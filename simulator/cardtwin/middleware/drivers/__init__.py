"""Drivers: one per card family, found by ATR and version word."""

from cardtwin.middleware.drivers import cardos_5, cardos_m4  # noqa: F401  # they register themselves
from cardtwin.middleware.drivers.base import CardDriver, FileInfo, KeySpec, Phase, PinSpec, PublicKey
from cardtwin.middleware.drivers.registry import driver_for, families, register

__all__ = [
    "CardDriver",
    "FileInfo",
    "KeySpec",
    "Phase",
    "PinSpec",
    "PublicKey",
    "driver_for",
    "families",
    "register",
]
