"""The text of NITF."""

import pytest

from service.feeds.markup import parse_xml
from service.feeds.nitf import nitf_text


def text(inside: str) -> str:
    """The text of a document with this in its body."""
    content = f"<body.content>{inside}</body.content>"
    return nitf_text(parse_xml(f"<nitf><body>{content}</body></nitf>".encode()))


@pytest.mark.parametrize(
    ("inside", "wanted"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("<block><p>One\n  <em>and</em> a <person>half</person>.</p></block>", "One and a half."),
        ("<p>One.<br/>Two.</p>", "One.\nTwo."),
        ("Loose. <p>Two.</p> Words.", "Loose.\n\nTwo.\n\nWords."),
        ("<p>A<note><p>not this</p></note>B</p>", "A\n\nB"),
        ("<p>One.</p><media><media-caption>No.</media-caption></media><p>Two.</p>", "One.\n\nTwo."),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1\n\n2"),
        ("<p> </p>", ""),
    ],
)
def test_blocks(inside: str, wanted: str) -> None:
    """Blocks are set apart, lines within one joined, captions and notes left out."""
    assert text(inside) == wanted


def test_no_body_is_no_text() -> None:
    """Head lines alone are no article."""
    assert not nitf_text(parse_xml(b"<nitf><body><body.head>Rain</body.head></body></nitf>"))
