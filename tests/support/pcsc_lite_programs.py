"""What pcsc-lite's own UnitaryTests look at, as programs of ours, run as ``python PATH NAME``.

They run in processes of their own: libpcsclite reads its environment once. Each prints what it was told, and
the same lines have to come on our socket and in a real pcscd. Lines with a star are for the hand.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from smartcard import scard

from support.pyscard_programs import checked, code, connected, established, say, transmit

if TYPE_CHECKING:
    from collections.abc import Callable

SELECT_MF = "00A4000C023F00"
BOUND = 20.0
BOUND_MS = 20000
MOMENT = 0.2
SHARED, DIRECT = scard.SCARD_SHARE_SHARED, scard.SCARD_SHARE_DIRECT
EXCLUSIVE = scard.SCARD_SHARE_EXCLUSIVE
LEAVE, RESET, UNPOWER = scard.SCARD_LEAVE_CARD, scard.SCARD_RESET_CARD, scard.SCARD_UNPOWER_CARD
ANY = scard.SCARD_PROTOCOL_ANY
PNP = "\\\\?PnP?\\Notification"

States = list[tuple[str, int]]


def told(name: str, answer: Any) -> list[Any]:
    """Print what a function was told, and return what it gives beside that."""
    result, *values = answer if isinstance(answer, (list, tuple)) else (answer,)
    say(name, code(result))
    return values


def names(context: int) -> list[str]:
    (found,) = checked(scard.SCardListReaders(context, []))
    return list(found)


def connect(context: int, share: int, reader: str | None = None) -> tuple[int, int]:
    handle, protocol = checked(scard.SCardConnect(context, reader or names(context)[0], share, ANY))
    return int(handle), int(protocol)


def unaware(context: int) -> States:
    return [(name, scard.SCARD_STATE_UNAWARE) for name in names(context)]


def known(context: int) -> States:
    """Return the readers' states as they are."""
    (now,) = checked(scard.SCardGetStatusChange(context, 0, unaware(context)))
    return [(name, state) for name, state, _ in now]


def until(context: int, bit: int) -> None:
    """Wait until the first reader's state has a bit."""
    states = known(context)[:1]

    while not states[0][1] & bit:
        (now,) = checked(scard.SCardGetStatusChange(context, BOUND_MS, states))
        states = [(name, state) for name, state, _ in now]


def card_is_out() -> None:
    say("*remove")
    until(established(), scard.SCARD_STATE_EMPTY)


def card_is_in() -> None:
    say("*insert")
    until(established(), scard.SCARD_STATE_PRESENT)


def tell_status(handle: int) -> None:
    """Print a connection's status: the low bits of the state, which are the card's."""
    result, name, state, protocol, atr = scard.SCardStatus(handle)
    say("status", code(result), name, hex(state & 0xFFFF), protocol, bytes(atr).hex())


def after_removal() -> None:
    """A connection to a card that was taken out; the one that came back keeps its power."""
    _, handle, _ = connected()
    card_is_out()
    tell_status(handle)
    say("transmit", code(scard.SCardTransmit(handle, 2, list(bytes.fromhex(SELECT_MF)))[0]))
    told("reconnect", scard.SCardReconnect(handle, EXCLUSIVE, ANY, LEAVE))
    card_is_in()
    (protocol,) = told("reconnect", scard.SCardReconnect(handle, EXCLUSIVE, ANY, LEAVE))
    tell_status(handle)
    say(protocol, transmit(handle, protocol, SELECT_MF))


def disconnect_in_nested_transaction() -> None:
    context, handle, _ = connected()
    told("begin", scard.SCardBeginTransaction(handle))
    told("begin", scard.SCardBeginTransaction(handle))
    told("disconnect", scard.SCardDisconnect(handle, RESET))
    say(transmit(*connect(context, SHARED), SELECT_MF))
    told("release", scard.SCardReleaseContext(context))


def exclusive_after_transaction() -> None:
    context, first, _ = connected()
    second, _ = connect(context, SHARED)
    told("begin", scard.SCardBeginTransaction(first))
    told("disconnect", scard.SCardDisconnect(second, LEAVE))
    told("end", scard.SCardEndTransaction(first, LEAVE))
    told("disconnect", scard.SCardDisconnect(first, LEAVE))
    told("connect", scard.SCardConnect(context, names(context)[0], EXCLUSIVE, ANY))


def end_by_another() -> None:
    context, first, _ = connected()
    second, _ = connect(context, SHARED)
    told("begin", scard.SCardBeginTransaction(first))
    told("end", scard.SCardEndTransaction(second, UNPOWER))
    tell_status(first)
    told("end", scard.SCardEndTransaction(first, LEAVE))


def release_beside_a_transaction() -> None:
    """A context is released while another's transaction lasts; a third one waits for its end."""
    bystander, *_ = connected()
    _, holding, protocol = connected()
    _, waiting, _ = connected()
    told("begin", scard.SCardBeginTransaction(holding))
    told("release", scard.SCardReleaseContext(bystander))

    def wait() -> None:
        told("begin", scard.SCardBeginTransaction(waiting))

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(MOMENT)
    say(transmit(holding, protocol, SELECT_MF), "before the end")
    checked(scard.SCardEndTransaction(holding, LEAVE))
    thread.join(BOUND)
    say(transmit(waiting, protocol, SELECT_MF))


def blocking() -> None:
    """Which functions wait for the end of another's transaction."""
    context, holding, protocol = connected()
    reader = names(context)[0]
    other, handle, _ = connected()
    select = list(bytes.fromhex(SELECT_MF))

    def transaction() -> None:
        checked(scard.SCardBeginTransaction(handle))
        checked(scard.SCardEndTransaction(handle, LEAVE))

    calls: dict[str, Callable[[], object]] = {
        "reconnect": lambda: checked(scard.SCardReconnect(handle, SHARED, ANY, LEAVE)),
        "transmit": lambda: checked(scard.SCardTransmit(handle, protocol, select)),
        "status": lambda: checked(scard.SCardStatus(handle)),
        "connect": lambda: checked(scard.SCardConnect(other, reader, SHARED, ANY)),
        "transaction": transaction,
    }

    for name, call in calls.items():
        checked(scard.SCardBeginTransaction(holding))
        thread = threading.Thread(target=lambda call=call: say("returned", bool(call())))
        thread.start()
        thread.join(MOMENT)
        say(name, "before the end")
        checked(scard.SCardEndTransaction(holding, LEAVE))
        thread.join(BOUND)


def started_wait(context: int) -> threading.Thread:
    """Start a wait for what doesn't happen; it prints how it has ended."""
    states = known(context)
    thread = threading.Thread(
        target=lambda: say("wait", code(scard.SCardGetStatusChange(context, BOUND_MS, states)[0]))
    )
    thread.start()
    return thread


def cancelled(context: int, thread: threading.Thread) -> None:
    """Cancel a wait until it has ended."""
    while thread.is_alive():
        scard.SCardCancel(context)


def cancel() -> None:
    """A wait is cancelled; then the context and its connections are as before."""
    context, handle, _ = connected()
    told("cancel", scard.SCardCancel(context))
    cancelled(context, started_wait(context))
    card_is_out()
    tell_status(handle)
    told("release", scard.SCardReleaseContext(context))


def direct() -> None:
    """A direct connection settles no protocol, and leaves alone one that is settled."""
    context = established()
    handle, protocol = connect(context, DIRECT)
    say("direct", protocol)
    say("direct", *told("reconnect", scard.SCardReconnect(handle, DIRECT, ANY, LEAVE)))
    told("disconnect", scard.SCardDisconnect(handle, LEAVE))
    handle, protocol = connect(context, SHARED)
    say("shared", protocol, *told("reconnect", scard.SCardReconnect(handle, DIRECT, ANY, LEAVE)))
    told("disconnect", scard.SCardDisconnect(handle, RESET))


def direct_between() -> None:
    """Direct connections between others leave the card usable."""
    context = established()

    for _ in range(2):
        handle, protocol = connect(context, SHARED)
        say(transmit(handle, protocol, SELECT_MF))
        told("disconnect", scard.SCardDisconnect(handle, LEAVE))
        handle, _ = connect(context, DIRECT)
        told("disconnect", scard.SCardDisconnect(handle, LEAVE))

    handle, protocol = connect(context, SHARED)
    told("reconnect", scard.SCardReconnect(handle, DIRECT, ANY, LEAVE))
    say(transmit(handle, protocol, SELECT_MF))


def extra_end() -> None:
    _, handle, _ = connected()
    told("begin", scard.SCardBeginTransaction(handle))
    told("end", scard.SCardEndTransaction(handle, LEAVE))
    told("end", scard.SCardEndTransaction(handle, LEAVE))


def exclusive() -> None:
    one, other = established(), established()
    reader = names(one)[0]
    handle, _ = connect(one, EXCLUSIVE)
    told("shared", scard.SCardConnect(other, reader, SHARED, ANY))
    told("disconnect", scard.SCardDisconnect(handle, LEAVE))
    connect(one, SHARED)
    told("exclusive", scard.SCardConnect(other, reader, EXCLUSIVE, ANY))


def status_change() -> None:
    """States at once, a wait in vain, and the changes of a removal and an insertion."""
    context = established()
    (now,) = checked(scard.SCardGetStatusChange(context, 0, unaware(context)))
    say([(name, hex(state), bytes(atr).hex()) for name, state, atr in now])

    for states in (known(context), [*known(context), (PNP, scard.SCARD_STATE_UNAWARE)]):
        result, now = scard.SCardGetStatusChange(context, 50, states)
        say(code(result), [(name, hex(state), bytes(atr).hex()) for name, state, atr in now])

    card_is_out()
    say([hex(state & 0xFFFF) for _, state in known(context)])
    card_is_in()
    (now,) = checked(scard.SCardGetStatusChange(context, 0, unaware(context)))
    say([(name, hex(state), bytes(atr).hex()) for name, state, atr in now])


def unknown_readers() -> None:
    states = [(name, scard.SCARD_STATE_UNAWARE) for name in "ab"]
    say(code(scard.SCardGetStatusChange(established(), 10, states)[0]))


def list_while_waiting() -> None:
    """A wait in one context doesn't keep another one from its calls."""
    waiting, other = established(), established()
    thread = started_wait(waiting)
    say([names(other) for _ in range(10)][-1], thread.is_alive())
    cancelled(waiting, thread)


def status() -> None:
    _, handle, _ = connected()
    tell_status(handle)
    card_is_out()
    tell_status(handle)


def handles() -> None:
    """Handles that never were, and those that are no more."""
    context, handle, _ = connected()
    told("disconnect", scard.SCardDisconnect(123456, LEAVE))
    told("release", scard.SCardReleaseContext(123456))

    for _ in range(2):
        told("disconnect", scard.SCardDisconnect(handle, LEAVE))

    for _ in range(2):
        told("release", scard.SCardReleaseContext(context))


def contexts_in_threads() -> None:
    def stress() -> None:
        for _ in range(10):
            checked(scard.SCardReleaseContext(established()))

    in_threads(30, stress)


def connections_in_threads() -> None:
    def stress() -> None:
        context = established()
        reader = names(context)[0]

        for _ in range(10):
            handle, _ = connect(context, SHARED, reader)
            checked(scard.SCardDisconnect(handle, LEAVE))

        checked(scard.SCardReleaseContext(context))

    in_threads(10, stress)


def in_threads(count: int, work: Callable[[], None]) -> None:
    """Do something in threads at once, and print how many came to its end."""
    finished: list[bool] = []

    def run() -> None:
        work()
        finished.append(True)

    threads = [threading.Thread(target=run) for _ in range(count)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join(BOUND)

    say(len(finished), "of", count)


def reset() -> None:
    """Resets by reconnecting, exclusively, and by disconnecting."""
    context, handle, protocol = connected()
    told("reconnect", scard.SCardReconnect(handle, EXCLUSIVE, ANY, RESET))
    tell_status(handle)
    say(transmit(handle, protocol, SELECT_MF))
    told("disconnect", scard.SCardDisconnect(handle, RESET))
    say(transmit(*connect(context, SHARED), SELECT_MF))
    told("release", scard.SCardReleaseContext(context))


def loop() -> None:
    _, handle, protocol = connected()
    say({transmit(handle, protocol, SELECT_MF) for _ in range(200)})


def removed_during_a_command() -> None:
    """The card is gone before it answers."""
    _, handle, protocol = connected()
    told("transmit", scard.SCardTransmit(handle, protocol, list(bytes.fromhex(SELECT_MF)))[:1])
    until(established(), scard.SCARD_STATE_EMPTY)
    tell_status(handle)


def attributes() -> None:
    """What a reader tells of itself; only of our own readers the same is known."""
    _, handle, _ = connected(DIRECT)

    vendor = ("VENDOR_NAME", "VENDOR_IFD_VERSION", "VENDOR_IFD_SERIAL_NO")

    for name in (*vendor, "DEVICE_FRIENDLY_NAME_A", "ATR_STRING", "CHANNEL_ID"):
        (value,) = checked(scard.SCardGetAttrib(handle, getattr(scard, f"SCARD_ATTR_{name}")))
        say(bytes(value).hex())


def reader_goes_and_comes() -> None:
    """A reader is taken away under a connection, which still ends; another one comes."""
    context, handle, _ = connected()
    before = names(context)
    say("*take away")

    gone = [(before[0], scard.SCARD_STATE_UNAWARE)]

    while names(context) == before:
        scard.SCardGetStatusChange(context, 50, gone)

    told("status change", scard.SCardGetStatusChange(context, 0, gone)[:1])
    told("transmit", scard.SCardTransmit(handle, 2, list(bytes.fromhex(SELECT_MF)))[:1])
    told("disconnect", scard.SCardDisconnect(handle, LEAVE))
    say("*bring another")

    while len(names(context)) < len(before):
        scard.SCardGetStatusChange(context, 50, known(context))

    say(*names(context))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    say("done")
