"""Finds out why a cluster cannot be used: aiokafka only logs it, and says "no connection".

It connects by hand, first to the servers of the settings, then to those that they name: what is
wrong may be wrong with the second kind only, as a certificate that is made out to another name.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, OAuthAuthenticator, collect_hosts
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

Address = tuple[str, int]

# How long a server may take to say that it does not like our certificate.
_SILENCE_S: Final = 2.0
# How long a connection may take to be closed in order; one without a handshake never is.
_CLOSING_S: Final = 0.2
# What RFC 7628 has a client say to a server that has not taken its token, to be told why.
_GO_ON: Final = b"\x01"

# What no waiting mends: wrong passwords, mechanisms and certificates.
_REFUSALS: Final = (
    AuthenticationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    ssl.SSLError,
)
# Of TLS's errors, those of a connection that is cut off.
_CUT_OFF: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
# What aiokafka raises, bare, in an exchange whose other side breaks the rules of SASL.
BROKEN_RULES: Final = (ValueError, LookupError, AssertionError, TypeError)


class _Token(OAuthAuthenticator):  # type: ignore[misc]  # aiokafka's classes are Any to mypy
    """Shows a token, and hears what becomes of it.

    aiokafka 0.14.0 takes any answer for a yes. A broker that does not take a token says so in its
    answer, and is an error only when it is asked to go on.
    """

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """The next message, given the server's last; None when there is nothing more to say."""
        first: tuple[bytes, bool] | None = await super().step(payload)
        return (_GO_ON, True) if first is None and payload else first


class _Connection(AIOKafkaConnection):  # type: ignore[misc]  # the same
    def authenticator_oauth(self) -> _Token:
        return _Token(sasl_oauth_token_provider=self._sasl_oauth_token_provider)


async def find_refusal(options: dict[str, Any], within_s: float) -> str | None:
    """Find out whether a cluster refuses us, or we it.

    Args:
        options: what all aiokafka clients are given.
        within_s: how long to look, in seconds.

    Returns:
        What is wrong, in one line, that no waiting mends; None where no such thing was found.
    """
    look = _look_for_tls(options) if options["ssl_context"] is None else _look(options, within_s)
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            return await look
    return None


async def _look_for_tls(options: dict[str, Any]) -> str | None:
    """Whether a server speaks TLS, where we are set to speak in clear."""
    for host, port, _ in collect_hosts(options["bootstrap_servers"], randomize=False):
        with suppress(OSError):
            async with asyncio.timeout(_SILENCE_S):
                _, writer = await asyncio.open_connection(host, port, ssl=_anybody())
            writer.transport.abort()
            return f"{_name((host, port))} speaks TLS: set security_protocol to SSL or SASL_SSL"
    return None


def _anybody() -> ssl.SSLContext:
    """A context that trusts anybody, to whom nothing is said."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _look(options: dict[str, Any], within_s: float) -> str | None:
    common = options | {"request_timeout_ms": round(within_s * 1000)}
    hosts = collect_hosts(common.pop("bootstrap_servers"), randomize=False)
    seen: set[Address] = set()
    waiting: list[Address] = [(host, port) for host, port, _ in hosts]
    while waiting:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        try:
            waiting += await _visit(address, common)
        except _REFUSALS as error:
            return _explain(address, error)
        except (KafkaError, OSError):  # a timeout is an OSError too
            continue
        except BROKEN_RULES:
            return f"{_name(address)} does not keep to the rules of SASL"
    return None


async def _visit(address: Address, options: dict[str, Any]) -> list[Address]:
    """Connect, and ask for the addresses of all brokers."""
    connection = _Connection(*address, **options)
    try:
        await connection.connect()
        answer = await connection.send(MetadataRequest([]))
        return [(broker[1], broker[2]) for broker in answer.brokers]
    except _CUT_OFF:
        return []
    except _REFUSALS:
        raise
    except (KafkaError, OSError) as error:
        # In TLS 1.3 our handshake is done before the server looks at our certificate.
        if isinstance(error.__cause__, ssl.SSLError) and not isinstance(error.__cause__, _CUT_OFF):
            raise error.__cause__ from None
        await _listen(address, options["ssl_context"])
        return []
    finally:
        if (closed := connection.close()) is not None:
            await asyncio.wait({closed}, timeout=_CLOSING_S)


async def _listen(address: Address, context: ssl.SSLContext) -> None:
    """Connect and say nothing.

    What a server says before it closes is lost when something of ours is still under way to it.

    Raises:
        ssl.SSLError: it does not take our certificate.
        OSError: it cannot be reached, or says nothing.
    """
    async with asyncio.timeout(_SILENCE_S):
        reader, writer = await asyncio.open_connection(*address, ssl=context)
        try:
            await reader.read(1)
        except _CUT_OFF as error:
            raise ConnectionResetError from error
        finally:
            writer.transport.abort()


def _explain(address: Address, error: Exception) -> str:
    """Say in one line what is wrong."""
    name = _name(address)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{name} is not to be trusted: {error.verify_message.rstrip('.')}"
    reason = getattr(error, "reason", None) or ""
    if reason == "WRONG_VERSION_NUMBER":
        return f"{name} does not speak TLS"
    if "CERTIFICATE_REQUIRED" in reason:
        return f"{name} refuses us: it wants a certificate of ours (cert_file)"
    if isinstance(error, ssl.SSLError) and "ALERT" in reason:
        what = reason.partition("ALERT_")[2].lower().replace("_", " ")
        return f"{name} refuses us: {what}; is our certificate (cert_file) right?"
    return f"{name} refuses us: {' '.join(str(error).split())}"


def _name(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
