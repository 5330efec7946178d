"""The palette in the style sheet: legible in every theme, told apart by colour-blind readers."""

import re
from itertools import combinations, product

import numpy as np
import pytest

from service.viewer.pages import FOLDER
from tests.viewer.colours import BLINDNESS, contrast, difference, mixed, rgb, seen

CSS = (FOLDER / "static/viewer.css").read_text(encoding="utf-8")
LABELS = ("fact", "claim", "opinion")

# WCAG 2.2, level AA: text (1.4.3) and what is needed to see a control or a mark (1.4.11).
TEXT, MARK = 4.5, 3.0
# The labels are at least so far apart in CIEDE2000 for everybody: ten times what is just noticed,
# and twice that for those who see all colours.
APART, APART_FOR_MOST = 15.0, 30.0


def palette(start: str) -> dict[str, str]:
    """The colours that are set in the first block after some words of the style sheet."""
    block = CSS[CSS.index(start) :]
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", block[: block.index("}")]))


LIGHT = palette(":root {")
THEMES = {
    "light": LIGHT,
    "dark": LIGHT | palette("(prefers-color-scheme: dark)"),
    "print": LIGHT | palette("@media print"),
}


def share(selector: str) -> float:
    """How much of the label's colour a rule mixes into the ground, from 0 to 1."""
    rule = CSS[CSS.index(selector) :]
    found = re.search(r"color-mix\(in srgb, var\(--label\) (\d+)%", rule[: rule.index("}")])
    assert found
    return int(found[1]) / 100


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_legible(theme: str) -> None:
    """Words, quiet words, letters of labels and warnings on each ground that they stand on."""
    colours = THEMES[theme]
    for text, ground in product(("ink", "quiet", "wrong", *LABELS), ("paper", "raised")):
        assert contrast(rgb(colours[text]), rgb(colours[ground])) >= TEXT, (text, ground)
    assert contrast(rgb(colours["ink"]), rgb(colours["found"])) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("label", LABELS)
def test_marked_text_is_legible(theme: str, label: str) -> None:
    """Source and cue of an uncertain sentence under the pointer: one tint over the other.

    Where they were searched for, they lie on the colour of what was found.
    """
    colours, inside = THEMES[theme], ".s .source, .s .cue {"
    ground = rgb(colours["paper"])
    for selector in (".s:hover .words", ".uncertain .words {", inside):
        ground = mixed(colours[label], share(selector), ground)
        assert contrast(rgb(colours["ink"]), ground) >= TEXT, selector
    found = mixed(colours[label], share(inside), rgb(colours["found"]))
    assert contrast(rgb(colours["ink"]), found) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
def test_marks_are_visible(theme: str) -> None:
    """The lines under sentences, the bars, the edges of fields, the dot of the status."""
    colours = THEMES[theme]
    for label in LABELS:
        line = mixed(colours[label], share(".s .words {"), rgb(colours["paper"]))
        assert contrast(line, rgb(colours["paper"])) >= MARK
        assert contrast(rgb(colours[label]), rgb(colours["raised"])) >= MARK
    for mark, ground in product(("edge", "well"), ("paper", "raised")):
        assert contrast(rgb(colours[mark]), rgb(colours[ground])) >= MARK, (mark, ground)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_labels_are_told_apart(theme: str, blindness: str) -> None:
    """Any two labels, also without one kind of cones."""
    least = APART_FOR_MOST if blindness == "none" else APART
    for one, other in combinations(LABELS, 2):
        colours = [seen(THEMES[theme][label], blindness) for label in (one, other)]
        assert difference(*colours) >= least, (one, other)


def test_labels_are_told_apart_without_colour() -> None:
    """Each has a line and a letter of its own."""
    lines = dict(re.findall(r"\.(\w+) \{ --label: var\(--\w+\); --stroke: (\w+); \}", CSS))
    assert set(lines) == set(LABELS)
    assert len(set(lines.values())) == len(LABELS)


def test_the_style_sheet_loads_nothing() -> None:
    """No address in it, ours or another's."""
    assert not re.search(r"url\(|@import|@font-face|https?:", CSS)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_differences_are_computed_right(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    """Pairs of Sharma, Wu and Dalal's test data."""
    assert difference(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


def test_contrast_is_computed_right() -> None:
    """Black on white is 21, a colour on itself 1."""
    assert contrast(rgb("#000000"), rgb("#ffffff")) == pytest.approx(21)
    assert contrast(rgb("#1b73b3"), rgb("#1b73b3")) == 1
