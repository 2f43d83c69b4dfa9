"""Unix sockets that are private to their owner, and a thread for each program that comes to one."""

from cardtwin.sockets.paths import SocketPathError, listen, private_directory
from cardtwin.sockets.peer import Peer
from cardtwin.sockets.server import SocketServer

__all__ = ["Peer", "SocketPathError", "SocketServer", "listen", "private_directory"]
