from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.middleware import Installation, pin_certificate
from cardtwin.source import Diagnostics, SourceText
from support.profiles import certificate

DER = certificate().public_bytes(Encoding.DER)
PEM = certificate().public_bytes(Encoding.PEM)
WINDOWS = r"C:\Program Files (x86)\Personal\config\pin.crt"


def read(data: bytes | OSError, text: str) -> tuple[object, Diagnostics, list[str]]:
    """Return what a configuration names, the findings, and the files that were asked for."""
    asked: list[str] = []

    def reader(name: str) -> bytes:
        asked.append(name)

        if isinstance(data, OSError):
            raise data

        return data

    found = Diagnostics()
    return pin_certificate(SourceText("iD2ppa.cfg", text), reader, found), found, asked


@pytest.mark.parametrize("data", [DER, PEM], ids=["DER", "PEM"])
@pytest.mark.parametrize(
    "text", [f"[PIN Encryption]\nFile={WINDOWS}", f"[pin encryption]\n; ours\nfile = {WINDOWS}\n"]
)
def test_the_certificate_is_read_in_pem_and_der_from_the_path_as_it_is_written(
    data: bytes, text: str
) -> None:
    found, diagnostics, asked = read(data, text)

    assert found == certificate()
    assert not list(diagnostics)
    assert asked == [WINDOWS]


@pytest.mark.parametrize("text", ["", "[PIN Encryption]", "[Other]\nFile=x.crt"])
def test_a_configuration_without_certificate_is_told(text: str) -> None:
    found, diagnostics, asked = read(DER, text)

    assert found is None
    assert [error.code for error in diagnostics.errors] == ["no-pin-certificate"]
    assert asked == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (FileNotFoundError(2, "No such file"), "unreadable-file"),
        (OSError("odd"), "unreadable-file"),
        (b"", "bad-certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "bad-certificate"),
        (DER[:-1], "bad-certificate"),
    ],
)
def test_a_certificate_that_cannot_be_had_is_told_at_its_place(data: bytes | OSError, code: str) -> None:
    found, diagnostics, _ = read(data, "[PIN Encryption]\nFile=x.crt")
    (error,) = diagnostics.errors

    assert found is None
    assert (error.code, str(error.span)) == (code, "iD2ppa.cfg:2:6")
    assert "x.crt" in error.message


def test_what_is_unknown_is_a_warning_with_the_nearest_known_name() -> None:
    found, diagnostics, _ = read(DER, "[PIN Encryption]\nFile=x.crt\nFiel=y\n[PIN Encrypton]\nFile=z")

    assert found == certificate()
    assert not diagnostics.errors
    assert [(warning.code, warning.remedy) for warning in diagnostics.warnings] == [
        ("unknown-key", "did you mean 'File'?"),
        ("unknown-section", "did you mean 'PIN Encryption'?"),
    ]


def test_of_several_files_the_last_one_counts() -> None:
    _, _, asked = read(DER, "[PIN Encryption]\nFile=a.crt\nFile=b.crt")
    assert asked == ["b.crt"]


def test_an_installation_is_of_32_or_64_bits() -> None:
    assert Installation().bits == 32
    assert Installation(bits=64).bits == 64

    with pytest.raises(ValueError, match="128"):
        Installation(bits=128)
