from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin import pkcs15
from cardtwin.iso7816 import Tlv
from cardtwin.pkcs15 import Pkcs15Error, relabelled, renamed_id, renamed_subject

KEY = pkcs15.PrivateKey(id=b"1", label="old", size=2048, reference=3, auth_id=b"\x01")
CERTIFICATE = pkcs15.Certificate(id=b"1", label="old", path=pkcs15.Path.of(0x3F00, 0x4541))
DATA = pkcs15.DataObject(label="old", application="app", path=b"")
PUBLIC_KEY = pkcs15.PublicKey(id=b"1", label="old", size=2048)
EC_KEY = replace(KEY, algorithm=pkcs15.KeyAlgorithm.EC, size=256)


@given(st.text(max_size=200))
def test_an_entry_has_another_label_and_nothing_else(label: str) -> None:
    for entry in (KEY, EC_KEY, CERTIFICATE, DATA):
        der = relabelled(pkcs15.encode_object(entry), label)
        assert der == pkcs15.encode_object(replace(entry, label=label))


@given(st.binary(max_size=200))
def test_a_key_or_certificate_has_another_identifier_and_nothing_else(identifier: bytes) -> None:
    for entry in (KEY, EC_KEY, CERTIFICATE):
        der = renamed_id(pkcs15.encode_object(entry), identifier)
        assert der == pkcs15.encode_object(replace(entry, id=identifier))


def test_what_has_no_class_here_stays() -> None:
    """Subject and issuer in the type attributes, dates in the key attributes: others write them."""
    common, key, *rest = Tlv.parse(pkcs15.encode_object(KEY)).children()
    date = Tlv(0x18, b"20260101000000Z")
    extended = Tlv.constructed(0x30, (common, Tlv.constructed(0x30, (*key.children(), date)), *rest))
    changed = renamed_id(relabelled(extended.encode(), "new"), b"2")

    assert date.encode() in changed
    (found,) = pkcs15.parse_prkdf(changed)
    assert isinstance(found, pkcs15.PrivateKey)
    assert (found.label, found.id) == ("new", b"2")


def test_an_entry_without_a_label_gets_one() -> None:
    common, *rest = Tlv.parse(pkcs15.encode_object(KEY)).children()
    bare = Tlv.constructed(0x30, (Tlv.constructed(0x30, common.children()[1:]), *rest)).encode()

    assert relabelled(bare, "old") == pkcs15.encode_object(KEY)


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x00", b"\x30\x02\x30\x00", b"\x30\x04\x30\x01\x05\x30"])
def test_what_is_no_entry_is_refused(der: bytes) -> None:
    with pytest.raises(Pkcs15Error):
        relabelled(der, "new")


def test_a_data_object_has_no_identifier() -> None:
    with pytest.raises(Pkcs15Error):
        renamed_id(pkcs15.encode_object(DATA), b"1")


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_key_has_another_subject_and_nothing_else(first: bytes, second: bytes) -> None:
    names = [Tlv(0x30, each).encode() for each in (first, second)]

    for entry in (KEY, EC_KEY, PUBLIC_KEY):
        der = pkcs15.encode_object(entry)

        for name in (*names, b""):
            der = renamed_subject(der, name)
            assert der == pkcs15.encode_object(replace(entry, subject=name))

    (found,) = pkcs15.parse_pukdf(pkcs15.encode_object(replace(PUBLIC_KEY, subject=names[0])))
    assert found == replace(PUBLIC_KEY, subject=names[0])


def test_what_else_names_a_keys_owner_stays() -> None:
    common, key, *rest = Tlv.parse(pkcs15.encode_object(KEY)).children()
    others = Tlv.constructed(0xA0, (Tlv(0x04, b"keyIdentifiers"),))
    named = Tlv.constructed(0xA0, (Tlv.constructed(0x30, (others,)),))
    der = Tlv.constructed(0x30, (common, key, named, *rest)).encode()

    assert pkcs15.parse_prkdf(der) == (KEY,)
    assert renamed_subject(renamed_subject(der, b"\x30\x00"), b"") == der
