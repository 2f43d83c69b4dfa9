"""Hypothesis strategies for the values of cardtwin, shared by all tests."""

from __future__ import annotations

from hypothesis import strategies as st

from cardtwin.iso7816 import CommandApdu, ResponseApdu, StatusWord, Tlv

octets = st.integers(0, 255)


@st.composite
def command_apdus(draw: st.DrawFn) -> CommandApdu:
    """Commands of all four cases, short and extended, as their bytes can say them."""
    cla, ins, p1, p2 = (draw(octets) for _ in range(4))
    extended = draw(st.booleans())
    data = draw(st.binary(max_size=300 if extended else 255))
    le = draw(st.none() | st.integers(1, 65536 if extended else 256))
    return CommandApdu(cla, ins, p1, p2, data, le, extended=extended and (bool(data) or le is not None))


def response_apdus() -> st.SearchStrategy[ResponseApdu]:
    """Responses with any status word."""
    return st.builds(ResponseApdu, st.binary(max_size=300), st.integers(0, 0xFFFF).map(StatusWord))


def tags() -> st.SearchStrategy[int]:
    """BER tags of one to four bytes."""
    one = octets.filter(lambda tag: tag & 0x1F != 0x1F)
    first = octets.map(lambda byte: byte | 0x1F)
    more = st.lists(st.integers(0x80, 0xFF), max_size=2)
    long = st.tuples(first, more, st.integers(0, 0x7F))
    return one | long.map(lambda parts: int.from_bytes(bytes((parts[0], *parts[1], parts[2]))))


def tlvs() -> st.SearchStrategy[Tlv]:
    """Data objects."""
    return st.builds(Tlv, tags(), st.binary(max_size=300))
