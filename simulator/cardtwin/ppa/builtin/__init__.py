"""The statements and functions that come with cardtwin. Importing this registers them."""

from cardtwin.ppa.builtin import card, contents, keys, layout, persinfo, pins, token

__all__ = ["card", "contents", "keys", "layout", "persinfo", "pins", "token"]
