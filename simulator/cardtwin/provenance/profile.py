"""Decisions about the card profile language."""

from __future__ import annotations
