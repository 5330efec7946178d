"""Dead letters as tests need them: written as the worker does, and the commands for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from typer.testing import CliRunner, Result

from service.cli import app
from service.deadletters import dead_letter_headers
from service.outcomes import Failure
from service.records import Headers, SourceRecord
from tests.cluster import MAX_BYTES, QUIET_S, Cluster
from tests.test_headers import TRACE
from tests.workers import environment

OWN: Headers = [("traceparent", TRACE), ("origin", b"desk")]
FAILURES = (
    Failure("infer", "error", "builtins.RuntimeError", "out of luck", attempts=3),
    Failure("decode", "invalid_article", "service.decoding.DecodeError", "Invalid JSON"),
)

Bytes = tuple[bytes | None, bytes | None]


def dlq(cluster: Cluster, *arguments: str, **settings: str) -> Result:
    """Run a command for dead letters, with other settings as ``CLAIMSTREAM_…="value"``."""
    return CliRunner().invoke(
        app,
        ["dlq", *arguments],
        env=environment(cluster.settings) | settings,
        catch_exceptions=False,
    )


def assert_one_clear_line(result: Result, code: int, words: str) -> None:
    """Nothing on standard output, one line on standard error, that exit code."""
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("claimstream: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


def bury(
    cluster: Cluster, dead: Iterable[Bytes], *, age_s: float = 0.0, **came: object
) -> list[SourceRecord]:
    """Write dead letters as the worker does; what they were before, in that order.

    The n-th came from offset n of partition n mod 4, and failed as FAILURES in turn say.
    """
    origins = [
        SourceRecord(cluster.settings.topics.articles, n % 4, n, 0, key, value, OWN)
        for n, (key, value) in enumerate(dead)
    ]
    origins = [origin._replace(**came) for origin in origins]  # type: ignore[arg-type]

    async def run() -> None:
        topic = cluster.settings.topics.dead_letters
        written_ms = round((time.time() - age_s) * 1000)
        async with AIOKafkaProducer(
            bootstrap_servers=cluster.settings.kafka.bootstrap_servers,
            max_request_size=MAX_BYTES,
            acks="all",
        ) as producer:
            sent = []
            for n, origin in enumerate(origins):
                headers = dead_letter_headers(origin, FAILURES[n % len(FAILURES)])
                key, value, at_ms, partition = origin.key, origin.value, written_ms + n, n // 2 % 4
                if key is None and value is None:
                    batch = producer.create_batch()
                    batch.append(key=None, value=None, timestamp=at_ms, headers=headers)
                    sent.append(await producer.send_batch(batch, topic, partition=partition))
                else:
                    sent.append(
                        await producer.send(
                            topic,
                            value,
                            key=key,
                            partition=partition,
                            timestamp_ms=at_ms,
                            headers=headers,
                        )
                    )
            await asyncio.gather(*sent)

    asyncio.run(run())
    return origins


async def consume(cluster: Cluster, topic: str, least: int, timeout_s: float = 30) -> list[Any]:
    """All that a topic holds, once there is so much and nothing more comes."""
    async with AIOKafkaConsumer(
        bootstrap_servers=cluster.settings.kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_BYTES,
    ) as consumer:
        partitions = range(cluster.settings.topics.partitions)
        consumer.assign([TopicPartition(topic, n) for n in partitions])
        found: list[Any] = []
        quiet_since, deadline = time.monotonic(), time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            batches = await consumer.getmany(timeout_ms=100)
            found += [record for records in batches.values() for record in records]
            if batches or len(found) < least:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > QUIET_S:
                return found
    raise AssertionError(f"only {len(found)} records of {least}")


def replayed(cluster: Cluster, least: int, topic: str | None = None) -> list[Any]:
    """What is in the articles topic, or in another one."""
    return asyncio.run(consume(cluster, topic or cluster.settings.topics.articles, least))
