"""Reads the token of OAUTHBEARER from a file, as Kubernetes and others put it there and renew it.

Tokens live for minutes. So the file is read again for every connection: that finds the newest.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import AuthenticationFailedError

# What RFC 6750 lets a token be made of. Anything else could end it early on the wire.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_LARGEST_BYTES: Final = 64 * 1024
_LAST_S: Final = datetime.max.replace(tzinfo=UTC).timestamp()


class TokenError(AuthenticationFailedError):  # type: ignore[misc]  # aiokafka's classes are Any to mypy
    """There is no token that could be shown; the message says why and never quotes it."""

    def __str__(self) -> str:
        """The message alone, without the class's name."""
        return str(self.args[0])


class TokenFile(AbstractTokenProvider):  # type: ignore[misc]  # the same
    """Hands out what a file holds, to any number of clients and event loops."""

    def __init__(self, file: Path) -> None:
        """Take the file; it need not be there yet."""
        self._file = file

    async def token(self) -> str:
        """The token that the file holds now.

        Raises:
            TokenError: the file cannot be read, holds no token, or one that is over.
        """
        return await asyncio.to_thread(read_token, self._file)


def read_token(file: Path) -> str:
    """Read a token.

    Raises:
        TokenError: the file cannot be read, holds no token, or one that is over.
    """
    try:
        with file.open("rb") as opened:
            raw = opened.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise TokenError(f"token {file}: {error.strerror or error}") from error
    token = raw.decode("ascii", "replace").strip()
    if len(raw) > _LARGEST_BYTES or not _TOKEN.fullmatch(token):
        raise TokenError(f"token {file}: this is no token")
    end = _end(token)
    if end is not None and end <= time.time():
        when = datetime.fromtimestamp(end, UTC).isoformat(timespec="seconds")
        raise TokenError(f"token {file}: it ended at {when}, and nobody has renewed it")
    return token


def _end(token: str) -> float | None:
    """When a token ends, in seconds since 1970; None where it does not say.

    Only the broker checks tokens. This is looked at to tell what is wrong with one.
    """
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - of a signed JSON Web Token: header, claims, signature
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    end = claims.get("exp") if isinstance(claims, dict) else None
    # A number that is no date says nothing: a broker may think otherwise of it.
    return float(end) if isinstance(end, int | float) and 0 < end < _LAST_S else None
