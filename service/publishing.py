"""Publishes articles: each is checked as the worker would, then sent with its id as the key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from service.decoding import DecodeError, decode
from service.files import Record
from service.kafka import client_options
from service.settings import Settings

# Enough to keep the broker busy, few enough to bound memory with large articles.
_IN_FLIGHT = 100


async def publish(
    settings: Settings,
    records: Iterable[Record],
    done: Callable[[Record, str | None], None],
) -> None:
    """Send articles to the articles topic.

    Args:
        settings: which cluster and topic.
        records: the articles; what is none, has a fault, or is too large for the broker, is not
            sent.
        done: called with every record once the broker has it (None) or it was refused (why).

    Raises:
        aiokafka.errors.KafkaError: the broker did not confirm.
    """
    options = client_options(settings.kafka)
    async with AIOKafkaProducer(
        **options, acks="all", max_request_size=settings.kafka.max_record_bytes
    ) as producer:
        waiting: list[tuple[Record, asyncio.Future[object]]] = []
        for record in records:
            if record.fault is not None:
                done(record, record.fault)
                continue
            try:
                article = decode(record.value)
                if article is None:
                    continue
                sent = await producer.send(
                    settings.topics.articles, record.value, key=article.id.encode()
                )
            except (DecodeError, MessageSizeTooLargeError) as error:
                done(record, str(error))
                continue
            waiting.append((record, sent))
            if len(waiting) >= _IN_FLIGHT:
                await _confirm(waiting, done)
        await _confirm(waiting, done)


async def _confirm(
    waiting: list[tuple[Record, asyncio.Future[object]]],
    done: Callable[[Record, str | None], None],
) -> None:
    for record, sent in waiting:
        try:
            await sent
        except MessageSizeTooLargeError as error:
            done(record, str(error))
        else:
            done(record, None)
    waiting.clear()
