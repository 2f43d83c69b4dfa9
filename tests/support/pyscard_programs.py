"""Small PC/SC programs above pyscard, run as ``python pyscard_programs.py NAME ARGUMENTS``.

They run in processes of their own: libpcsclite reads its environment once, and keeps threads and sockets.
What they have to say they print; a line from standard input is what they wait for where they wait.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from smartcard import scard


def checked(answer: Any) -> tuple[Any, ...]:
    """Return what a function gives besides its result; end the program where that is none of success."""
    result, *values = answer if isinstance(answer, (list, tuple)) else (answer,)

    if result != scard.SCARD_S_SUCCESS:
        raise SystemExit(code(result))

    return tuple(values)


def code(result: int) -> str:
    return f"0x{result & 0xFFFFFFFF:08X}"


def say(*what: object) -> None:
    sys.stdout.write(" ".join(map(str, what)) + "\n")
    sys.stdout.flush()


def established() -> int:
    (context,) = checked(scard.SCardEstablishContext(scard.SCARD_SCOPE_USER))
    return int(context)


def connected(share: int = scard.SCARD_SHARE_SHARED) -> tuple[int, int, int]:
    context = established()
    (names,) = checked(scard.SCardListReaders(context, []))
    handle, protocol = checked(scard.SCardConnect(context, names[0], share, scard.SCARD_PROTOCOL_ANY))
    return context, handle, protocol


def transmit(card: int, protocol: int, command: str) -> str:
    (response,) = checked(scard.SCardTransmit(card, protocol, list(bytes.fromhex(command))))
    return bytes(response).hex()


def readers() -> None:
    context = established()
    (names,) = checked(scard.SCardListReaders(context, []))
    say("|".join(names))


def card(*commands: str) -> None:
    """Send commands; then show what the reader tells of itself."""
    context, handle, protocol = connected()

    for command in commands:
        say(transmit(handle, protocol, command))

    name, _state, active, atr = checked(scard.SCardStatus(handle))
    say(name, active, bytes(atr).hex())
    (value,) = checked(scard.SCardGetAttrib(handle, scard.SCARD_ATTR_ATR_STRING))
    say(bytes(value).hex())
    checked(scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD))
    checked(scard.SCardReleaseContext(context))


def after_a_reset(command: str) -> None:
    """Send a command before and after somebody else's reset, and after reconnecting."""
    _, handle, protocol = connected()
    say(transmit(handle, protocol, command))
    input()
    say(code(scard.SCardTransmit(handle, protocol, list(bytes.fromhex(command)))[0]))
    shared, any_protocol = scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_ANY
    checked(scard.SCardReconnect(handle, shared, any_protocol, scard.SCARD_LEAVE_CARD))
    say(transmit(handle, protocol, command))


def await_insertion() -> None:
    context = established()
    (names,) = checked(scard.SCardListReaders(context, []))
    states = [(names[0], scard.SCARD_STATE_UNAWARE)]
    (now,) = checked(scard.SCardGetStatusChange(context, 0, states))
    say("empty" if now[0][1] & scard.SCARD_STATE_EMPTY else "full")

    while True:
        (now,) = checked(scard.SCardGetStatusChange(context, 20000, [(now[0][0], now[0][1])]))

        if now[0][1] & scard.SCARD_STATE_PRESENT:
            break

    say("full", bytes(now[0][2]).hex())


def cancel_a_wait() -> None:
    """Wait in one thread, cancel from another until that has an effect."""
    context = established()
    (names,) = checked(scard.SCardListReaders(context, []))
    (now,) = checked(scard.SCardGetStatusChange(context, 0, [(names[0], scard.SCARD_STATE_UNAWARE)]))
    results: list[int] = []

    def wait() -> None:
        results.append(scard.SCardGetStatusChange(context, 20000, [(now[0][0], now[0][1])])[0])

    waiting = threading.Thread(target=wait)
    waiting.start()

    while waiting.is_alive():
        scard.SCardCancel(context)

    say(code(results[0]))


def hold(command: str) -> None:
    """Begin a transaction, send a command, and go no further."""
    _, handle, protocol = connected()
    checked(scard.SCardBeginTransaction(handle))
    say(transmit(handle, protocol, command))
    input()


def transactions(who: str, turns: str) -> None:
    """Send three commands that belong together, again and again."""
    _, handle, protocol = connected()

    for turn in range(int(turns)):
        checked(scard.SCardBeginTransaction(handle))

        for step in range(3):
            transmit(handle, protocol, f"80{int(who):02x}{turn:02x}{step:02x}")

        checked(scard.SCardEndTransaction(handle, scard.SCARD_LEAVE_CARD))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
