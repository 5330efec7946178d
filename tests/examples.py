"""The pages for producers and consumers as tests see them: their examples, and how each is run."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.node import find_package

DEPLOY: Final = Path(__file__).parent.parent / "deploy"
PAGES: Final = {
    name: (DEPLOY / name).read_text(encoding="utf-8") for name in ("producers.md", "consumers.md")
}

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"(?:#|//) (\w+\.(?:py|sh|js|java))\b")
_DATA = {"json", "text"}
_RUNS = {
    ".py": lambda file: [sys.executable, file],
    ".sh": lambda file: ["bash", file],
    ".js": lambda file: ["node", file],
    ".java": lambda file: ["java", file],
}
_ROW = re.compile(r"^\| `(.+?)` \| `(\w+)` \| `(.+?)` \|$", re.MULTILINE)


class Refusal(NamedTuple):
    """What the page for producers says becomes of a value."""

    value: bytes
    stage: str
    message: str


def blocks(page: str, language: str) -> list[str]:
    """All blocks of a language on a page, in order."""
    return [text for found, text in _BLOCK.findall(PAGES[page]) if found == language]


def examples() -> dict[str, str]:
    """Every example on the pages by the file name in its first line."""
    found: dict[str, str] = {}
    for page in PAGES.values():
        for language, text in _BLOCK.findall(page):
            if language in _DATA:
                continue
            named = _NAME.match(text)
            assert named, f"an example without a name: {text.splitlines()[0]}"
            assert named[1] not in found, f"{named[1]} is there twice"
            found[named[1]] = text
    return found


def articles() -> list[dict[str, Any]]:
    """The articles that the page for producers gives, as they are to be sent."""
    return [json.loads(line) for line in article_lines().splitlines()]


def article_lines() -> str:
    """The file ``articles.jsonl``, as the page for producers has it."""
    return blocks("producers.md", "json")[0]


def refusals() -> list[Refusal]:
    """The table of what gets an article refused."""
    return [
        Refusal(value.encode(), stage, message)
        for value, stage, message in _ROW.findall(PAGES["producers.md"])
    ]


def write_all(folder: Path) -> None:
    """Put every example into a folder, as a reader would by copy and paste."""
    for name, text in examples().items():
        (folder / name).write_text(text, encoding="utf-8")


def command(name: str) -> list[str]:
    """How an example is run in its folder; skips the test where something for it is missing."""
    suffix = Path(name).suffix
    if suffix == ".py" and "confluent" in name and not importlib.util.find_spec("confluent_kafka"):
        pytest.skip("confluent-kafka is not installed")
    wanted = {".sh": ("kcat", "jq"), ".js": ("node",), ".java": ("java", "javac")}
    for tool in wanted.get(suffix, ()):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if suffix == ".js" and "kafkajs" in examples()[name] and find_package("kafkajs") is None:
        pytest.skip("kafkajs is not installed: npm install kafkajs, and NODE_PATH")
    return _RUNS[suffix](name)


def variables(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment to run examples in.

    kcat of Debian 12 comes with librdkafka 2.0.2, which does not understand the embedded broker's
    answer to ApiVersions ("Read underflow"). The librdkafka in confluent-kafka does, so against
    the embedded broker kcat gets that one.
    """
    more = dict(settings)
    if (package := find_package("kafkajs")) is not None:
        more["NODE_PATH"] = str(package.parent)
    spec = importlib.util.find_spec("confluent_kafka")
    if "CLAIMSTREAM_TEST_BOOTSTRAP" not in os.environ and spec and spec.origin:
        bundled = Path(spec.origin).parent.parent / "confluent_kafka.libs"
        for library in bundled.glob("librdkafka-*.so.1"):
            lent = folder / "lent" / "librdkafka.so.1"
            lent.parent.mkdir(exist_ok=True)
            lent.unlink(missing_ok=True)
            lent.symlink_to(library)
            more["LD_LIBRARY_PATH"] = str(lent.parent)
    return os.environ | more
