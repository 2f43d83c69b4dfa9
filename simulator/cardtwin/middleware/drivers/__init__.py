"""Drivers: one per card family, found by ATR and version word."""

from cardtwin.middleware.drivers import (  # noqa: F401  # they register themselves
    cardos_5,
    cardos_m4,
    cosmo,
    gemalto,
    others,
)
from cardtwin.middleware.drivers.base import (
    CardDriver,
    EcValue,
    FileInfo,
    KeySpec,
    KeyValue,
    Phase,
    PinSpec,
    PublicKey,
    RsaValue,
)
from cardtwin.middleware.drivers.data_object_driver import DataObjectDriver
from cardtwin.middleware.drivers.registry import driver_for, families, has_driver, register

__all__ = [
    "CardDriver",
    "DataObjectDriver",
    "EcValue",
    "FileInfo",
    "KeySpec",
    "KeyValue",
    "Phase",
    "PinSpec",
    "PublicKey",
    "RsaValue",
    "driver_for",
    "families",
    "has_driver",
    "register",
]
