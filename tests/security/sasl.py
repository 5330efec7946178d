"""The server's side of SASL, as Kafka's brokers speak it: PLAIN, SCRAM (RFC 5802), OAUTHBEARER.

Each mechanism is a generator: it is sent what the client says and yields what is answered; it
returns who the client is. It raises `RefusedLoginError` where Kafka answers with an error.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator
from typing import NamedTuple

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
_ITERATIONS = 4096

Exchange = Generator[bytes, bytes, tuple[str, bytes]]


class RefusedLoginError(Exception):
    """The client is not who it says; the message goes to it."""


class Users(NamedTuple):
    """Whom the cluster knows."""

    name: str
    password: str
    token: str
    # A server that does not know the password, as whoever only plays the cluster.
    is_impostor: bool = False


def exchange(mechanism: str, users: Users) -> Exchange:
    """Begin an exchange; it wants the client's first message."""
    if mechanism == "PLAIN":
        return _plain(users)
    if mechanism == "OAUTHBEARER":
        return _token(users)
    return _scram(users, {"256": hashlib.sha256, "512": hashlib.sha512}[mechanism[-3:]])


def _plain(users: Users) -> Exchange:
    _, name, password = (yield b"").split(b"\0")
    if (name.decode(), password.decode()) != (users.name, users.password):
        raise RefusedLoginError("Authentication failed: Invalid username or password")
    return users.name, b""


def _token(users: Users) -> Exchange:
    said = yield b""
    if said == b"n,,\x01auth=Bearer " + users.token.encode() + b"\x01\x01":
        return "token", b""
    # RFC 7628, 3.2.3: the error goes out as a challenge, and is final when the client goes on.
    error = '{"status":"invalid_token"}'
    assert (yield error.encode()) == b"\x01"
    raise RefusedLoginError(error)


def _scram(users: Users, digest: Callable[..., hashlib._Hash]) -> Exchange:
    def sign(key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, digest).digest()

    first = (yield b"").removeprefix(b"n,,")
    name, nonce = (part[2:] for part in first.split(b","))
    salt = secrets.token_bytes(16)
    password = secrets.token_bytes(8) if users.is_impostor else users.password.encode()
    salted = hashlib.pbkdf2_hmac(digest().name, password, salt, _ITERATIONS)
    nonce += secrets.token_hex(8).encode()
    challenge = b"r=%b,s=%b,i=%d" % (nonce, b64encode(salt), _ITERATIONS)
    bare, _, proof = (yield challenge).rpartition(b",p=")
    message = first + b"," + challenge + b"," + bare
    stored = digest(sign(salted, b"Client Key")).digest()
    proven = bytes(
        left ^ right for left, right in zip(b64decode(proof), sign(stored, message), strict=True)
    )
    is_right = name.decode() == users.name and digest(proven).digest() == stored
    if not is_right and not users.is_impostor:
        raise RefusedLoginError(
            "Authentication failed during authentication due to invalid credentials"
        )
    return users.name, b"v=" + b64encode(sign(sign(salted, b"Server Key"), message))
