"""Stuck, idle or busy."""

import pytest

from service.progress import Progress
from service.settings import WorkerSettings


class Clock:
    """A clock that tests move."""

    now = 0.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at zero."""
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    """Ten seconds count as stuck, and a byte more allows a second more."""
    return Progress(WorkerSettings(stall_s=10, slowest_bytes_per_s=1), clock)


def test_idle_is_not_stuck(progress: Progress, clock: Clock) -> None:
    """Without work no time is too long, and work that then comes has its full time."""
    clock.now = 1000
    assert progress.stuck_for(0) is None
    clock.now = 1009
    assert progress.stuck_for(1) is None


def test_work_after_a_long_idle_time_has_its_full_time(progress: Progress, clock: Clock) -> None:
    """The time counts from when work was taken, even if nobody looked in between."""
    clock.now = 1000
    progress.take([0])
    clock.now = 1010
    assert progress.stuck_for(0) is None
    clock.now = 1011
    assert progress.stuck_for(0) == 11


def test_waiting_work_that_is_not_taken_is_stuck(progress: Progress, clock: Clock) -> None:
    """Records that wait while none is in hand are a stall as well."""
    clock.now = 11
    assert progress.stuck_for(5) == 11


def test_each_record_done_is_progress(progress: Progress, clock: Clock) -> None:
    """As long as records get done there is no stall."""
    progress.take([0, 0, 0])
    for now in (9, 18):
        clock.now = now
        progress.done(0)
        assert progress.stuck_for(0) is None
    assert progress.in_hand == 1
    clock.now = 29
    assert progress.stuck_for(0) == 11


def test_a_long_article_may_take_long(progress: Progress, clock: Clock) -> None:
    """The time allowed grows with the article in hand, so a long one is no stall."""
    progress.take([100])
    progress.begin(100)
    clock.now = 110
    assert progress.stuck_for(0) is None
    clock.now = 111
    assert progress.stuck_for(0) == 111


def test_what_is_put_back_is_not_in_hand(progress: Progress) -> None:
    """Records left to others count no longer."""
    progress.take([5, 6])
    assert (progress.in_hand, progress.in_hand_bytes) == (2, 11)
    progress.put_back()
    assert (progress.in_hand, progress.in_hand_bytes) == (0, 0)


def test_waiting_for_the_broker_is_not_the_articles_time(progress: Progress, clock: Clock) -> None:
    """The broker's time counts from when the article was sent, however long that one took."""
    progress.take([1000])
    progress.begin(1000)
    clock.now = 900
    progress.labelled()
    progress.put_back(1, 1000)
    clock.now = 910
    assert progress.stuck_for(0) is None
    clock.now = 911
    assert progress.stuck_for(0) == 11
