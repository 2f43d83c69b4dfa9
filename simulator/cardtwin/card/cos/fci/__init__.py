"""The control information that SELECT tells (ISO/IEC 7816-4:2020, 7.4.3), one module for each family."""
