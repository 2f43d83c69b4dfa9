"""Keys as numbers: what public and private ones are, and what those of a session do without a card."""
