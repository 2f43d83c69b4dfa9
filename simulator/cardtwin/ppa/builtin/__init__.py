"""The statements and functions that come with cardtwin. Importing this registers them."""

from cardtwin.ppa.builtin import card, layout, persinfo

__all__ = ["card", "layout", "persinfo"]
