"""QR codes as images."""

from __future__ import annotations

from io import BytesIO

import segno

__all__ = ["qr_image"]

_SCALE = 4


def qr_image(text: str) -> bytes:
    """Return the QR code (ISO/IEC 18004) of a text as PNG, with error correction M or better."""
    image = BytesIO()
    segno.make(text, error="m", micro=False).save(image, kind="png", scale=_SCALE)
    return image.getvalue()
