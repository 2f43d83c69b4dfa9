"""EF.CIAInfo (ISO/IEC 7816-15, 8.10), which PKCS#15 calls EF.TokenInfo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cardtwin.iso7816 import Tlv
from cardtwin.pkcs15 import asn1
from cardtwin.pkcs15.errors import Pkcs15Error
from cardtwin.pkcs15.flags import TokenFlags, flags_of, named_bits
from cardtwin.pkcs15.parsing import BROKEN, elements

__all__ = ["Algorithm", "TokenInfo"]


_NO_FLAGS: Final = TokenFlags(0)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm of the card (8.10): AlgorithmInfo.

    Attributes:
        reference: Its number in this list.
        mechanism: The PKCS#11 mechanism.
        parameters: DER of the parameters; NULL where there are none.
        operations: The operations' bits, bit 0 of the standard first.
        oid: The algorithm's object identifier.
        card_reference: Its number in the card's commands.
    """

    reference: int
    mechanism: int
    parameters: bytes = b"\x05\x00"
    operations: tuple[int, ...] = ()
    oid: str | None = None
    card_reference: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInfo:
    """What a token says about itself.

    Attributes:
        serial: The serial number.
        manufacturer: Who made it; may be empty.
        label: The token's label; may be empty.
        flags: What it can do, and what it demands.
        version: 0 for PKCS#15, 1 for 7816-15.
        algorithms: What it can compute; may be empty.
    """

    serial: bytes
    manufacturer: str = ""
    label: str = ""
    flags: TokenFlags = _NO_FLAGS
    version: int = 0
    algorithms: tuple[Algorithm, ...] = ()

    def encode(self) -> bytes:
        """Return the DER."""
        before, after = self.around_serial()
        return Tlv(0x30, before + Tlv(0x04, self.serial).encode() + after).encode()

    def around_serial(self) -> tuple[bytes, bytes]:
        """Return the elements before and behind the serial number, for whoever fills that in later.

        The whole is a SEQUENCE (30) of the first, an OCTET STRING (04) of the serial, and the second.

        Raises:
            Pkcs15Error: A value has no encoding.
        """
        try:
            before = asn1.Integer(self.version).dump()
            maker = asn1.UTF8String(self.manufacturer).dump() if self.manufacturer else b""
            label = Tlv(0x80, self.label.encode()).encode() if self.label else b""
            flags = asn1.BitString(named_bits(self.flags)).dump()
            algorithms = Tlv(0xA2, b"".join(map(_algorithm, self.algorithms))).encode()
        except (ValueError, TypeError) as error:
            raise Pkcs15Error(f"TokenInfo: {error}") from error

        return before, maker + label + flags + (algorithms if self.algorithms else b"")

    @classmethod
    def parse(cls, content: bytes) -> TokenInfo:
        """Read the file; what stands behind the structure is left alone.

        Raises:
            Pkcs15Error: The file doesn't begin with one.
        """
        der = next(elements(content), b"")

        try:
            info = asn1.TokenInfoAsn1.load(der)
            return cls(
                serial=info["serial"].native,
                manufacturer=info["manufacturer"].native or "",
                label=(info["label"].native or "").rstrip(),
                flags=flags_of(TokenFlags, info["flags"].native),
                version=info["version"].native,
                algorithms=tuple(_algorithm_of(found) for found in _list(info["algorithms"])),
            )
        except BROKEN as error:
            raise Pkcs15Error("the file does not begin with a TokenInfo") from error


def _algorithm(item: Algorithm) -> bytes:
    fields: dict[str, object] = {
        "reference": item.reference,
        "algorithm": item.mechanism,
        "parameters": asn1.Any.load(item.parameters),
        "operations": item.operations,
    }
    optional = {"oid": item.oid, "algorithm_reference": item.card_reference}
    fields |= {name: value for name, value in optional.items() if value is not None}
    return bytes(asn1.AlgorithmInfo(fields).dump())


def _list(algorithms: asn1.Algorithms) -> list[asn1.AlgorithmInfo]:
    return list(algorithms) if algorithms.native is not None else []


def _algorithm_of(found: asn1.AlgorithmInfo) -> Algorithm:
    oid = found["oid"]
    return Algorithm(
        found["reference"].native,
        found["algorithm"].native,
        bytes(found["parameters"].dump()),
        tuple(found["operations"].native),
        oid.dotted if oid.native is not None else None,
        found["algorithm_reference"].native,
    )
