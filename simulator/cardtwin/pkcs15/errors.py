"""The errors of this package.

::

    Pkcs15Error (ValueError)   bytes are no PKCS#15 structure, or a value cannot be written as one
"""

from __future__ import annotations

__all__ = ["Pkcs15Error"]


class Pkcs15Error(ValueError):
    """Bytes are not the structure that they should be, or a value has no encoding."""
