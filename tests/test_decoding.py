"""Records' values become articles, tombstones or readable data errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.contracts import Article
from service.decoding import DecodeError, decode


def test_null_is_a_tombstone() -> None:
    """A record without a value decodes to no article."""
    assert decode(None) is None


def test_unknown_fields_are_ignored() -> None:
    """Fields that the contract does not know do no harm."""
    assert decode(b'{"id":"a","body":"x","desk":{"n":1}}') == Article(id="a", body="x")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        (b"null", "Input should be an object"),
        (b'{"body":"x"}', "id: Field required"),
        (b'{"id":"a"}', "body or html is required"),
        (b'{"id":7,"body":"x"}', "id: Input should be a valid string"),
        (b'{"id":"a","body":"\\ud800"}', "Invalid JSON"),
        (b'{"id":"a","body":"x","published_at":"now"}', "published_at"),
    ],
)
def test_bad_values_get_a_readable_reason(value: bytes, reason: str) -> None:
    """A value that is no article is told in one line that names the fault."""
    with pytest.raises(DecodeError) as caught:
        decode(value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reasons_do_not_quote_the_data() -> None:
    """What the producer sent does not leak into messages and logs."""
    with pytest.raises(DecodeError) as caught:
        decode(b'{"id":"a","body":["secret"]}')
    assert "secret" not in str(caught.value)


@given(st.binary())
def test_any_bytes_end_as_article_or_data_error(value: bytes) -> None:
    """No bytes bring the decoder down."""
    try:
        article = decode(value)
    except DecodeError as error:
        assert str(error)
    else:
        assert isinstance(article, Article)
