"""Where an article's original lies, and whether it is the one that was labelled."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.viewer.originals import place_of, text_of
from service.viewer.store import Place
from tests.viewer.samples import BODY, labelled

TOPIC = "news.articles.v1"


def headers(**values: bytes) -> list[tuple[str, bytes | None]]:
    """The headers of a labelled article, some of them changed."""
    all_ = {"topic": TOPIC.encode(), "partition": b"3", "offset": b"1234567890"} | values
    return [(f"claimstream_source_{name}", value) for name, value in all_.items()]


def record(body: str = BODY) -> bytes:
    """The record that an article came in."""
    return json.dumps({"id": "a", "body": body, "more": 1}).encode()


def test_the_place_stands_in_the_headers() -> None:
    """Topic, partition and offset as the worker writes them, whatever stands beside them."""
    assert place_of([("ce_id", b"x"), *headers(), ("x", None)], TOPIC) == Place(3, 1234567890)


@pytest.mark.parametrize(
    "changes",
    [
        {"topic": b"payroll"},
        {"topic": b""},
        {"partition": b"-1"},
        {"offset": b""},
        {"offset": b"1e3"},
        {"offset": "²".encode()},
        {"offset": b"9" * 5000},
    ],
)
def test_nonsense_is_no_place(changes: dict[str, bytes]) -> None:
    """Headers may be anybody's: no other topic is read, and no number is absurd."""
    assert place_of(headers(**changes), TOPIC) is None


def test_no_headers_are_no_place() -> None:
    """Not every producer of labelled articles is a worker of ours."""
    assert place_of([], TOPIC) is None
    assert place_of([("claimstream_source_topic", None)], TOPIC) is None


def test_the_text_is_the_one_that_was_labelled() -> None:
    """Word for word, with what stands between the sentences."""
    assert text_of(record(), labelled()) == BODY


@pytest.mark.parametrize(
    "value", [None, b"", b"rubbish", b'{"id": "a", "html": "<p>x"}', record(f"{BODY} ")]
)
def test_another_record_is_not_taken_for_it(value: bytes | None) -> None:
    """A tombstone, rubbish, a page, a text with one more space."""
    assert text_of(value, labelled()) is None


def test_sentences_that_do_not_fit_are_not_taken() -> None:
    """A labelled article may name the digest of any text; the sentences tell."""
    strange = labelled(body=BODY.replace("Anna Ortiz", "Bert Ortiz"))
    liar = strange.model_copy(update={"text_digest": labelled().text_digest})
    assert text_of(record(), liar) is None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_comes_back(body: str) -> None:
    """Emoji, controls, line breaks of any kind."""
    assert text_of(record(body), labelled(body=body)) == body
