"""A worker whose stream is held once: ``python -m tests.reliability.held_worker``.

It is when its first records arrive: as when a fetch that was begun before a rebalance comes back
after it.
"""

from __future__ import annotations

import sys
from typing import Any

from service import stream
from service.consumer import DrainingConsumer
from service.settings import Settings
from service.worker import run
from tests.cheap_worker import ObedientLabeller

HELD_S = 0.5


class HeldConsumer(DrainingConsumer):
    """Stands still for a moment when the first records have been fetched."""

    _was_held = False

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's argument
        records = await super()._getmany(active_partitions, timeout)
        if records and not self._was_held:
            self._was_held = True
            self.stop_flow()
            self.loop.call_later(HELD_S, self.resume_flow)
        return records


if __name__ == "__main__":
    stream.DrainingConsumer = HeldConsumer  # type: ignore[misc]
    sys.exit(run(Settings(), ObedientLabeller()))
