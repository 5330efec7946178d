"""Any id is one segment of a path, and comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from service.viewer.addresses import article_id_of, is_web_address, segment_of


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_ids_come_back(article_id: str) -> None:
    """Whatever the id, its segment has no slash, is no step in the path, and leads back to it."""
    segment = segment_of(article_id)
    assert "/" not in segment
    url = URL(f"http://viewer/articles/{segment}/export.csv", encoded=True)
    assert article_id_of(url.parts[2]) == article_id


@pytest.mark.parametrize("article_id", [".", "..", "~", "~..", "a/../b", "%2e%2e", "?q#f", " "])
def test_awkward_ids(article_id: str) -> None:
    """Dots, tildes, slashes and percent signs stay what they are."""
    assert segment_of(article_id) not in {".", ".."}
    assert article_id_of(URL(f"/{segment_of(article_id)}", encoded=True).path[1:]) == article_id


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/a", True),
        ("HTTP://example.com", True),
        ("javascript:alert(1)", False),
        (" https://example.com", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.com", False),
        ("/label", False),
        (None, False),
    ],
)
def test_only_the_web_is_linked(url: str | None, expected: bool) -> None:  # noqa: FBT001
    """Links lead to http and https, and nowhere else."""
    assert is_web_address(url) is expected
