"""Objects that come to be, change and go: on the token, in its lists and places, and pairs of keys."""
