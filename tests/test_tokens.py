"""Tokens from files: what is one, and what is wrong with what is none."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from service.tokens import TokenError, TokenFile, read_token


def _jwt(claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{body}.c2ln"


@pytest.mark.parametrize(
    "token",
    [
        "opaque",
        "with/all+of-its._~characters==",
        _jwt({"exp": 4_000_000_000}),
        _jwt({"sub": "desk"}),
        _jwt({"exp": 1e300}),
        _jwt({"exp": float("nan")}),
        _jwt({"exp": "soon"}),
        _jwt(["exp"]),
        "three.parts.only",
    ],
)
def test_tokens(token: str, tmp_path: Path) -> None:
    """A token is handed out as it stands; white space around it is not part of it."""
    file = tmp_path / "token"
    file.write_text(f" {token}\n")
    assert asyncio.run(TokenFile(file).token()) == token


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        (b"", "this is no token"),
        (b"two words", "this is no token"),
        (b"early\x01end", "this is no token"),
        ("caf\u00e9".encode(), "this is no token"),
        (b"a" * 100_000, "this is no token"),
        (_jwt({"exp": 1_000_000_000}).encode(), "it ended at 2001-09-09T01:46:40+00:00"),
    ],
)
def test_what_is_no_token(held: bytes, fault: str, tmp_path: Path) -> None:
    """What cannot be sent, or is over, is told with the file's name and without what it holds."""
    file = tmp_path / "token"
    file.write_bytes(held)
    with pytest.raises(TokenError) as caught:
        read_token(file)
    assert str(caught.value).startswith(f"token {file}: {fault}")
    assert not held or held.decode("utf-8") not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A file that cannot be read is named, with the reason."""
    with pytest.raises(TokenError, match="No such file"):
        read_token(tmp_path / "none")
    with pytest.raises(TokenError, match="Is a directory"):
        read_token(tmp_path)


def test_the_newest_token(tmp_path: Path) -> None:
    """Each asking reads the file again."""
    file = tmp_path / "token"
    tokens = TokenFile(file)
    for held in ("first", "second"):
        file.write_text(held)
        assert asyncio.run(tokens.token()) == held
