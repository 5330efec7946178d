"""What is fetched and not done: its bytes and its age."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.fetched import Fetched

RECORDS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(0, 50), st.booleans())
)


@given(RECORDS)
def test_bytes_are_those_of_what_is_not_done(events: list[tuple[str, int, int, bool]]) -> None:
    """Whatever is fetched, also twice, and done, the bytes are those of the records left."""
    fetched = Fetched()
    left: dict[tuple[str, int], int] = {}
    latest = {"a": -1, "b": -1}
    for partition, offset, size, is_done in events:
        if is_done:
            fetched.done(partition, offset)
            left = {at: n for at, n in left.items() if at[0] != partition or at[1] > offset}
        else:
            fetched.add(partition, offset, size, None)
            if not any(at[0] == partition for at in left) or offset > latest[partition]:
                left[partition, offset] = size
                latest[partition] = offset
        assert fetched.size == sum(left.values())
    fetched.clear()
    assert fetched.size == 0


def test_the_oldest_carries_a_time() -> None:
    """Of each partition the first record that carries a time tells the age."""
    fetched = Fetched()
    for offset, time in ((3, None), (4, 20.0), (5, 10.0)):
        fetched.add("a", offset, 1, time)
    fetched.add("b", 0, 1, None)
    assert fetched.oldest() == {"a": 20.0}
    fetched.done("a", 4)
    assert fetched.oldest() == {"a": 10.0}
    fetched.done("a", 9)
    assert fetched.oldest() == {}
