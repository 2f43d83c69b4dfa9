"""A TLS server in this process that asks for a client's certificate, and OpenSSL's client with a card."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from cardtwin.login import LoginRefusedError
from support.interop import TIMEOUT

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from cardtwin.login import DigitalAccess
    from support.rig import Rig

ENGINE: Final = ("-engine", "pkcs11", "-keyform", "engine")
REQUEST: Final = "GET / HTTP/1.0\r\n\r\n"
_CONFIGURATION: Final = """openssl_conf = initialisation
[initialisation]
engines = engines
[engines]
pkcs11 = card
[card]
engine_id = pkcs11
MODULE_PATH = {}
init = 0
"""


def openssl(rig: Rig, *arguments: str, told: str = "", succeeds: bool = True) -> str:
    """Run OpenSSL, with the card at hand as the engine ``pkcs11``."""
    rig.write("openssl.cnf", _CONFIGURATION.format(rig.library))
    return rig.run("openssl", *arguments, told=told, succeeds=succeeds, OPENSSL_CONF="openssl.cnf")


def key_on_card(token: str, label: str, pin: str) -> str:
    """Return a key on a card, with its PIN, as the engine calls it."""
    return f"pkcs11:token={quote(token)};object={quote(label)};type=private;pin-value={pin}"


def greeting(access: DigitalAccess, method: str, certificate: bytes) -> str:
    """Return what a server says to who has proved a certificate: whom Digital Access takes it for."""
    try:
        return f"Hello {access.identify(method, certificate).user}"
    except LoginRefusedError as error:
        return f"No: {error.refusal.name}"


def visit(
    rig: Rig, context: ssl.SSLContext, greet: Callable[[bytes], str], *arguments: str
) -> tuple[str, bytes]:
    """Let OpenSSL's client visit a server.

    Args:
        rig: Where the client runs.
        context: The server's.
        greet: What the server answers to who has proved a certificate; called in this thread.
        arguments: The client's own.

    Returns:
        What the client printed, and the certificate that it proved.

    Raises:
        ssl.SSLError: The server lets it not in.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(TIMEOUT)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        command = ("s_client", "-connect", address, "-quiet", "-verify_return_error", *arguments)
        page = pool.submit(openssl, rig, *command, told=REQUEST)
        presented = _serve(listener, context, greet)
        return page.result(TIMEOUT), presented


def _serve(listener: socket.socket, context: ssl.SSLContext, greet: Callable[[bytes], str]) -> bytes:
    connection, _ = listener.accept()
    connection.settimeout(TIMEOUT)

    with context.wrap_socket(connection, server_side=True) as secured:
        certificate = secured.getpeercert(binary_form=True)
        assert certificate is not None
        answer = greet(certificate)
        secured.recv(len(REQUEST))
        secured.sendall(f"HTTP/1.0 200 OK\r\n\r\n{answer}\r\n".encode())

        with suppress(OSError):  # whether the client says good-bye too is its affair
            secured.unwrap()

    return certificate
