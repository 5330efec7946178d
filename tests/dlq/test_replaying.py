"""What a replay sends, what it leaves out, and what it says of what the broker makes of it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, NotEnoughReplicasError
from hypothesis import given
from hypothesis import strategies as st

from service.deadletters import PREFIX, dead_letter_headers
from service.dlq.marks import REPLAYED, Marks, marked_place, replay_headers
from service.dlq.records import DeadLetter
from service.dlq.replaying import Plan
from service.dlq.sender import Pace, ReplayError, Sender
from service.outcomes import Failure
from service.records import Headers, SourceRecord
from service.settings import KafkaSettings
from tests.dlq.test_records import NOW_MS, dead_record, letter
from tests.test_headers import TRACE, record

FAILURE = Failure("infer", "error", "a.b.Error", "it broke")


def test_the_original_headers_come_back() -> None:
    """The producer's own and the trace, in order, without ours and without an earlier mark."""
    own = [("traceparent", TRACE), ("a", b"1"), ("a", b"2")]
    came = [*own, (REPLAYED, b"dlq:0:1")]
    dead = dead_letter_headers(record(headers=came), FAILURE)
    assert replay_headers(dead, "dlq", (3, 14)) == [*own, (REPLAYED, b"dlq:3:14")]


@given(st.integers(0, 10**9), st.integers(0, 10**15))
def test_a_mark_says_which_dead_letter(partition: int, offset: int) -> None:
    """What is written as the mark is read as the place, for its own topic only."""
    headers = replay_headers([("a", b"1")], "news.dlq", (partition, offset))
    assert marked_place(headers, "news.dlq") == (partition, offset)
    assert marked_place(headers, "news") is None


@pytest.mark.parametrize("mark", [b"", b"dlq", b"dlq:", b"dlq:1", b"dlq:1:x", b"\xff:1:2", b"1:2"])
def test_what_others_write_there_is_no_mark(mark: bytes) -> None:
    """A header of that name that says something else is passed over."""
    assert marked_place([(REPLAYED, mark)], "dlq") is None
    assert marked_place([], "dlq") is None


class Log:
    """A topic of one partition in memory, in place of a reader."""

    def __init__(self, start: int = 0) -> None:
        """Begin at an offset: what came before is deleted."""
        self.start = start
        self.records: list[SourceRecord] = []
        self.seen: list[int] = []
        self._partition = TopicPartition("in", 0)

    def add(self, timestamp_ms: int, mark: str = "", value: bytes = b"v") -> None:
        """Append a record, the replay of a dead letter if it has a mark."""
        headers: Headers = [(REPLAYED, mark.encode())] if mark else []
        offset = self.start + len(self.records)
        self.records.append(SourceRecord("in", 0, offset, timestamp_ms, b"k", value, headers))

    async def extent(self, topic: str) -> dict[TopicPartition, tuple[int, int]]:
        """What it holds."""
        assert topic == "in"
        return {self._partition: (self.start, self.start + len(self.records))}

    async def since(
        self, ranges: dict[TopicPartition, tuple[int, int]], timestamp_ms: int
    ) -> dict[TopicPartition, tuple[int, int]]:
        """As Kafka narrows ranges."""
        end = ranges[self._partition][1]
        later = [r.offset for r in self.records if (r.timestamp_ms or 0) >= timestamp_ms]
        return {self._partition: (min(later, default=end), end)}

    async def read(
        self, ranges: dict[TopicPartition, tuple[int, int]]
    ) -> AsyncGenerator[SourceRecord]:
        """What lies in a range."""
        for one in self.records:
            if ranges[self._partition][0] <= one.offset < ranges[self._partition][1]:
                self.seen.append(one.offset)
                yield one


def read(marks: Marks, log: Any, oldest_ms: int = NOW_MS) -> int:
    """Read the marks there are; how many."""
    return asyncio.run(marks.read(log, oldest_ms, lambda _topic, _total: None))


def test_marks_are_found_and_read_on() -> None:
    """What is marked is known, and the second reading goes on where the first ended."""
    log, marks = Log(), Marks("dlq", "in")
    log.add(NOW_MS - 3_600_000, "dlq:1:19")
    log.add(NOW_MS + 5, "dlq:1:20")
    log.add(NOW_MS + 6)
    assert read(marks, log) == 1
    assert marks.hold(letter(offset=20))
    assert not marks.hold(letter(offset=21))
    log.add(NOW_MS + 7, "dlq:1:21")
    log.add(NOW_MS + 8, "other:1:22")
    assert read(marks, log) == 1
    assert marks.hold(letter(offset=20))
    assert marks.hold(letter(offset=21))
    assert not marks.hold(letter(offset=22))
    assert log.seen == [1, 2, 3, 4]


def test_a_mark_holds_for_the_same_bytes_only() -> None:
    """In a dead-letter topic made anew, another article in the same place is not replayed yet."""
    log, marks = Log(), Marks("dlq", "in")
    log.add(NOW_MS, "dlq:1:20", b"of the topic that was deleted")
    assert read(marks, log) == 1
    assert not marks.hold(letter(offset=20))
    log.add(NOW_MS, "dlq:1:20")
    assert read(marks, log) == 1
    assert marks.hold(letter(offset=20))


def test_clocks_may_differ() -> None:
    """A mark is found though the broker's clock is minutes behind the dead letter's."""
    log, marks = Log(), Marks("dlq", "in")
    log.add(NOW_MS - 5 * 60_000, "dlq:1:20")
    assert read(marks, log) == 1


def test_what_a_topic_has_deleted_may_have_been_a_mark() -> None:
    """Dead letters older than what is left are told apart from those whose mark would be there."""
    log, marks = Log(start=100), Marks("dlq", "in")
    log.add(NOW_MS)
    read(marks, log, NOW_MS - 1)
    assert marks.may_miss(letter(timestamp_ms=NOW_MS - 1))
    assert not marks.may_miss(letter(timestamp_ms=NOW_MS))
    whole = Marks("dlq", "in")
    log = Log()
    log.add(NOW_MS)
    read(whole, log, NOW_MS - 1)
    assert not whole.may_miss(letter(timestamp_ms=NOW_MS - 1))


def test_an_emptied_topic_remembers_nothing() -> None:
    """Where all records were deleted, no dead letter's mark can be relied on to be there."""
    marks = Marks("dlq", "in")
    read(marks, Log(start=100), NOW_MS - 1)
    assert marks.may_miss(letter(timestamp_ms=time.time_ns() // 1_000_000 - 60_000))


def test_a_plan_leaves_out_what_has_a_mark() -> None:
    """Each is looked for in the topic that it would go to, and in no other."""
    log, marks = Log(), Marks("dlq", "in")
    log.add(NOW_MS, "dlq:1:20")
    read(marks, log)
    plan = Plan("in", again=False, marks={"in": marks, "other": Marks("dlq", "other")})
    plan.waiting = [letter(offset=20), letter(offset=21)]
    plan.leave_out_replayed()
    assert [one.offset for one in plan.waiting] == [21]
    assert [one.offset for one in plan.already] == [20]
    assert plan.targets() == {"in": 1}
    plan.to, plan.waiting = "other", [letter(offset=20)]
    plan.leave_out_replayed()
    assert [one.offset for one in plan.waiting] == [20]


def test_each_goes_back_to_where_it_came_from() -> None:
    """Without another topic the header says where; one that does not say goes nowhere."""
    plan = Plan(None, again=False)
    assert plan.target(letter()) == "news.articles.v1"
    assert plan.target(letter(headers=[(f"{PREFIX}stage", b"infer")])) == ""


def test_the_pace_is_kept() -> None:
    """Never more than the rate and what may be caught up at once, after a wait neither."""

    async def times() -> list[float]:
        pace = Pace(200)
        await asyncio.sleep(0.5)
        started = time.monotonic()
        passed = []
        for _ in range(60):
            await pace.wait()
            passed.append(time.monotonic() - started)
        return passed

    passed = asyncio.run(times())
    assert all(moment >= (number / 200) - 0.11 for number, moment in enumerate(passed))
    assert passed[-1] < 5


class Answers:
    """A producer whose broker answers as a test says: an error, nothing at all, or well."""

    def __init__(self, *answers: Exception | str | None) -> None:
        """Take an answer for each record; ``silence`` is none."""
        self._answers = list(answers)

    async def send(self, *_: object, **__: object) -> asyncio.Future[None]:
        """Take a record."""
        future = asyncio.get_running_loop().create_future()
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            future.set_exception(answer)
        elif answer is None:
            future.set_result(None)
        return future


def send_all(
    producer: Any, letters: list[DeadLetter], told: Callable[[DeadLetter, str | None], None]
) -> None:
    """Send dead letters as a replay does."""

    async def run() -> None:
        sender = Sender(producer, KafkaSettings(request_timeout_s=0.1), told)
        try:
            for one in letters:
                await sender.send(one, dead_record(), "in", None)
            await sender.confirm_all()
        finally:
            sender.tell_of_the_rest()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "words", "confirmed"),
    [
        (NotEnoughReplicasError(), "does not take it: .*NotEnoughReplicasError", [0]),
        ("silence", "said nothing for 2.1 s", [0, 2]),
    ],
)
def test_what_the_broker_refuses_ends_the_replay(
    answer: Exception | str, words: str, confirmed: list[int]
) -> None:
    """The error says why, and all that was confirmed is told, nothing else."""
    told: list[tuple[int, str | None]] = []
    producer = Answers(None, answer, None)
    with pytest.raises(ReplayError, match=words):
        send_all(
            producer,
            [letter(offset=n) for n in range(3)],
            lambda one, reason: told.append((one.offset, reason)),
        )
    assert told == [(offset, None) for offset in confirmed]


def test_what_is_too_large_is_told_and_the_rest_goes_on() -> None:
    """A record that the broker finds too large is its own fault, not the replay's."""
    told: list[tuple[int, str | None]] = []
    producer = Answers(None, MessageSizeTooLargeError(), None)
    letters = [letter(offset=n) for n in range(3)]
    send_all(producer, letters, lambda one, reason: told.append((one.offset, reason)))
    assert told == [(0, None), (1, "2 bytes are more than in takes"), (2, None)]
