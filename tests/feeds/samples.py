"""The feeds of tests/data/feeds, and what is read out of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service.feeds.items import Item, record_of
from service.feeds.markup import parse_xml

FOLDER = Path(__file__).parent.parent / "data" / "feeds"


def sample(name: str) -> bytes:
    """A sample's bytes."""
    return (FOLDER / name).read_bytes()


def xml(name: str) -> Any:
    """A sample's root element."""
    return parse_xml(sample(name))


def fields(item: Item) -> dict[str, str]:
    """The record of an item, as a consumer reads it."""
    read: dict[str, str] = json.loads(record_of(item)[0])
    return read


def fault(item: Item) -> str | None:
    """Why an item is not to be published."""
    return record_of(item)[1]
