"""Labelled articles on a terminal."""

import io

import pytest
from rich.console import Console

from service.contracts import Article
from service.pipeline import label_article
from service.rendering import show
from tests.labellers import RuleLabeller

BODY = "The minister said taxes fell.\nTaxes should fall.\nRead more"


def shown(*, width: int, colour: bool) -> str:
    """What a terminal of that width gets."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    article = Article(id="a", title="A title with [brackets]", body=BODY)
    show(console, label_article(article, RuleLabeller()), BODY)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 200])
def test_legible_without_colour(width: int) -> None:
    """Labels, source, cue, furniture and counts are words, and no line is too wide."""
    out = shown(width=width, colour=False)
    assert "\x1b" not in out
    assert "claim" in out
    assert "‹The minister, “said”›" in out
    assert "Read more" in out
    assert "2 sentences: 0 fact, 1 claim, 1 opinion; furniture: 1" in out
    assert "A title with [brackets]" in out
    assert max(map(len, out.splitlines())) <= width


def test_source_and_cue_are_marked_in_colour() -> None:
    """On a terminal the source is underlined and the cue in italics."""
    out = shown(width=100, colour=True)
    assert "\x1b[1;4;33mThe minister" in out
    assert "\x1b[3;4;33msaid" in out


def test_hostile_text_cannot_steer_the_terminal() -> None:
    """Escape sequences in an article are not passed to the terminal."""
    out = io.StringIO()
    body = "It rained \x1b[2J\x1b]0;owned\x07 all day."
    show(Console(file=out, width=80), label_article(Article(id="a", body=body), RuleLabeller()))
    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()
