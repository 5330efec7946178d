"""Labelled articles on a terminal: narrow, wide, in colour and without."""

import io
import re
from itertools import combinations

import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, DIMMED_MONOKAI, MONOKAI, NIGHT_OWLISH

from service.contracts import LABELS, Article, LabelledArticle
from service.pipeline import label_article
from service.rendering import STYLES, show
from service.viewer.pages import FOLDER
from tests.labellers import RuleLabeller
from tests.viewer.colours import BLINDNESS, contrast, difference, rgb, seen
from tests.viewer.samples import changed

WIDTHS = (80, 200)
BODY = "The minister said taxes fell.\nTaxes should fall.\nRead more\nIt rained."


def article(body: str = BODY) -> LabelledArticle:
    """Label a text by a few words."""
    return label_article(
        Article(id="a", title="A title with [brackets]", body=body), RuleLabeller()
    )


def shown(labelled: LabelledArticle, width: int, text: str | None = BODY) -> str:
    """What a terminal of that width without colour gets, or a pipe."""
    console = Console(file=io.StringIO(), width=width, color_system=None, record=True)
    show(console, labelled, text)
    return console.export_text()


def coloured(labelled: LabelledArticle, **options: object) -> str:
    """What a terminal with colour gets."""
    out = io.StringIO()
    values = {"color_system": "standard", "width": 100, "force_terminal": True, **options}
    show(Console(file=out, **values), labelled, BODY)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("width", WIDTHS)
def test_legible_without_colour(width: int) -> None:
    """Labels, source, cue, furniture and counts are words, and no line is too wide."""
    out = shown(article(), width)
    assert "\x1b" not in out
    lines = [line.split() for line in out.splitlines()]
    assert {line[0] for line in lines if line} >= {"claim", "opinion", "fact", "–"}
    assert "‹The minister, “said”›" in out
    assert "Read more" in out
    assert "3 sentences: 1 fact, 1 claim, 1 opinion; furniture: 1" in out
    assert "1 source: The minister ×1" in out
    assert "A title with [brackets]" in out
    assert max(map(len, out.splitlines())) <= width


def test_who_says_it_stands_below_or_beside() -> None:
    """Below a sentence in a narrow terminal, beside it in a wide one."""
    below, beside = (shown(article(), width).splitlines() for width in WIDTHS)
    assert not any("taxes fell" in line and "‹" in line for line in below)
    assert any("taxes fell" in line and "‹The minister, “said”›" in line for line in beside)


@pytest.mark.parametrize("width", WIDTHS)
def test_lines_are_not_too_long_to_read(width: int) -> None:
    """A long sentence is broken well before the edge of a wide terminal, between words."""
    words = "it rained and rained in every village of the long valley " * 8
    body = f"The minister said {words.strip()}."
    out = shown(article(body), width, body)
    lines = [line[18 : 18 + 90].strip() for line in out.splitlines()[2:]]
    assert " ".join(lines).startswith(f"The minister said {words.strip()}.")


@pytest.mark.parametrize("width", WIDTHS)
def test_uncertain_sentences_have_a_mark_and_are_counted(width: int) -> None:
    """A question mark at the confidence, and a number in the summary; certain ones have none."""
    out = shown(changed(article(), 1, uncertain=True), width)
    assert "1 uncertain (?)" in out
    marked = [line for line in out.splitlines() if re.search(r"\d%\?", line)]
    assert len(marked) == 1
    assert "Taxes should fall." in marked[0]
    assert "?" not in shown(article(), width)


def test_a_speaker_named_nearby_and_none_at_all_are_told_apart() -> None:
    """Both are said in words, and the summary counts claims that name nobody."""
    labelled = article("The minister said taxes fell.\nThe mayor said it rained.\nHe claimed so.")
    nearby = changed(labelled, 1, source=labelled.sentences[0].source)
    out = shown(changed(nearby, 2, source=None), 80, None)
    assert "‹The minister (named nearby), “said”›" in out
    assert "‹no source named, “claimed”›" in out
    assert "1 source: The minister ×2; nobody named ×1" in out


def test_many_sources_are_summed_up() -> None:
    """The summary names those with most claims, and says how many more there are."""
    body = "\n".join(f"Anna{n} said it rained." for n in range(9)) + "\nAnna8 said so."
    out = " ".join(shown(article(body), 80, body).split())
    assert "9 sources: Anna8 ×2; Anna0 ×1; " in out
    assert "and 3 more" in out


def test_source_and_cue_are_marked_in_colour() -> None:
    """On a terminal the source is bold and underlined, the cue in italics and underlined."""
    out = coloured(article())
    assert "\x1b[1;4mThe minister" in out
    assert "\x1b[3;4msaid" in out


def test_sentences_keep_the_terminals_own_colours() -> None:
    """Only labels are coloured, so that the text is legible on any background."""
    out = coloured(article())
    grounds = re.findall(r"\x1b\[[\d;]*?(?:3|9|4|10)\d(?:;[\d;]*)?m([^\x1b]*)", out)
    assert sorted(word.strip() for word in grounds) == ["claim", "fact", "opinion"]


def test_no_color_leaves_marks_but_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR source and cue are still underlined, and nothing has a colour."""
    monkeypatch.setenv("NO_COLOR", "1")
    codes = re.findall(r"\x1b\[([\d;]*)m", coloured(article(), no_color=None))
    assert {number for code in codes for number in code.split(";")} <= {"", *"012347"}
    assert "4" in "".join(codes)


def test_the_labels_have_the_viewers_colours() -> None:
    """Those of its dark theme."""
    css = (FOLDER / "static/viewer.css").read_text(encoding="utf-8")
    dark = css[css.index("(prefers-color-scheme: dark)") :]
    for label, name in zip(LABELS, ("fact", "claim", "opinion"), strict=True):
        found = re.search(rf"--{name}: (#\w+);", dark)
        assert found
        assert STYLES[label].endswith(found[1])


@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT])
@pytest.mark.parametrize("theme", [DEFAULT_TERMINAL_THEME, MONOKAI, DIMMED_MONOKAI, NIGHT_OWLISH])
def test_labels_are_legible_and_told_apart(system: ColorSystem, theme: object) -> None:
    """In light and dark palettes, with 256 colours or more, for colour-blind readers too."""
    grounds = {}
    for label in LABELS:
        style = Style.parse(STYLES[label])
        assert style.color
        assert style.bgcolor
        ink, ground = (
            color.downgrade(system).get_truecolor(theme).hex  # type: ignore[arg-type]
            for color in (style.color, style.bgcolor)
        )
        assert contrast(rgb(ink), rgb(ground)) >= 4.5
        grounds[label] = ground
    for blindness in BLINDNESS:
        for one, other in combinations(LABELS, 2):
            colours = [seen(grounds[label], blindness) for label in (one, other)]
            assert difference(*colours) >= 15, (one, other, blindness)


def test_hostile_text_cannot_steer_the_terminal() -> None:
    """Escape sequences in a sentence, a title or a source are not passed to the terminal."""
    evil = "\x1b[2J\x1b]0;owned\x07\u202e"
    body = f"It rained {evil} all day.\nThe mayor{evil} said it rained."
    hostile = article(body).model_copy(update={"title": evil})
    for width in WIDTHS:
        out = shown(hostile, width, body)
        assert not set(out) & set("\x1b\x07\u202e")
