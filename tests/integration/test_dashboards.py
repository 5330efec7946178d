"""Every panel of every dashboard shows something: a real worker, scraped by a real Prometheus."""

from __future__ import annotations

import itertools
import json
import math
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.cluster import Cluster
from tests.dashboards import BOARDS, Query, queries, substituted, variables
from tests.prometheuses import SERVER, Hurry, Prometheus, running_prometheus
from tests.workers import Worker

pytestmark = pytest.mark.skipif(SERVER is None, reason="prometheus is not installed")

# A week of the rules passes in 30 s.
HURRY = Hurry(factor=20_000)
LOAD_EVERY_S = 0.5
# torch and the model are loaded first.
START_S = 180.0
# The rules look back a week, and the model labels what it can meanwhile.
WAIT_S = 90.0
BODIES = (
    "The council said on Monday that the bridge would stay closed. It opened in 1931.",
    "We should all be ashamed of it. Nobody, he said, was to blame.",
    "Share this article",
)


class Scene(NamedTuple):
    """What is watched, and the choice of it made at the top of a dashboard."""

    prometheus: Prometheus
    chosen: dict[str, str]


def _load(cluster: Cluster, stop: threading.Event) -> None:
    """Publish articles, and records that are none, until told to stop."""
    for number in itertools.count():
        articles = [
            (f"{number}-{kind}".encode(), json.dumps({"id": f"{number}-{kind}", "body": body}))
            for kind, body in enumerate(BODIES)
        ]
        good = [(key, value.encode()) for key, value in articles]
        cluster.publish([*good, (f"{number}-gone".encode(), None), (b"bad", b"not an article")])
        if stop.wait(LOAD_EVERY_S):
            return


@pytest.fixture(scope="module")
def scene(bootstrap_servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A worker with the small model under load, and a Prometheus that scrapes it."""
    cluster = Cluster(bootstrap_servers)
    cluster.create_topics()
    log = tmp_path_factory.mktemp("dashboards") / "worker.log"
    stop = threading.Event()
    load = threading.Thread(target=_load, args=(cluster, stop))
    with Worker(cluster.settings, log, module="tests.real_worker", MODEL__SIZE="small") as worker:
        worker.wait_for("/readyz", 200, START_S)
        target = urllib.parse.urlsplit(worker.address).netloc
        with running_prometheus([target], HURRY) as prometheus:
            load.start()
            try:
                names = cluster.settings
                yield Scene(
                    prometheus,
                    {
                        "topic": names.topics.articles,
                        "group": names.kafka.group,
                        "instance": target,
                        "__rate_interval": "10s",
                        "__range": "30s",
                    },
                )
            finally:
                stop.set()
                load.join()
        assert worker.stop() == 0


@pytest.mark.parametrize(
    "query", list(queries()), ids=lambda query: f"{query.board}: {query.panel}"
)
def test_every_query_gives_data(scene: Scene, query: Query) -> None:
    """A panel's query gives numbers within a minute and a half of load, good and bad records."""
    expression = substituted(query.expression, scene.chosen)
    deadline = time.monotonic() + WAIT_S
    while not any(not math.isnan(value) for _, value in scene.prometheus.ask(expression)):
        assert time.monotonic() < deadline, expression
        time.sleep(0.5)


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", ["topic", "group", "instance"])
def test_every_variable_finds_what_there_is(scene: Scene, board: str, name: str) -> None:
    """What can be chosen at the top of a dashboard is what the worker reads, and the worker."""
    query = substituted(variables(board)[name], scene.chosen)
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    assert found is not None
    deadline = time.monotonic() + WAIT_S
    while scene.prometheus.values_of(found[2], found[1]) != [scene.chosen[name]]:
        assert time.monotonic() < deadline, query
        time.sleep(0.5)


def test_another_choice_shows_nothing(scene: Scene) -> None:
    """What is not chosen is not shown."""
    (query,) = [query for query in queries() if query.panel == "Articles in flight"]
    elsewhere = scene.chosen | {"instance": "elsewhere:1"}
    assert scene.prometheus.ask(substituted(query.expression, elsewhere)) == []
