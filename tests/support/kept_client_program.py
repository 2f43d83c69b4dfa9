"""Writes to a card over a PC/SC socket without end, and tells each command that was answered.

``python ... SOCKET READER``; it ends when the socket does.
"""

from __future__ import annotations

import sys
from pathlib import Path

from support.pcsclite import SUCCESS, RawClient

SELECT = bytes.fromhex("00A40000024401")
SIZE = 16


def main() -> None:
    with RawClient(Path(sys.argv[1])) as client:
        handle, protocol, result = client.connect(client.establish(), sys.argv[2])
        assert result == SUCCESS
        assert client.transmit(handle, SELECT, protocol=protocol)[1][-2:] == b"\x90\x00"

        for number in range(1 << 30):
            update = bytes.fromhex("00D60000") + bytes((SIZE,)) + number.to_bytes(SIZE)

            try:
                assert client.transmit(handle, update, protocol=protocol) == (SUCCESS, b"\x90\x00")
            except (EOFError, ConnectionError):
                return

            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
