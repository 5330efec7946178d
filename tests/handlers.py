"""A handler between doubles: a broker that obeys the test, and all that it acknowledged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import stamina

from service.breaker import Breaker
from service.delivery import Confirmation, TooLargeError
from service.handling import Handler
from service.metrics import Metrics, build_metrics
from service.pipeline import Labeller
from service.poison import Guard
from service.progress import Progress
from service.records import Headers
from service.settings import Settings, WorkerSettings
from tests.cheap_worker import ObedientLabeller
from tests.journals import MemoryJournal

SETTINGS = Settings(
    worker=WorkerSettings(retry_wait_s=0, breaker_wait_s=0.01, in_flight_bytes=8000)
)
CLAIMS, DEAD = SETTINGS.topics.claims, SETTINGS.topics.dead_letters


class Broker:
    """Takes what is sent, and confirms it when and as the test wants."""

    def __init__(self) -> None:
        """Confirm everything at once."""
        self.sent: list[tuple[str, bytes | None, bytes | None]] = []
        self.refuses: set[str] = set()
        self.finds_too_large: set[str] = set()
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> Confirmation:
        """Take a record."""
        assert headers
        if topic in self.refuses:
            raise TooLargeError("9 bytes are more than the broker takes")
        self.sent.append((topic, key, value))
        confirmation: Confirmation = asyncio.get_running_loop().create_future()
        confirmation.set_result(topic not in self.finds_too_large)
        return confirmation

    async def wait_for(self, count: int) -> None:
        """Wait until so many records were taken."""
        while len(self.sent) < count:  # noqa: ASYNC110 - an event for each count is no clearer
            await asyncio.sleep(0.001)

    async def confirmed(self, confirmations: Sequence[Confirmation]) -> list[bool]:
        """Confirm what was taken."""
        await self.gate.wait()
        if self.error:
            raise self.error
        return [confirmation.result() for confirmation in confirmations]


class Bench:
    """A handler between the doubles, and what it acknowledged."""

    def __init__(self, labeller: Labeller | None = None) -> None:
        """Build it in the running loop."""
        self.broker = Broker()
        self.metrics: Metrics = build_metrics()
        self.breaker = Breaker(SETTINGS.worker, self.metrics)
        self.journal = MemoryJournal()
        self.guard = Guard(SETTINGS, self.journal)
        self.commits: list[list[int]] = []
        self.progress = Progress(SETTINGS.worker)
        self.acknowledged: list[int] = []
        self.generation = 1
        self.executor = ThreadPoolExecutor(1)
        outbox: Any = self.broker
        self.handler = Handler(
            SETTINGS,
            labeller=labeller or ObedientLabeller(),
            outbox=outbox,
            executor=self.executor,
            metrics=self.metrics,
            progress=self.progress,
            breaker=self.breaker,
            guard=self.guard,
        )

    async def commit(self) -> None:
        """Commit what is acknowledged by now."""
        self.commits.append(list(self.acknowledged))

    async def handle(self, *messages: Any) -> None:
        """Let the handler have messages, and wait until it is done with them."""
        await self.handler.handle(
            messages,
            lambda message: message.generation_id == self.generation,
            lambda message: self.acknowledged.append(message.offset),
            self.commit,
        )
        await self.handler.settled()


def message(offset: int, body: str = "It rained.", generation: int = 1) -> Any:
    """A message as Faust has it."""
    value = json.dumps({"id": f"a{offset}", "body": body}).encode()
    return SimpleNamespace(
        topic="t", partition=0, offset=offset, timestamp=1e9, key=b"k", value=value,
        headers=(), generation_id=generation,
    )  # fmt: skip


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test in a loop of its own, with instant retries."""
    with stamina.set_testing(False):
        asyncio.run(test)
