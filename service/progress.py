"""Tells a worker that is stuck from one that is idle or busy with a long article."""

from __future__ import annotations

import time
from collections.abc import Callable

from service.settings import WorkerSettings


class Progress:
    """What the worker has in hand and when it last brought a record to its end (seconds)."""

    def __init__(
        self, settings: WorkerSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what counts as stuck, and the clock to go by."""
        self._settings = settings
        self._clock = clock
        self._since = clock()
        self._current_bytes = 0
        self._is_held = False
        self.in_hand = 0
        self.in_hand_bytes = 0

    def take(self, sizes: list[int]) -> None:
        """Records of these sizes were taken in hand."""
        if self.in_hand == 0:
            self._since = self._clock()
        self.in_hand += len(sizes)
        self.in_hand_bytes += sum(sizes)

    def begin(self, size: int) -> None:
        """The labelling of a record of this size begins; that the one before ended is progress."""
        self._since = self._clock()
        self._current_bytes = size
        self._is_held = False

    def hold(self) -> None:
        """What is in hand waits on purpose, until the next record begins: that is no stall."""
        self._is_held = True

    def labelled(self) -> None:
        """The record begun is labelled and sent: from here the broker is waited for."""
        self._since = self._clock()
        self._current_bytes = 0

    def done(self, size: int) -> None:
        """A record was brought to its end."""
        self._since = self._clock()
        self.in_hand -= 1
        self.in_hand_bytes -= size

    def put_back(self, kept: int = 0, kept_bytes: int = 0) -> None:
        """What is in hand will be read again, by this worker or another.

        Args:
            kept: records that stay in hand: they are labelled, and the broker is yet to confirm.
            kept_bytes: their size.
        """
        self.in_hand = kept
        self.in_hand_bytes = kept_bytes
        self._current_bytes = 0
        self._is_held = False

    def stuck_for(self, waiting: int) -> float | None:
        """Seconds without progress, if they are too many; None if all is well.

        Args:
            waiting: records known to wait for this worker besides those in hand.
        """
        now = self._clock()
        if self._is_held or (self.in_hand == 0 and waiting == 0):
            self._since = now
            return None
        allowance = self._current_bytes / self._settings.slowest_bytes_per_s
        seconds = now - self._since
        return seconds if seconds > self._settings.stall_s + allowance else None
