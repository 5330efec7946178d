"""The address of an article: any id as one segment of a path, and back."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

# Browsers take the segments "." and "..", also when percent-encoded, for steps in the path.
# Written with a tilde before they are segments like any other, and so are ids that begin with one.
_MARK: Final = "~"


def segment_of(article_id: str) -> str:
    """Write an article's id as one segment of a path."""
    if article_id in {".", ".."} or article_id.startswith(_MARK):
        article_id = _MARK + article_id
    return quote(article_id, safe="~")


def article_id_of(segment: str) -> str:
    """Read an article's id from a segment that the server has decoded."""
    return segment.removeprefix(_MARK)


def is_web_address(url: str | None) -> bool:
    """Whether a link may lead there: the web, and not a script, a file or anything else."""
    return url is not None and url.lower().startswith(("https://", "http://"))
