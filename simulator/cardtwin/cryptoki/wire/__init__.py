"""The frames between the C library and the server, this side's half; the other is made by native/generate.py.

All numbers are little-endian; a CK_ULONG has 8 bytes. A frame is its length (4 bytes, of what follows) and:

- the greeting, once in each connection: "cardtwin", the sum of the table (4 bytes), a number that the library
  draws at C_Initialize, the same in all its connections (8 bytes), and whether this is the first of them
  (1 byte). The answer is that of a function without results.
- a call: the function's number (2 bytes), then its parameters in order.
- an answer: the return value (8 bytes), whether results follow (1 byte), then these in order.

A pointer is preceded by a byte: 0 for NULL, 1 for what is there, 2 for what is no argument at all, such as
NULL with a length.
"""

from cardtwin.cryptoki.wire.arguments import decode_call
from cardtwin.cryptoki.wire.frames import LONGEST_FRAME, Greeting, function_of
from cardtwin.cryptoki.wire.results import encode_answer

__all__ = ["LONGEST_FRAME", "Greeting", "decode_call", "encode_answer", "function_of"]
