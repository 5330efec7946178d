"""Whatever arrives ends exactly once: as a labelled article, a tombstone or a dead letter."""

import json
from typing import Any

import pytest

from tests.cluster import Cluster, Out, articles
from tests.conftest import StartWorker

MEGABYTES_5 = 5 * 1024 * 1024
SENTENCE = "The council said on Monday that the bridge would stay closed. "
PREFIX = "__connect.errors."


def _article(name: str, **fields: Any) -> tuple[bytes, bytes]:
    """Key and value of an article."""
    return name.encode(), json.dumps({"id": name, **fields}).encode()


LABELLED = {
    "empty body": _article("empty", body=""),
    "white space only": _article("blank", body=" \n\t \u00a0"),
    "only furniture": _article("furniture", body="Read more"),
    "NUL": _article("nul", body="It rained\0. It snowed."),
    "no full stop": _article("endless", body="word " * 20_000),
    "5 MB without a full stop": _article("huge", body="word " * (MEGABYTES_5 // 5)),
    "unbalanced quotation marks": _article("quotes", body="\"It rained. “He said. 'No."),
    "right to left and emoji": _article("emoji", body="أمطرت السماء. 👩‍👩‍👧 came. 🌧️"),
    "unknown fields": _article("unknown", body="It rained.", desk={"n": 1}, tags=[None]),
    "raising once": _article("once", body="RAISE ONCE. It rained."),
    "null key": (None, _article("keyless", body="It rained.")[1]),
    "another key than the id": (b"other", _article("mine", body="It rained.")[1]),
    "page": _article("page", html="<p>" + SENTENCE * 5 + "</p>"),
}
# Name: the record, and the stage and the words of the reason.
DEAD: dict[str, tuple[tuple[bytes | None, bytes | None], str, str]] = {
    "not UTF-8": ((b"d1", b"\xff\xfe\x00"), "decode", "not UTF-8"),
    "not JSON": ((b"d2", b"rubbish"), "decode", "Invalid JSON"),
    "empty value": ((b"d3", b""), "decode", "Invalid JSON"),
    "other shape": ((b"d4", b"[1,2]"), "decode", "object"),
    "missing id": ((b"d5", b'{"body":"It rained."}'), "decode", "id: Field required"),
    "no body": ((b"d6", b'{"id":"d6"}'), "decode", "body or html is required"),
    "lone surrogates": ((b"d7", b'{"id":"d7","body":"\\ud800 x"}'), "decode", "hex escape"),
    "deep nesting": ((b"d8", b'{"id":"d8","x":' + b"[" * 100_000), "decode", "Invalid JSON"),
    "html without text": (_article("d9", html="<script>1</script>"), "segment", "text"),
    "too large when labelled": (
        _article("d10", body=SENTENCE * (MEGABYTES_5 // len(SENTENCE))),
        "deliver",
        "more than the broker takes",
    ),
    "raising always": (_article("d11", body="RAISE ALWAYS"), "infer", "asked to raise always"),
    "out of memory": (_article("d12", body="EXHAUST MEMORY"), "infer", "MemoryError"),
    "too deep": (_article("d13", body="RECURSE"), "infer", "asked to recurse"),
    "neither key nor value": ((None, None), "decode", "neither key nor value"),
    "null key, not JSON": ((None, b"rubbish"), "decode", "Invalid JSON"),
}
ATTEMPTS = {"raising always": b"3", "out of memory": b"3"}


@pytest.fixture
def stream(cluster: Cluster) -> dict[tuple[int, int], tuple[str, tuple[Any, Any]]]:
    """All of it in one stream, between good articles, with the same article twice."""
    named: list[tuple[str, tuple[bytes | None, bytes | None]]] = []
    kinds = [
        *LABELLED.items(),
        *((name, record) for name, (record, _, _) in DEAD.items()),
        ("tombstone", (b"gone", None)),
        ("twice", articles(1, first=900)[0]),
        ("twice", articles(1, first=900)[0]),
    ]
    for number, kind in enumerate(kinds):
        named += [("good", articles(1, first=number)[0]), kind]
    named += [("good", article) for article in articles(20, first=100)]
    places = cluster.publish([record for _, record in named], {"origin": b"desk"})
    return dict(zip(places, named, strict=True))


def test_every_record_ends_exactly_once(
    cluster: Cluster,
    start_worker: StartWorker,
    stream: dict[tuple[int, int], tuple[str, tuple[Any, Any]]],
) -> None:
    """Bad records end as they should, and the good ones between them come through."""
    worker = start_worker(cluster.settings)
    outcomes = cluster.outcomes(len(stream), timeout_s=240)
    assert set(outcomes.by_source) == set(stream)
    assert outcomes.duplicates == 0
    counts = {"labelled": 0, "dead_letter": 0, "tombstone": 0}
    for place, (out,) in outcomes.by_source.items():
        name, (key, value) = stream[place]
        if name in DEAD:
            counts["dead_letter"] += 1
            _check_dead_letter(out, name)
        elif name == "tombstone":
            counts["tombstone"] += 1
            assert (out.key, out.value) == (key, None)
        else:
            counts["labelled"] += 1
            article = json.loads(value)
            assert out.key == article["id"].encode(), name
            assert out.value is not None
            _check_offsets(json.loads(out.value), article.get("body"))
    twice = {out.value for out in outcomes.claims if out.key == b"article-900"}
    assert len(twice) == 1
    for outcome, count in counts.items():
        assert worker.metric("claimstream_articles_done_total", outcome=outcome) == count
    assert worker.metric("claimstream_dead_letters_total") == len(DEAD)
    assert worker.metric("claimstream_dead_letters_total", reason="too_large") == 1
    assert worker.metric("claimstream_retries_total") == 5
    assert worker.metric("claimstream_in_flight_articles") == 0
    assert worker.stop() == 0
    assert sum(cluster.committed().values()) == len(stream)
    # The exceptions' messages quote articles; logs do not.
    assert "asked to raise" not in worker.log
    assert "Traceback" not in worker.log


def test_header_names_that_are_not_utf8(cluster: Cluster, start_worker: StartWorker) -> None:
    """A header whose name is no UTF-8 stops nothing; a dead letter carries it, written out."""
    good = cluster.publish(articles(10))
    key, value = articles(1, first=20)[0]
    odd = cluster.publish_with_header(key, value, b"na\xefve")
    bad = cluster.publish_with_header(b"bad", b"rubbish", b"\xff")
    good += cluster.publish(articles(10, first=10))
    worker = start_worker(cluster.settings)
    outcomes = cluster.outcomes(22, timeout_s=120)
    assert set(outcomes.by_source) == {*good, odd, bad}
    assert outcomes.duplicates == 0
    (letter,) = outcomes.dead_letters
    assert (letter.source, letter.key, letter.value) == (bad, b"bad", b"rubbish")
    assert letter.headers["\\xff"] == b"value"
    assert worker.stop() == 0


def _check_dead_letter(out: Out, name: str) -> None:
    record, stage, words = DEAD[name]
    assert (out.key, out.value) == record, name
    assert out.headers["origin"] == b"desk"
    assert out.headers[f"{PREFIX}stage"] == stage.encode(), name
    message = out.headers[f"{PREFIX}exception.message"].decode()
    assert words in message, name
    assert "\n" not in message
    assert len(message) <= 500
    assert b"." in out.headers[f"{PREFIX}exception.class.name"]
    assert out.headers[f"{PREFIX}attempts"] == ATTEMPTS.get(name, b"1"), name


def _check_offsets(labelled: dict[str, Any], body: str | None) -> None:
    text = labelled["text"] if body is None else body
    for sentence in labelled["sentences"]:
        assert text[sentence["start"] : sentence["end"]] == sentence["text"]
