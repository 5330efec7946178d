"""What could make a replay send twice: late arrivals, another replay, lost answers."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from itertools import cycle
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.produce import ProduceRequest

from service.dlq import replaying
from service.dlq.marks import REPLAYED
from service.dlq.records import Selection
from service.dlq.replaying import Plan
from service.dlq.sender import ReplayError
from service.records import SourceRecord
from tests.cluster import Cluster, articles
from tests.dead_letters import OWN, bury, dlq, replayed

COUNT = 40


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replays in this process wait less for what may be on its way; those in their own do not."""
    monkeypatch.setattr(replaying, "SETTLE_S", 0.2)


def refuse_all(*_: object) -> None:
    """Let nothing be sent."""
    raise AssertionError("a record was sent")


def nothing(*_: object) -> None:
    """Take no notice of progress."""


async def plan(cluster: Cluster) -> Plan:
    """Plan the replay of everything."""
    return await replaying.plan(cluster.settings, Selection(), to=None, again=False, step=nothing)


async def append(cluster: Cluster, buried: Iterable[SourceRecord], pause_s: float = 0.0) -> None:
    """Append what another replay of these dead letters sends."""
    topics = cluster.settings.topics
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.settings.kafka.bootstrap_servers, acks="all"
    ) as producer:
        for one in buried:
            n = one.offset
            mark = f"{topics.dead_letters}:{n // 2 % 4}:{n // 8 * 2 + n % 2}".encode()
            headers = [*OWN, (REPLAYED, mark)]
            await producer.send_and_wait(topics.articles, one.value, key=one.key, headers=headers)
            await asyncio.sleep(pause_s)


def assert_exactly_once(cluster: Cluster) -> None:
    """Every article is in the articles topic, and none twice."""
    arrived = Counter(record.key for record in replayed(cluster, COUNT))
    assert arrived == Counter(key for key, _ in articles(COUNT))


def test_what_was_on_its_way_is_not_sent_again(cluster: Cluster) -> None:
    """Records of a killed run that arrive when the next has looked already are left out as well."""
    buried = bury(cluster, articles(COUNT))
    sent: list[str | None] = []

    async def run() -> Plan:
        planned = await plan(cluster)
        assert len(planned.waiting) == COUNT
        await append(cluster, buried[5:25])
        await replaying.replay(
            cluster.settings,
            planned,
            rate=100,
            step=nothing,
            done=lambda _, reason: sent.append(reason),
        )
        return planned

    assert len(asyncio.run(run()).already) == 20
    assert sent == [None] * (COUNT - 20)
    assert_exactly_once(cluster)


def test_another_replay_at_work_is_told(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """While marks keep coming nothing is sent, and after some time the replay gives up."""
    monkeypatch.setattr(replaying, "SETTLE_S", 1.0)
    monkeypatch.setattr(replaying, "_MAX_SETTLE_ROUNDS", 4)
    buried = bury(cluster, articles(COUNT))

    async def run() -> None:
        planned = await plan(cluster)
        at_work = asyncio.create_task(append(cluster, cycle(buried[:-1]), pause_s=0.1))
        await asyncio.sleep(0.3)
        with pytest.raises(ReplayError, match="another replay is at work"):
            await replaying.replay(
                cluster.settings, planned, rate=100, step=nothing, done=refuse_all
            )
        at_work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await at_work

    asyncio.run(run())


def test_lost_answers_make_no_duplicates(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the broker has the records and its answer is lost, they are not sent twice.

    A broker that knows repeats drops them, and the replay goes on; else it ends, and the next one
    finds out what arrived.
    """
    bury(cluster, articles(COUNT))
    send = AIOKafkaClient.send
    answers = 0

    async def lose(self: Any, node: int, request: Any, **options: Any) -> Any:
        nonlocal answers
        response = await send(self, node, request, **options)
        if isinstance(request, ProduceRequest):
            answers += 1
            if answers in (2, 5):
                raise KafkaConnectionError("the answer is lost")
        return response

    monkeypatch.setattr(AIOKafkaClient, "send", lose)
    results = []
    while not results or (results[-1].exit_code == 1 and len(results) < 4):
        results.append(dlq(cluster, "replay", "--yes", CLAIMSTREAM_KAFKA__REQUEST_TIMEOUT_S="1"))
    monkeypatch.undo()
    assert answers > 5
    assert results[-1].exit_code == 0
    assert all("give the same command again" in result.stderr for result in results[:-1])
    assert_exactly_once(cluster)
