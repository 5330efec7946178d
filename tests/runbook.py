"""The runbook as its tests read it: sections, blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.alerts import DEPLOY

TEXT: Final = (DEPLOY / "runbook.md").read_text(encoding="utf-8")
TESTED: Final = "# tested"
UNTESTED: Final = "# not testable here: "

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_ENDS_COMMAND: Final = {"|", "||", "&&", ";", ">", "&"}


class Block(NamedTuple):
    """A fenced block: its language and what stands in it."""

    language: str
    text: str


def blocks(language: str) -> list[Block]:
    """All blocks of a language, in order."""
    found = [Block(*match.groups()) for match in _BLOCK.finditer(TEXT)]
    return [block for block in found if block.language == language]


def tested() -> list[str]:
    """The commands of each block that a test runs."""
    return [block.text for block in blocks("sh") if block.text.startswith(TESTED + "\n")]


def anchors() -> set[str]:
    """Where links into the runbook can lead, as GitHub names its headings."""
    prose = _BLOCK.sub("", TEXT)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(prose)
    }


def sections() -> dict[str, str]:
    """Each section's text by its heading."""
    parts = re.split(r"^##+ (.+)$", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def claimstream_commands() -> Iterator[list[str]]:
    """The arguments of every ``claimstream`` command, in blocks and in prose."""
    for block in blocks("sh"):
        for line in block.text.replace("\\\n", " ").splitlines():
            yield from _in_line(line)
    prose = _BLOCK.sub("", TEXT)
    for quoted in re.findall(r"`(claimstream [^`]+)`", prose):
        yield from _in_line(quoted)


def _in_line(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _ENDS_COMMAND:
            words.append(word)
            continue
        while words and re.fullmatch(r"\w+=.*", words[0]):
            del words[0]
        if words[:1] == ["claimstream"]:
            yield words[1:]
        words = []
