"""Command and response APDUs (ISO/IEC 7816-3:2006, 12.1; 7816-4:2020, 5.2)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from cardtwin.iso7816.status import StatusWord

__all__ = ["ApduFormatError", "CommandApdu", "ResponseApdu"]

_SHORT_LC = 255
_SHORT_LE = 256
_EXTENDED_LC = 65535
_EXTENDED_LE = 65536


class ApduFormatError(ValueError):
    """A byte string is no APDU, or a field doesn't fit into one."""


@dataclass(frozen=True, slots=True, init=False)
class CommandApdu:
    """A command APDU of any of the four cases, in short or extended form.

    Attributes:
        cla, ins, p1, p2: The header.
        data: The command's data field; masked in the repr, since it may be a secret.
        le: The maximum number of response bytes expected, 1 to 65536; None expects none.
        extended: Whether the length fields are the extended ones.
    """

    cla: int
    ins: int
    p1: int = 0
    p2: int = 0
    data: bytes = field(default=b"", repr=False)
    le: int | None = None
    extended: bool = False

    def __init__(
        self,
        cla: int,
        ins: int,
        p1: int = 0,
        p2: int = 0,
        data: bytes = b"",
        le: int | None = None,
        extended: bool = False,  # noqa: FBT001, FBT002  # the fields in their order, as a dataclass takes them
    ) -> None:
        # Every command makes one of these, and what a frozen dataclass generates takes twice as long.
        _set_cla(self, cla)
        _set_ins(self, ins)
        _set_p1(self, p1)
        _set_p2(self, p2)
        _set_data(self, data)
        _set_le(self, le)
        _set_extended(self, extended)

    @classmethod
    def parse(cls, command: bytes) -> CommandApdu:
        """Read an APDU.

        Raises:
            ApduFormatError: The length fields don't fit the bytes (ISO/IEC 7816-3, 12.1.3).
        """
        if len(command) < 4:
            raise ApduFormatError(f"an APDU has at least 4 bytes, this has {len(command)}")

        cla, ins, p1, p2 = command[:4]
        body = command[4:]

        if len(body) <= 1:
            return cls(cla, ins, p1, p2, b"", (body[0] or _SHORT_LE) if body else None)

        if body[0]:
            data, le = _split(body, 1, body[0], _SHORT_LE)
            return cls(cla, ins, p1, p2, data, le)

        if len(body) == 3:
            return cls(cla, ins, p1, p2, b"", int.from_bytes(body[1:]) or _EXTENDED_LE, extended=True)

        if len(body) < 3 or not (length := int.from_bytes(body[1:3])):
            raise ApduFormatError("a zero Lc stands before data")

        data, le = _split(body, 3, length, _EXTENDED_LE)
        return cls(cla, ins, p1, p2, data, le, extended=True)

    def encode(self) -> bytes:
        """Return the bytes; takes the extended form where the attribute or a length asks for it.

        Raises:
            ApduFormatError: A length is beyond what the form can say.
        """
        le = self.le
        extended = self.extended or len(self.data) > _SHORT_LC or (le or 0) > _SHORT_LE

        if len(self.data) > _EXTENDED_LC or not (le is None or 1 <= le <= _EXTENDED_LE):
            raise ApduFormatError(f"Lc {len(self.data)} or Le {le} is out of range")

        header = bytes((self.cla, self.ins, self.p1, self.p2))

        if extended and (self.data or le is not None):
            lc = len(self.data).to_bytes(2) if self.data else b""
            tail = b"" if le is None else (le % _EXTENDED_LE).to_bytes(2)
            return header + b"\0" + lc + self.data + tail

        lc = bytes((len(self.data),)) if self.data else b""
        return header + lc + self.data + (b"" if le is None else bytes((le % _SHORT_LE,)))

    @property
    def chained(self) -> bool:
        """Whether bit 5 of CLA says that the command goes on in the next APDU (7816-4, 5.3.3)."""
        return bool(self.cla & 0x10) and not self.cla & 0x80

    @property
    def header(self) -> bytes:
        """CLA, INS, P1, P2."""
        return bytes((self.cla, self.ins, self.p1, self.p2))


_set_cla, _set_ins, _set_p1, _set_p2, _set_data, _set_le, _set_extended = (
    vars(CommandApdu)[place.name].__set__ for place in fields(CommandApdu)
)


def _split(body: bytes, start: int, length: int, all_bytes: int) -> tuple[bytes, int | None]:
    data, rest = body[start : start + length], body[start + length :]

    if len(data) < length or len(rest) not in {0, start if start == 1 else 2}:
        raise ApduFormatError(f"Lc says {length} bytes of data, {len(body) - start} bytes follow")

    return data, (int.from_bytes(rest) or all_bytes) if rest else None


@dataclass(frozen=True, slots=True)
class ResponseApdu:
    """A response APDU: data, masked in the repr, and a status word."""

    data: bytes = field(default=b"", repr=False)
    sw: StatusWord = StatusWord.SUCCESS

    @classmethod
    def parse(cls, response: bytes) -> ResponseApdu:
        """Read a response.

        Raises:
            ApduFormatError: It has fewer than 2 bytes.
        """
        if len(response) < 2:
            raise ApduFormatError(f"a response has at least 2 bytes, this has {len(response)}")

        return cls(response[:-2], StatusWord(int.from_bytes(response[-2:])))

    def encode(self) -> bytes:
        """Return the bytes."""
        return self.data + self.sw.to_bytes(2)
