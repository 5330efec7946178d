"""Compares what two groups of workers wrote to two topics, article by article.

Articles are told apart by their id and the digest of their text: only the same text can be
compared. Of several labelled articles of one text the newest counts.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Container
from typing import NamedTuple

from pydantic import ValidationError

from service.comparing.counting import Comparison
from service.comparing.results import Coverage, Report
from service.contracts import LabelledArticle
from service.reading import Ranges, Reader

# Told of each record read: of which topic, of how many in all.
Step = Callable[[str, int], None]


class _Held(NamedTuple):
    """The labelled articles of a topic, by key and then by digest, packed: many fit in memory."""

    articles: dict[bytes, dict[str, bytes]]
    others: set[bytes]  # keys of articles that were not asked for
    unreadable: int


async def compare_topics(  # noqa: PLR0913, PLR0917 - what is compared, and how
    reader: Reader, topic_a: str, topic_b: str, newest: int, most_shown: int, step: Step
) -> Report:
    """Compare the labelled articles of two topics.

    Args:
        reader: what to read with.
        topic_a: of the model in force.
        topic_b: of the one to be.
        newest: so many records of A, at most, the newest of each partition. Of B all are read.
        most_shown: how many disagreements are kept.
        step: told of each record that is read.

    Raises:
        TopicsMissingError: there is no such topic.
        ReadError: the broker refuses or falls silent.
    """
    whole = await reader.extent(topic_a)
    some = _newest(whole, newest)
    a = await _hold(reader, topic_a, some, step)
    b = await _hold(reader, topic_b, await reader.extent(topic_b), step, a.articles)
    found = Comparison(most_shown)
    compared = of_other_text = only_in_a = 0
    for key, texts in a.articles.items():
        theirs = b.articles.get(key)
        if theirs is None:
            only_in_a += 1
            continue
        both = texts.keys() & theirs.keys()
        for digest in both:
            found.add(_unpacked(texts[digest]), _unpacked(theirs[digest]))
        compared += bool(both)
        of_other_text += not both
    return found.report(
        Coverage(
            compared=compared,
            of_other_text=of_other_text,
            only_in_a=only_in_a,
            only_in_b=len(b.others) if some == whole else None,
            unreadable=a.unreadable + b.unreadable,
        )
    )


def _newest(ranges: Ranges, count: int) -> Ranges:
    """Narrow ranges to so many records in all, alike in each partition."""
    each = -(-count // len(ranges))
    return {tp: (max(start, end - each), end) for tp, (start, end) in ranges.items()}


async def _hold(
    reader: Reader,
    topic: str,
    ranges: Ranges,
    step: Step,
    wanted: Container[bytes] | None = None,
) -> _Held:
    """Read labelled articles; those of wanted keys alone, where such are given."""
    total = sum(end - start for start, end in ranges.values())
    articles: dict[bytes, dict[str, bytes]] = defaultdict(dict)
    others: set[bytes] = set()
    unreadable = 0
    async for record in reader.read(ranges):
        step(topic, total)
        key = record.key or b""
        if record.value is None:  # a tombstone: what was there before is withdrawn
            articles.pop(key, None)
            others.discard(key)
        elif wanted is not None and key not in wanted:
            others.add(key)
        else:
            try:
                labelled = LabelledArticle.model_validate_json(record.value)
            except ValidationError:
                unreadable += 1
                continue
            # Newest last, also where an article went back to an earlier text.
            articles[key].pop(labelled.text_digest, None)
            articles[key][labelled.text_digest] = zlib.compress(record.value, level=1)
    return _Held(dict(articles), others, unreadable)


def _unpacked(value: bytes) -> LabelledArticle:
    return LabelledArticle.model_validate_json(zlib.decompress(value))
