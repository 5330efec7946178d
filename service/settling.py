"""Waits for the broker's word on what was sent, and has it acknowledged, in the order of sending.

It does so beside the labelling: the inference thread need not stand still while the broker writes.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from service.delivery import Confirmation
from service.dispatch import Dispatch
from service.outcomes import Labelled, Outcome
from service.records import SourceRecord

Message = Any  # faust.types.tuples.Message, which has no type information


class Sent(NamedTuple):
    """A record whose outcome was sent.

    ``acknowledge`` is called with the message once that is safe; ``since`` is when it was sent, in
    seconds by the monotonic clock.
    """

    message: Message
    record: SourceRecord
    outcome: Outcome
    confirmation: Confirmation
    acknowledge: Callable[[Message], None]
    since: float

    @property
    def size(self) -> int:
        """Bytes that it holds in memory until it is confirmed."""
        value = self.outcome.value if isinstance(self.outcome, Labelled) else b""
        return self.record.size + len(value)


class Settling:
    """What is sent and not confirmed, in order.

    After the first failure nothing more is acknowledged, whatever is confirmed.
    """

    def __init__(self, dispatch: Dispatch, on_done: Callable[[Sent, Outcome, float], None]) -> None:
        """Take what sends.

        Args:
            dispatch: what sends.
            on_done: called, in order, with each that was acknowledged, what it became, and how
                many seconds the broker took.
        """
        self._dispatch = dispatch
        self._on_done = on_done
        self._waiting: deque[Sent] = deque()
        self._change = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self.size = 0
        self.record_bytes = 0

    def __len__(self) -> int:
        """How many are not confirmed."""
        return len(self._waiting)

    def add(self, sent: Sent) -> None:
        """Begin to wait for one more.

        Raises:
            DeliveryError: the broker has failed before.
        """
        self.check()
        self._waiting.append(sent)
        self.size += sent.size
        self.record_bytes += sent.record.size
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._settle())

    def check(self) -> None:
        """Make sure that the broker has not failed.

        Raises:
            DeliveryError: it has.
        """
        if self._error is not None:
            raise self._error

    async def wait_for_room(self, size: int, most_bytes: int, most: int) -> None:
        """Wait until one more may be begun.

        Args:
            size: its bytes.
            most_bytes: so many may be unconfirmed with it, unless it is the only one.
            most: so many records.

        Raises:
            DeliveryError: the broker failed.
        """
        while self._waiting and (self.size + size > most_bytes or len(self._waiting) >= most):
            await self._changed()
        self.check()

    async def wait_empty(self) -> None:
        """Wait until all is acknowledged, or nothing more will be."""
        while self._waiting:
            await self._changed()

    async def broken(self) -> Exception:
        """Wait until the broker fails, which may be never; what it failed with."""
        while self._error is None:
            await self._changed()
        return self._error

    async def _changed(self) -> None:
        await self._change.wait()

    async def _settle(self) -> None:
        """Bring all to their end that is there, and what is added meanwhile."""
        try:
            while self._waiting:
                await self._settle_now(list(self._waiting))
        except Exception as error:  # noqa: BLE001 - raised to whoever asks next
            self._error = error
            self._waiting.clear()
            self.size = self.record_bytes = 0
            self._tell()

    async def _settle_now(self, sent: list[Sent]) -> None:
        outcomes = await self._dispatch.confirmed(
            [(one.record, one.outcome, one.confirmation) for one in sent]
        )
        now = time.monotonic()
        for one, outcome in zip(sent, outcomes, strict=True):
            one.acknowledge(one.message)
            self._waiting.popleft()
            self.size -= one.size
            self.record_bytes -= one.record.size
            self._on_done(one, outcome, now - one.since)
        self._tell()

    def _tell(self) -> None:
        """Wake up all that wait for a change, and let those that come after wait for the next."""
        self._change.set()
        self._change = asyncio.Event()
