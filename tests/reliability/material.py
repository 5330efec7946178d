"""What a campaign publishes, drawn from a seed, and what must become of each record."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from service.decoding import decode
from service.pipeline import Labeller, label_article
from tests.reliability.history import Outcome, digest

Record = tuple[bytes | None, bytes | None]

# Fewer keys than records, so that there is an order to keep.
KEYS: Final = 500

ABORTS: Final = "ABORT"
OUT_OF_MEMORY: Final = "EXHAUST MEMORY"
_ENDS_AS_DEAD_LETTER: Final = ("RAISE ALWAYS", OUT_OF_MEMORY, ABORTS)

_SENTENCES: Final = (
    "The mayor said the bridge would open on Monday.",
    "It rained for two days.",
    "We should all be grateful.",
    "According to the report prices rose by 3.2 per cent.",
    "“Nobody knows,” claimed Ms. O’Neill.",
    "Read more",
)


class Expectation(NamedTuple):
    """What must become of a record: kind, key and digest of the value."""

    outcome: Outcome
    key: str | None
    digest: str | None


Expect = Callable[[Record], Expectation]


def records(seed: int, count: int) -> Iterator[Record]:
    """Records of all kinds: most are good articles, some are not."""
    drawn = random.Random(seed)
    for number in range(count):
        yield _record(drawn, number)


def article(number: int, key: str, text: str) -> Record:
    """An article that is unlike any of another number."""
    body = f"{text} {key} said it was number {number}."
    return key.encode(), json.dumps({"id": key, "body": body}).encode()


def _record(drawn: random.Random, number: int) -> Record:  # noqa: PLR0911 - one for each kind
    key = f"article-{drawn.randrange(KEYS)}"
    text = "\n".join(drawn.choices(_SENTENCES, k=drawn.randint(1, 8)))
    chance = drawn.random()
    if chance < 0.005:
        return key.encode(), None
    if chance < 0.010:
        return key.encode(), drawn.choice([b"", b"rubbish", b'{"id": 1}', b"\xff\xfe"])
    if chance < 0.012:
        return article(number, key, f"RAISE ALWAYS {text}")
    if chance < 0.017:
        return article(number, key, f"RAISE ONCE {text}")
    if chance < 0.018:
        return article(number, key, f"{OUT_OF_MEMORY} {text}")
    if chance < 0.023:
        return article(number, key, f"SLEEP 0.05 {text}")
    if chance < 0.026:
        return article(number, key, text + " word" * 20_000)
    if chance < 0.028:
        return None, article(number, key, text)[1]
    return article(number, key, text)


def expecting(labeller: Labeller) -> Expect:
    """Build what says what must become of a record, when this labeller labels."""

    def expect(record: Record) -> Expectation:
        key, value = record
        own_key = None if key is None else key.decode()
        if value is None:
            return Expectation("tombstone", own_key, None)
        dead = Expectation("dead_letter", own_key, digest(value))
        try:
            found = decode(value)
        except ValueError:
            return dead
        assert found is not None
        if any(words in (found.body or "") for words in _ENDS_AS_DEAD_LETTER):
            return dead
        labelled = label_article(found, labeller).to_json().encode()
        return Expectation("labelled", found.id, digest(labelled))

    return expect
