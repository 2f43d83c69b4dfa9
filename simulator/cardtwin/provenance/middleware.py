"""Decisions about the middleware."""

from __future__ import annotations
