"""Waits at start for what is not there yet: a cluster that is down, topics not yet created.

A worker that ended instead would only be started again, and again, by its supervisor: more noise,
and longer and longer pauses. So it stays, alive and not ready, and says what it waits for.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import stamina
import structlog

from service.kafka import BrokerError, RefusedError
from service.topics import TopicsMissingError

log = structlog.get_logger(__name__)

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 10.0
_JITTER_S: Final = 1.0
_SAY_AGAIN_S: Final = 60.0

T = TypeVar("T")


async def wait_for(
    attempt: Callable[[], Awaitable[T]],
    longest_s: float | None,
    say: Callable[[str | None], None],
) -> T:
    """Try until it works, with growing, jittered waits between.

    Args:
        attempt: what is tried.
        longest_s: give up after so many seconds; never if None.
        say: told why it waits whenever that is known anew, and None when it waits no longer.

    Returns:
        What the attempt that worked returned.

    Raises:
        RefusedError: the settings are wrong, so it was not tried again.
        BrokerError, TopicsMissingError: the last attempt's reason, when the time was over.
    """
    started = time.monotonic()
    told: tuple[str, float] | None = None
    tries = stamina.retry_context(
        on=_may_pass,
        attempts=None,
        timeout=longest_s,
        wait_initial=_FIRST_WAIT_S,
        wait_max=_LONGEST_WAIT_S,
        wait_jitter=_JITTER_S,
    )
    async for each in tries:
        with each:
            try:
                result = await attempt()
            except (BrokerError, TopicsMissingError) as error:
                reason, now = str(error), time.monotonic()
                say(reason)
                if _may_pass(error) and (
                    told is None or told[0] != reason or now - told[1] >= _SAY_AGAIN_S
                ):
                    told = reason, now
                    log.warning("waiting", reason=reason, waited_s=round(now - started, 1))
                raise
            say(None)
            if told is not None:
                log.info("waited", seconds=round(time.monotonic() - started, 1))
            return result
    raise AssertionError("no attempt was made")


def _may_pass(error: Exception) -> bool:
    """Say whether waiting may help."""
    return isinstance(error, BrokerError | TopicsMissingError) and not isinstance(
        error, RefusedError
    )
