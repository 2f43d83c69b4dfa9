"""Programs above a reader with a PIN pad, through pyscard, run as ``python pin_pad_programs.py NAME``.

A line ``enter ...`` asks the person to enter something. What fails ends the program. Structures are packed
here from their layout in C, apart from the reader's own.
"""

from __future__ import annotations

import struct
import sys

from smartcard.pcsc.PCSCPart10 import (
    FEATURE_MODIFY_PIN_DIRECT,
    FEATURE_VERIFY_PIN_DIRECT,
    getFeatureRequest,
    getPinProperties,
    getTlvProperties,
    hasFeature,
)
from smartcard.System import readers

from cardtwin.pcsc import Feature
from cardtwin.readers.physical import PhysicalContext

VERIFY = struct.pack("<BBBBBHBBHB3sI", 30, 30, 0x82, 8, 0, 0x0408, 2, 0, 0x0409, 0, bytes(3), 13)
VERIFY += bytes.fromhex("00200081 08") + bytes(8)
MODIFY = struct.pack(
    "<BBBBBBBHBBBHBBB3sI", 30, 30, 0x82, 8, 0, 0, 8, 0x0408, 3, 2, 3, 0x0409, 0, 1, 2, bytes(3), 21
)
MODIFY += bytes.fromhex("00240081 10") + bytes(16)


def enter(*entries: str) -> None:
    sys.stdout.write(f"enter {' '.join(entries)}\n")
    sys.stdout.flush()


class Program:
    """A program that is connected to the card, and knows the reader's features."""

    def __init__(self) -> None:
        (reader,) = readers()
        self.connection = reader.createConnection()
        self.connection.connect()
        self.features = getFeatureRequest(self.connection)

    def answer(self, feature: int, data: bytes) -> bytes:
        return bytes(self.connection.control(hasFeature(self.features, feature), list(data)))


def verify() -> None:
    program = Program()
    enter("1234")
    assert program.answer(FEATURE_VERIFY_PIN_DIRECT, VERIFY) == b"\x90\x00"


def modify() -> None:
    program = Program()
    enter("1234", "567890", "567890")
    assert program.answer(FEATURE_MODIFY_PIN_DIRECT, MODIFY) == b"\x90\x00"
    enter("1234")
    assert program.answer(FEATURE_VERIFY_PIN_DIRECT, VERIFY)[0] == 0x63
    enter("567890")
    assert program.answer(FEATURE_VERIFY_PIN_DIRECT, VERIFY) == b"\x90\x00"


def cancelled() -> None:
    program = Program()
    enter("cancel")
    assert program.answer(FEATURE_VERIFY_PIN_DIRECT, VERIFY) == b"\x64\x01"
    enter("123")
    assert program.answer(FEATURE_VERIFY_PIN_DIRECT, VERIFY) == b"\x64\x03"
    enter("1234", "567890", "567891")
    assert program.answer(FEATURE_MODIFY_PIN_DIRECT, MODIFY) == b"\x64\x02"


def properties() -> None:
    program = Program()
    pin = getPinProperties(program.connection, program.features)
    assert (pin["LcdLayoutX"], pin["LcdLayoutY"], pin["EntryValidationCondition"]) == (16, 2, 7), pin
    told = getTlvProperties(program.connection, program.features)
    assert told["PCSCv2_PART10_PROPERTY_bMaxPINSize"] == 16, told


def physical() -> None:
    """The middleware's own way to the system's readers finds the features too, and uses them."""
    with PhysicalContext() as context, context.connect(*context.readers()) as connection:
        code = connection.features()[Feature.VERIFY_PIN_DIRECT]
        enter("1234")
        assert connection.control(code, VERIFY) == b"\x90\x00"


if __name__ == "__main__":
    globals()[sys.argv[1]]()
