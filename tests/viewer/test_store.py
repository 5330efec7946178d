"""The bounded store."""

from hypothesis import given
from hypothesis import strategies as st

from service.viewer.store import Held, Place, Store
from tests.viewer.samples import held, labelled


def sized(article_id: str, size: int, body: str = "It rained.") -> Held:
    """An article that counts as so many bytes."""
    return Held(labelled(article_id, body), size)


def ids(store: Store) -> list[str]:
    """Which articles are held, the newest first."""
    return [item.article.article_id for item in store.newest_first()]


def test_the_newest_comes_first_and_the_oldest_goes() -> None:
    """Beyond the number of articles the oldest is forgotten."""
    store = Store(max_articles=2, max_bytes=1000)
    for name in "abc":
        assert store.add(sized(name, 10)) == "added"
    assert ids(store) == ["c", "b"]
    assert store.get("a") is None
    assert store.bytes == 20


def test_bytes_are_bounded() -> None:
    """Beyond the bytes as many of the oldest go as must."""
    store = Store(max_articles=10, max_bytes=100)
    for name in "abcd":
        store.add(sized(name, 30))
    store.add(sized("e", 80))
    assert ids(store) == ["e"]
    assert store.bytes == 80


def test_an_article_larger_than_all_is_not_held() -> None:
    """It is refused and the others stay; an outdated version of it does not."""
    store = Store(max_articles=10, max_bytes=100)
    store.add(sized("a", 50))
    store.add(sized("b", 50))
    assert store.add(sized("a", 101, "It rained all day.")) == "too large"
    assert ids(store) == ["b"]


def test_a_replay_changes_nothing() -> None:
    """The same version again neither moves the article nor counts twice."""
    store = Store(max_articles=10, max_bytes=1000)
    store.add(sized("a", 10))
    store.add(sized("b", 10))
    assert store.add(sized("a", 10)) == "same"
    assert ids(store) == ["b", "a"]
    assert store.bytes == 20


def test_a_new_version_takes_the_place_of_the_old() -> None:
    """It comes to the top, and the old one is gone."""
    store = Store(max_articles=10, max_bytes=1000)
    store.add(sized("a", 10))
    store.add(sized("b", 10))
    assert store.add(sized("a", 20, "It did not rain.")) == "replaced"
    assert ids(store) == ["a", "b"]
    assert store.bytes == 30


def test_completing() -> None:
    """A text that was found is held and counted; its article stays where it is in the order."""
    store = Store(max_articles=10, max_bytes=100)
    first = sized("a", 10)._replace(place=Place(0, 1))
    store.add(first)
    store.add(sized("b", 10))
    done = store.complete(first, "It rained. é")
    assert (done.text, done.place, done.size) == ("It rained. é", None, 23)
    assert store.get("a") == done
    assert ids(store) == ["b", "a"]
    assert store.bytes == 33
    # What is no longer held does not come back.
    assert store.complete(first, "It snowed.").text == "It snowed."
    assert store.get("a") == done
    # The bound holds.
    store.complete(store.newest_first()[0], "x" * 90)
    assert (ids(store), store.bytes) == (["b"], 100)


def test_there_may_be_nothing_to_complete() -> None:
    """Then nothing is counted, and it is not looked for again."""
    store = Store(max_articles=10, max_bytes=100)
    store.add(sized("a", 10)._replace(place=Place(0, 1)))
    store.complete(store.newest_first()[0], None)
    (left,) = store.newest_first()
    assert (left.text, left.place, store.bytes) == (None, None, 10)


def test_removing() -> None:
    """What is removed is gone, and removing it again is harmless."""
    store = Store(max_articles=10, max_bytes=10_000)
    store.add(held("a"))
    assert store.remove("a")
    assert not store.remove("a")
    assert (len(store), store.bytes) == (0, 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.integers(min_value=1, max_value=60),
            st.sampled_from(["It rained.", "It snowed.", None]),
        ),
        max_size=40,
    )
)
def test_the_bounds_always_hold(steps: list[tuple[str, int, str | None]]) -> None:
    """Whatever comes and goes, the bounds hold and the bytes add up."""
    store = Store(max_articles=3, max_bytes=100)
    for name, size, body in steps:
        if body is None:
            store.remove(name)
        else:
            store.add(sized(name, size, body))
        assert len(store) <= 3
        assert store.bytes <= 100
        assert store.bytes == sum(item.size for item in store.newest_first())
