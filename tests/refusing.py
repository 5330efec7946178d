"""A broker that speaks TLS and as much of Kafka's protocol as it takes to refuse a password."""

from __future__ import annotations

import socketserver
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_SASL_HANDSHAKE, _API_VERSIONS, _SASL_AUTHENTICATE = 17, 18, 36
_AUTHENTICATION_FAILED = 58


class Certificate(NamedTuple):
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""

    file: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    """Make a certificate that lasts for a day."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {made.key} -out {made.file}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return made


class _Refusing(socketserver.BaseRequestHandler):
    """Answers what comes before a password, and then that it is wrong."""

    server: _Server

    def handle(self) -> None:
        """Talk until the client goes."""
        with (
            suppress(OSError),
            self.server.context.wrap_socket(self.request, server_side=True) as connection,
        ):
            while size := connection.recv(4):
                request = connection.recv(struct.unpack(">i", size)[0])
                answer = request[4:8] + _body(struct.unpack_from(">h", request)[0])
                connection.sendall(struct.pack(">i", len(answer)) + answer)


def _body(api_key: int) -> bytes:
    if api_key == _API_VERSIONS:
        known = [(_API_VERSIONS, 0, 0), (_SASL_HANDSHAKE, 1, 1), (_SASL_AUTHENTICATE, 0, 0)]
        return struct.pack(">hi", 0, len(known)) + b"".join(
            struct.pack(">hhh", *each) for each in known
        )
    if api_key == _SASL_HANDSHAKE:
        return struct.pack(">hi", 0, 1) + _string("PLAIN")
    assert api_key == _SASL_AUTHENTICATE
    return struct.pack(">h", _AUTHENTICATION_FAILED) + _string("wrong password") + bytes(4)


def _string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__(("127.0.0.1", 0), _Refusing)


@contextmanager
def refusing_broker(certificate: Certificate) -> Iterator[str]:
    """Run the broker while the context lasts.

    Yields:
        Its address.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    with _Server(context) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
