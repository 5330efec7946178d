"""The full way: articles in, labelled articles out, by several workers."""

import json

from jsonschema import Draft202012Validator

from service.schemas import schemas
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker


def test_two_workers_label_four_partitions(cluster: Cluster, start_worker: StartWorker) -> None:
    """Two workers share four partitions; every article comes out once, labelled, under its key."""
    workers = [start_worker(cluster.settings) for _ in range(2)]
    for worker in workers:
        worker.wait_until_ready()
    for worker in workers:
        worker.wait_for("/readyz", 200)
    published = articles(400)
    places = cluster.publish(published)
    outcomes = cluster.outcomes(400)

    assert set(outcomes.by_source) == set(places)
    assert outcomes.duplicates == 0
    assert outcomes.dead_letters == []
    by_place = dict(zip(places, published, strict=True))
    validator = Draft202012Validator(schemas()["labelled-article.v1.json"])
    for claim in outcomes.claims:
        assert claim.key == by_place[claim.source][0]
        assert claim.value is not None
        labelled = json.loads(claim.value)
        validator.validate(labelled)
        assert labelled["article_id"].encode() == claim.key
        assert claim.headers["ce_id"].decode() == labelled["id"]
        assert labelled["counts"] == {"fact": 0, "attributed_claim": 1, "opinion": 1}
    done = [
        worker.metric("claimstream_articles_done_total", outcome="labelled") for worker in workers
    ]
    assert sum(done) == 400
    assert all(done), "one worker did everything"
    assert sum(worker.metric("claimstream_sentences_total") for worker in workers) == 800
    assert [worker.stop() for worker in workers] == [0, 0]
    assert sum(cluster.committed().values()) == 400


def test_more_workers_than_partitions(bootstrap_servers: str, start_worker: StartWorker) -> None:
    """A worker without a partition is ready, and takes over when another ends."""
    cluster = Cluster(bootstrap_servers, partitions=1)
    cluster.create_topics()
    first = start_worker(cluster.settings).wait_until_ready()
    spare = start_worker(cluster.settings).wait_until_ready()
    cluster.publish(articles(20))
    cluster.outcomes(20)
    assert [first.stop(), spare.process.poll()] == [0, None]
    cluster.publish(articles(20, first=20))
    assert cluster.outcomes(40).duplicates == 0
    assert spare.stop() == 0


def test_trace_and_times_are_carried_over(cluster: Cluster, start_worker: StartWorker) -> None:
    """The trace goes through to the output, and a malformed one does not."""
    trace = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    start_worker(cluster.settings)
    cluster.publish(articles(1), {"traceparent": trace, "other": b"\xff"})
    cluster.publish(articles(1, first=1), {"traceparent": b"nonsense"})
    good, bad = sorted(cluster.outcomes(2).claims, key=lambda out: out.key or b"")
    assert good.headers["traceparent"] == trace
    assert good.headers["ce_time"].endswith(b"Z")
    assert "traceparent" not in bad.headers
