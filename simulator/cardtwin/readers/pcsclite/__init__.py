"""A socket that speaks pcsc-lite's protocol, so that other programs reach the readers without root."""
