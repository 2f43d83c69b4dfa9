"""Decisions about encoding descriptions."""

from __future__ import annotations
