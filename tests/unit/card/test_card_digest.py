"""Digests that are finished from an intermediate state."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card.crypto import CryptoError
from cardtwin.card.crypto.digest import finished

# States after one block of 64 zero bytes; the digest of the whole says whether they are right.
STATES = {
    "sha1": "92B404E556588CED6C1ACD4EBF053F6809F73A93",
    "sha256": "DA5698BE17B9B46962335799779FBECA8CE5D491C0D26243BAFEF9EA1837A9D8",
}


@pytest.mark.parametrize("algorithm", STATES)
@given(rest=st.binary(max_size=200))
def test_a_digest_goes_on_from_its_state(algorithm: str, rest: bytes) -> None:
    intermediate = bytes.fromhex(STATES[algorithm]) + (512).to_bytes(8)
    assert finished(algorithm, intermediate, rest) == hashlib.new(algorithm, bytes(64) + rest).digest()


@pytest.mark.parametrize("algorithm", STATES)
@given(message=st.binary(max_size=200))
def test_without_a_state_it_is_the_digest_of_what_is_there(algorithm: str, message: bytes) -> None:
    assert finished(algorithm, b"", message) == hashlib.new(algorithm, message).digest()


@pytest.mark.parametrize("intermediate", ["00", "00" * 27, "00" * 20 + "0000000000000001", "00" * 64])
def test_what_can_be_no_state_is_refused(intermediate: str) -> None:
    with pytest.raises(CryptoError):
        finished("sha1", bytes.fromhex(intermediate), b"")
