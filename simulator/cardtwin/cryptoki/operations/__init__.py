"""What goes on in sessions: searches, digests, signatures, ciphers."""
