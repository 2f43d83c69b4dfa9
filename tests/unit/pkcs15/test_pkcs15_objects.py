from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.pkcs15 import (
    Certificate,
    CommonFlags,
    DataObject,
    KeyAccess,
    KeyAlgorithm,
    KeyUsage,
    OtherObject,
    Path,
    Pin,
    PinFlags,
    PinType,
    Pkcs15Error,
    PrivateKey,
    PublicKey,
    encode_directory,
    encode_object,
    parse_aodf,
    parse_cdf,
    parse_dodf,
    parse_prkdf,
    parse_pukdf,
)

# Exchange 14 of a recording of a CardOS 5.3 card: three of its private keys, without the tail of zeros.
RECORDED_PRKDF = bytes.fromhex(
    "3038301A0C114469676974616C205369676E617475726503020080040101300A0401110302003402"
    "0101A10E300C300604043F00501502020800303A301B0C0F4E6F6E2052657075646961"
    "74696F6E03020080040102020101300B04013303030000400201 03A10E300C300604043F00501502020800"
    "303C30130C0A456E6372797074696F6E03020080040101300F04015A0303004400030200000201"
    "04A1143012300C04043F0050150201008001000202 0800"
)
# Exchange 10 of the same recording.
RECORDED_DODF = bytes.fromhex("301D300B0C0950726F66696C65496430020C00A10A300804063F005015F001")
# The certificate entry of the vendor's published example of a profile.
PUBLISHED_CDF = bytes.fromhex(
    "302F301A0C114469676974616C205369676E6174757265030206400401013003040111A10C300A300804063F0050154541"
)

_ids = st.binary(min_size=1, max_size=20)
_labels = st.text(max_size=40)
_auth_ids = st.none() | _ids
_commons = st.sampled_from([CommonFlags(0), CommonFlags.PRIVATE, CommonFlags.MODIFIABLE, ~CommonFlags(0)])
_pieces = st.tuples(st.integers(0, 70000), st.integers(0, 70000))
_paths = st.one_of(
    st.builds(Path, st.binary(max_size=16)),
    st.builds(lambda value, piece: Path(value, *piece), st.binary(max_size=16), _pieces),
)
_common = {"label": _labels, "auth_id": _auth_ids, "common": _commons}

_pins = st.builds(
    Pin,
    id=_ids,
    reference=st.integers(0, 255),
    flags=st.sampled_from(PinFlags),
    type=st.sampled_from(PinType),
    min_length=st.integers(0, 16),
    stored_length=st.integers(0, 64),
    max_length=st.none() | st.integers(0, 64),
    pad=st.none() | st.integers(0, 255),
    path=st.none() | _paths,
    **_common,
)
_key_fields = {
    "id": _ids,
    "usage": st.sampled_from(KeyUsage),
    "access": st.none() | st.sampled_from(KeyAccess),
    "reference": st.none() | st.integers(0, 255),
    "native": st.booleans(),
    "user_consent": st.none() | st.integers(1, 9),
    "path": _paths,
    **_common,
}
_sizes = st.one_of(
    st.fixed_dictionaries({"algorithm": st.just(KeyAlgorithm.RSA), "size": st.integers(512, 4096)}),
    st.fixed_dictionaries({"algorithm": st.just(KeyAlgorithm.EC), "size": st.none() | st.integers(160, 521)}),
)


@given(_pins, st.binary(max_size=3).map(lambda rest: b"\0" + rest))
def test_a_pin_is_read_as_it_was_written_whatever_lies_behind_it(pin: Pin, tail: bytes) -> None:
    assert parse_aodf(encode_object(pin) + tail) == (pin,)


@given(st.fixed_dictionaries(_key_fields), _sizes)
def test_keys_are_read_as_they_were_written(fields: dict[str, Any], sizes: dict[str, Any]) -> None:
    private, public = PrivateKey(**fields, **sizes), PublicKey(**fields, **sizes)

    assert parse_prkdf(encode_object(private) + b"\xff\xff") == (private,)
    assert parse_pukdf(encode_object(public)) == (public,)


@given(st.builds(Certificate, id=_ids, authority=st.booleans(), path=_paths, **_common))
def test_a_certificate_entry_is_read_as_it_was_written(entry: Certificate) -> None:
    assert parse_cdf(encode_object(entry)) == (entry,)


@given(
    st.builds(
        DataObject,
        application=st.none() | _labels,
        oid=st.none() | st.just("1.2.752.10.1"),
        path=_paths,
        **_common,
    )
)
def test_a_data_object_is_read_as_it_was_written(entry: DataObject) -> None:
    assert parse_dodf(encode_object(entry)) == (entry,)


@pytest.mark.parametrize("value", ["3003020101", "0400", "A003020101"])
def test_a_value_can_stand_in_the_directory_itself(value: str) -> None:
    key = PublicKey(id=b"\1", label="direct", size=2048, path=bytes.fromhex(value))

    assert parse_pukdf(encode_object(key)) == (key,)


@given(st.binary(max_size=120))
def test_no_directory_content_makes_a_reader_fail(content: bytes) -> None:
    for parse in (parse_aodf, parse_prkdf, parse_pukdf, parse_cdf, parse_dodf):
        parse(content)


@given(st.lists(_pins, min_size=1, max_size=3), st.integers(0, 400), st.integers(0, 255))
def test_no_changed_byte_makes_a_reader_fail(pins: list[Pin], place: int, value: int) -> None:
    content = bytearray(encode_directory(pins))
    content[place % len(content)] = value

    parse_aodf(bytes(content))


def test_the_recorded_private_keys_are_read() -> None:
    sign, consent, decrypt = parse_prkdf(RECORDED_PRKDF + bytes(90))

    assert isinstance(sign, PrivateKey)
    assert isinstance(consent, PrivateKey)
    assert isinstance(decrypt, PrivateKey)
    assert (sign.label, sign.id, sign.reference, sign.size) == ("Digital Signature", b"\x11", 1, 2048)
    assert sign.usage == KeyUsage.SIGN | KeyUsage.SIGN_RECOVER | KeyUsage.UNWRAP
    assert sign.path == Path.of(0x3F00, 0x5015)
    assert (consent.usage, consent.auth_id, consent.user_consent) == (KeyUsage.NON_REPUDIATION, b"\2", 1)
    assert decrypt.path == Path.of(0x3F00, 0x5015, index=0, length=0)
    assert decrypt.access == KeyAccess(0)


def test_the_recorded_data_object_is_written_byte_for_byte() -> None:
    (entry,) = parse_dodf(RECORDED_DODF)

    assert entry == DataObject(label="ProfileId", application="", path=Path.of(0x3F00, 0x5015, 0xF001))
    assert encode_directory([entry]) == RECORDED_DODF


def test_the_published_certificate_entry_is_written_byte_for_byte() -> None:
    entry = Certificate(
        id=b"\x11",
        label="Digital Signature",
        path=Path.of(0x3F00, 0x5015, 0x4541),
        common=CommonFlags.MODIFIABLE,
        auth_id=b"\1",
    )

    assert encode_object(entry) == PUBLISHED_CDF
    assert parse_cdf(PUBLISHED_CDF.ljust(1700, b"\0")) == (entry,)


def test_the_rest_of_an_older_content_is_left_alone() -> None:
    assert len(parse_cdf(PUBLISHED_CDF + bytes.fromhex("726403020410"))) == 1
    assert len(parse_cdf(PUBLISHED_CDF + bytes.fromhex("307F0101"))) == 1


def test_an_entry_of_an_unknown_kind_is_kept_as_it_is() -> None:
    biometric = bytes.fromhex("A0053003020101")
    pin = Pin(id=b"\1", label="PIN", reference=1)
    found = parse_aodf(biometric + encode_object(pin))

    assert isinstance(found[0], OtherObject)
    assert found[0].der == biometric
    assert found[1] == pin
    assert encode_directory(found) == biometric + encode_object(pin)


def test_a_reference_written_as_a_negative_number_is_read_as_a_byte() -> None:
    short = bytes.fromhex("30213003 0C0173 3003 040102 A115 3013 0302020C 0A0102 020106 020108 800182 040100")

    (pin,) = parse_aodf(short)

    assert isinstance(pin, Pin)
    assert pin.reference == 0x82


def test_a_value_without_encoding_is_refused_with_the_objects_name() -> None:
    with pytest.raises(Pkcs15Error, match="DataObject 'x'"):
        encode_object(DataObject(label="x", oid="no oid", path=Path(b"")))
