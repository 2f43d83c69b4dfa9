from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.plan import PinBlobError, PublicKeyForm, persinfo

SPKI = (
    rsa.generate_private_key(65537, 2048)
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)


class Facts:
    def chip_serial(self) -> bytes:
        raise AssertionError("not asked for")

    def public_key(self, key: str, form: PublicKeyForm) -> bytes:
        assert key
        assert form is PublicKeyForm.SPKI
        return SPKI


sec_bytes = st.binary(max_size=200)


@given(
    sec_bytes,
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=10), max_size=4),
    st.binary(),
)
def test_keys_and_blob_come_back_whatever_follows(sec: bytes, names: list[str], rest: bytes) -> None:
    data = persinfo.content(sec, names).resolve(Facts())

    assert persinfo.recognises(data)
    assert persinfo.parse(data + rest) == persinfo.PersInfo(tuple((name, SPKI) for name in names), sec)


def test_the_content_waits_for_the_cards_keys() -> None:
    assert not persinfo.content(b"blob", ["Signature"]).is_literal
    assert persinfo.content(b"blob", []).is_literal


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(PinBlobError):
        persinfo.parse(data)


def test_a_file_cut_short_is_refused_at_every_length() -> None:
    data = persinfo.content(b"blob", ["Signature"]).resolve(Facts())

    for length in range(len(data)):
        with pytest.raises(PinBlobError):
            persinfo.parse(data[:length])
