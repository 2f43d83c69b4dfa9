"""Card images in files: saving, loading, comparing.

A card image is the whole non-volatile memory. PINs and keys are part of it, in the clear: keep the file as
you would keep them. It is made readable for its owner only.
"""

from cardtwin.card.errors import ImageError, ImageVersionError
from cardtwin.card.image.comparison import Difference, compare
from cardtwin.card.image.store import load, save, text
from cardtwin.card.memory import CardImage

__all__ = ["CardImage", "Difference", "ImageError", "ImageVersionError", "compare", "load", "save", "text"]
