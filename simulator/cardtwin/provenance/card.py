"""Decisions about the emulated card: fuse, erasing, objects."""

from __future__ import annotations
