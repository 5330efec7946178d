"""Follows the labelled topic."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from aiokafka import AIOKafkaConsumer
from pydantic import ValidationError

from service.contracts import LabelledArticle
from service.kafka import reader_options, start_consumer, stop_consumer
from service.settings import Settings


async def follow(settings: Settings, *, from_start: bool) -> AsyncGenerator[LabelledArticle | str]:
    """Yield labelled articles as they arrive, for ever.

    Args:
        settings: which cluster and topic.
        from_start: begin with the oldest instead of with what comes next.

    Yields:
        The article, or one line on a record that is none. Tombstones are passed over.

    Raises:
        aiokafka.errors.KafkaError: the cluster cannot be used.
    """
    consumer = AIOKafkaConsumer(
        settings.topics.claims,
        **reader_options(settings.kafka),
        auto_offset_reset="earliest" if from_start else "latest",
    )
    try:
        await start_consumer(consumer)
        async for record in consumer:
            if record.value is None:
                continue
            try:
                yield LabelledArticle.from_json(record.value)
            except ValidationError as error:
                where = f"{record.topic}, partition {record.partition}, offset {record.offset}"
                yield f"{where}: no labelled article of this version ({error.error_count()} faults)"
    finally:
        await stop_consumer(consumer)
