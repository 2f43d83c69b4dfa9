from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardtwin.hosting import HostLostError, ProtocolError
from cardtwin.hosting.messages import VERSION, Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
Ends = tuple[Channel, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A channel, and the bare socket at its other end."""
    ours, theirs = socket.socketpair()

    with Channel(ours) as channel, theirs:
        yield channel, theirs


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.dictionaries(st.text().filter(lambda key: key != "cardtwin"), JSON))
def test_a_message_arrives_as_it_was_sent(ends: Ends, message: dict[str, object]) -> None:
    channel, theirs = ends
    channel.send(message)
    theirs.sendall(theirs.recv(1 << 20))
    assert channel.receive() == message


@pytest.mark.parametrize("line", [b"[]\n", b"hello\n", b"\xff\n", b"7\n", b"\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_message_is_told(ends: Ends, line: bytes) -> None:
    channel, theirs = ends
    theirs.sendall(line)

    with pytest.raises(ProtocolError, match="no message"):
        channel.receive()


@pytest.mark.parametrize("line", [b"{}\n", b'{"cardtwin": 99}\n'])
def test_another_version_is_told_with_both(ends: Ends, line: bytes) -> None:
    channel, theirs = ends
    theirs.sendall(line)

    with pytest.raises(ProtocolError, match=rf"is of version (None|99), and version {VERSION} is"):
        channel.receive()


@pytest.mark.parametrize("part", [b"", b'{"cardtwin"'])
def test_the_end_of_the_connection_is_told(ends: Ends, part: bytes) -> None:
    channel, theirs = ends
    theirs.sendall(part)
    theirs.close()

    with pytest.raises(HostLostError, match="gone"):
        channel.receive()

    with pytest.raises(HostLostError, match="gone"):
        channel.send({})


def test_an_answer_that_does_not_come_is_not_waited_for_any_longer(ends: Ends) -> None:
    channel, _ = ends

    with pytest.raises(HostLostError, match="no answer for"):
        channel.receive(0.01)


def test_whether_there_is_a_message_is_known_without_taking_it(ends: Ends) -> None:
    channel, theirs = ends
    assert not channel.is_readable(0)
    theirs.sendall(b'{"cardtwin": 1, "a": 2}\n')
    assert channel.is_readable(None)
    assert channel.receive() == {"a": 2}
