"""Headers of dead letters."""

from hypothesis import given
from hypothesis import strategies as st

from service.deadletters import PREFIX, dead_letter_headers, one_line
from service.outcomes import Failure
from tests.test_headers import record

FAILURE = Failure("infer", "error", "a.b.Error", "it broke\nbadly", attempts=3)


def test_named_as_kafka_connect_does() -> None:
    """The headers say where the record was, what failed, and how often it was tried."""
    assert dict(dead_letter_headers(record(), FAILURE)) == {
        "__connect.errors.topic": b"news.articles.v1",
        "__connect.errors.partition": b"3",
        "__connect.errors.offset": b"14",
        "__connect.errors.stage": b"infer",
        "__connect.errors.exception.class.name": b"a.b.Error",
        "__connect.errors.exception.message": b"it broke badly",
        "__connect.errors.attempts": b"3",
    }


def test_the_records_own_headers_stay() -> None:
    """What the producer sent along is kept in order, also twice; an earlier failure is not."""
    own = [("a", b"1"), ("a", b"2"), (f"{PREFIX}stage", b"decode")]
    headers = dead_letter_headers(record(headers=own), FAILURE)
    assert headers[:2] == own[:2]
    assert [value for name, value in headers if name == f"{PREFIX}stage"] == [b"infer"]


@given(st.text())
def test_any_message_becomes_one_short_line(message: str) -> None:
    """Whatever an exception says fits into a header: one line, bounded, encodable."""
    line = one_line(message)
    assert len(line) <= 500
    assert line.isprintable()
    assert line.encode().decode() == line
