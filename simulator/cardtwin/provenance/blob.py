"""Decisions about the encrypted PINs."""

from __future__ import annotations
