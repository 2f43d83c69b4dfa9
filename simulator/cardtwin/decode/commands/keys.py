"""Keys at work: environments, operations, generation, authentication (ISO/IEC 7816-8; 7816-4, 11.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.decode.forms import Details, Form
from cardtwin.decode.model import Effect
from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from cardtwin.iso7816 import CommandApdu

__all__ = ["FORMS"]

_TEMPLATES: Final = {
    0xA4: "authentication",
    0xA6: "key agreement",
    0xAA: "hash",
    0xB4: "checksum",
    0xB6: "signature",
    0xB8: "confidentiality",
}
_REFERENCES: Final = {0x80: "algorithm", 0x83: "key", 0x84: "key", 0x95: "usage"}
_GENERATION: Final = b"\xac"
_CHALLENGE: Final = 0x81
_STEPS: Final = {_CHALLENGE: "challenge", 0x82: "response"}


def _set_environment(apdu: CommandApdu) -> Details:
    template = _TEMPLATES.get(apdu.p2, f"template {apdu.p2:02X}")

    try:
        references = Tlv.parse_all(apdu.data)
    except TlvFormatError:
        return Details(f"{template}, {len(apdu.data)} bytes")

    return Details(", ".join((template, *map(_reference, references))))


def _environment(apdu: CommandApdu) -> Details:
    return Details(f"environment {apdu.p2:02X}")


def _generate(apdu: CommandApdu) -> Details:
    if len(apdu.data) != 8:
        return Details(f"{len(apdu.data)} bytes")

    return Details(f"key {apdu.data[1]:02X}, public key to file {apdu.data[2:4].hex().upper()}")


def _generate_pair(apdu: CommandApdu) -> Details:
    """Read a template that names the key, or the private key's tag, whose last byte is its number."""
    if apdu.data[:1] == _GENERATION:
        return _template(apdu)

    return Details(f"key {apdu.data[-1]:02X}" if len(apdu.data) == 5 else f"{len(apdu.data)} bytes")


def _template(apdu: CommandApdu) -> Details:
    try:
        references = Tlv.parse(apdu.data).children()
    except TlvFormatError:
        return Details(f"{len(apdu.data)} bytes")

    return Details(", ".join(map(_reference, references)))


def _reference(found: Tlv) -> str:
    return f"{_REFERENCES.get(found.tag, f'{found.tag:02X}')} {found.value.hex().upper()}"


def _general_authenticate(apdu: CommandApdu) -> Details:
    """Tell which step it is; what a response is made with is a secret, and challenges alone are none."""
    try:
        steps = Tlv.parse(apdu.data).children()
    except TlvFormatError:
        steps = ()

    if len(steps) != 1 or steps[0].tag not in _STEPS:
        return Details(f"{len(apdu.data)} bytes")

    step = steps[0]
    text = f"{_STEPS[step.tag]}, {len(step.value)} bytes"
    return Details(text, Effect.SELECTS, ()) if step.tag == _CHALLENGE else Details(text)


def _authenticate(apdu: CommandApdu) -> Details:
    return Details(f"key {apdu.p2:02X}, {len(apdu.data)} bytes")


def _challenge(apdu: CommandApdu) -> Details:
    return Details(f"{apdu.le or 0} bytes")


_READS: Final = Effect.READS

FORMS: Final = (
    Form("MSE SET", "00 22 .1 ..", Effect.SELECTS, Basis.CLIENT, _set_environment),
    Form("MSE STORE", "00 22 .2 ..", Effect.WRITES, Basis.STATED, _environment),
    Form("MSE RESTORE", "00 22 .3 ..", Effect.SELECTS, Basis.CLIENT, _environment),
    Form("MSE ERASE", "00 22 .4 ..", Effect.WRITES | Effect.DESTROYS, Basis.STATED, _environment),
    Form("PSO COMPUTE DIGITAL SIGNATURE", "00 2A 9E 9A", _READS, Basis.CLIENT),
    Form("PSO DECIPHER", "00 2A 80 86", _READS, Basis.CLIENT, hides_response=True),
    Form("PSO DECIPHER", "00 2A 80 84", _READS, Basis.STATED, hides_response=True),
    Form("PSO DECIPHER", "80 2A 80 84", _READS, Basis.CLIENT, hides_response=True),
    Form("PSO KEY AGREEMENT", "00 2A 80 A6", _READS, Basis.CLIENT, hides_response=True),
    Form("PSO ENCIPHER", "00 2A 8. 80", _READS, Basis.STATED, hides=True),
    Form("PSO HASH", "00 2A 90 ..", Effect.SELECTS, Basis.STATED),
    Form("PSO VERIFY DIGITAL SIGNATURE", "00 2A 00 A8", _READS, Basis.STATED),
    Form("PSO VERIFY CERTIFICATE", "00 2A 00 .E", Effect.SELECTS, Basis.STATED),
    Form("GENERATE KEY PAIR", "00 46 00 00", Effect.WRITES | Effect.DESTROYS, Basis.CLIENT, _generate),
    Form("GENERATE KEY PAIR", "00 47 00 00", Effect.WRITES | Effect.DESTROYS, Basis.CLIENT, _generate_pair),
    Form("GET CHALLENGE", "00 84 .. ..", _READS, Basis.CLIENT, _challenge),
    Form(
        "GENERAL AUTHENTICATE",
        "00 87 00 00",
        Effect.SPENDS_TRIES,
        Basis.CLIENT,
        _general_authenticate,
        hides=True,
    ),
    Form("GIVE RANDOM", "80 86 00 00", Effect.SELECTS, Basis.CLIENT),
    Form("INTERNAL AUTHENTICATE", "00 88 .. ..", _READS, Basis.CLIENT, _authenticate),
    Form(
        "EXTERNAL AUTHENTICATE", "00 82 .. ..", Effect.SPENDS_TRIES, Basis.CLIENT, _authenticate, hides=True
    ),
)
