"""PKCS#11: the C_* functions in Python, and the C library that carries other programs' calls to them."""
