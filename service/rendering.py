"""Shows labelled articles on a terminal: in colour where there is one, legible without.

Each label is a word on a ground of its own; the sentence keeps the terminal's own colours, so that
it is legible on light and on dark ones. Without colour the words remain, and who says a claim by
which words stands below it, or beside it where there is room.
"""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from service.contracts import LABELS, LabelledArticle, Sentence
from service.viewer.claims import speakers

# The viewer's colours of its dark theme, as grounds. They are the same in every terminal of 256
# colours or more, whatever its own palette is.
STYLES: Final = {
    "fact": "#000000 on #7cc0f5",
    "attributed_claim": "#000000 on #f2c463",
    "opinion": "#000000 on #e8688f",
}
# Articles are hostile input: control characters could steer the terminal, and overrides of the
# writing direction could show a text that is not there. One for one, so that offsets hold.
_HARMLESS: Final = {
    **dict.fromkeys(
        [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F)], "\N{REPLACEMENT CHARACTER}"
    ),
    **dict.fromkeys(range(0x2066, 0x206A), "\N{REPLACEMENT CHARACTER}"),
    **dict.fromkeys(map(ord, "\t\n\v\f\r\x85"), " "),
}
_NAMES: Final = {"fact": "fact", "attributed_claim": "claim", "opinion": "opinion"}
# Columns of the terminal. Longer lines are hard to read, so a wide terminal is not filled.
_TEXT, _SAYS, _BEFORE_TEXT = 90, 42, 18
_WIDE = _BEFORE_TEXT + _TEXT + 2 + _SAYS
_MOST_SOURCES: Final = 6


def show(console: Console, article: LabelledArticle, text: str | None = None) -> None:
    """Print a labelled article, a sentence a line, and how many there are of each label.

    Args:
        console: where to.
        article: what to show.
        text: the article's own text, where it is at hand: furniture is then shown in grey.
    """
    width = min(console.width, _WIDE)
    is_wide = width == _WIDE
    console.print()
    title = Text(printable(article.title or article.article_id), style="bold")
    console.print(Rule(title, align="left", style=""), width=width)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right", min_width=len("100%?"))
    table.add_column(ratio=1)
    if is_wide:
        table.add_column(width=_SAYS)
    text = text or article.text
    rows = {sentence.start: _row(sentence, is_wide=is_wide) for sentence in article.sentences}
    if text is not None:
        for part in article.furniture:
            furniture = Text(printable(text[part.start : part.end]), "dim")
            rows[part.start] = [Text(" –", "dim"), Text(), furniture]
    for start in sorted(rows):
        table.add_row(*rows[start])
    console.print(table, width=width)
    console.print(summary(article), width=width)


def printable(text: str) -> str:
    """The text, as long as it was, without what could steer a terminal."""
    return text.translate(_HARMLESS)


def summary(article: LabelledArticle) -> Text:
    """How many sentences there are of each label, how many uncertain, and how many of each source.

    Sources are named as the viewer names them: whoever makes most claims first.
    """
    counts = article.counts.model_dump()
    line = Text(f"{_number(len(article.sentences), 'sentence')}: ", "bold")
    for number, label in enumerate(LABELS):
        line.append(", " if number else "")
        line.append(f"{counts[label]} {_NAMES[label]}")
    uncertain = sum(sentence.uncertain for sentence in article.sentences)
    line.append(f"; {uncertain} uncertain (?)" if uncertain else "")
    line.append(f"; furniture: {len(article.furniture)}")
    who = sorted(speakers(article), key=lambda speaker: (not speaker.name, -len(speaker.claims)))
    if who:
        named = sum(speaker.name is not None for speaker in who)
        line.append(f"\n{_number(named, 'source')}: ", "bold")
        told = [
            f"{printable(speaker.name) if speaker.name else 'nobody named'} ×{len(speaker.claims)}"
            for speaker in who
        ]
        more = [f"and {len(told) - _MOST_SOURCES} more"] if len(told) > _MOST_SOURCES else []
        line.append("; ".join(told[:_MOST_SOURCES] + more))
    return line


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _row(sentence: Sentence, *, is_wide: bool) -> list[Text]:
    """The cells of a sentence: label, confidence, text, and in a wide table who says it."""
    line = Text(printable(sentence.text))
    for span, look in ((sentence.source, "bold underline"), (sentence.cue, "italic underline")):
        if span is not None and span.sentence_index == sentence.index:
            line.stylize(look, span.start - sentence.start, span.end - sentence.start)
    confidence = Text(f"{sentence.confidence:.0%}{'?' if sentence.uncertain else ' '}")
    if sentence.uncertain:
        confidence.stylize("bold reverse", len(confidence) - 1)
    label = Text(f" {_NAMES[sentence.label]:7} ", STYLES[sentence.label])
    if sentence.label != "attributed_claim":
        return [label, confidence, line]
    says = Text(printable(_says(sentence)))
    if is_wide:
        return [label, confidence, line, says]
    return [label, confidence, Text("\n").join([line, says])]


def _says(sentence: Sentence) -> str:
    """Who says a claim, and by which words."""
    source = sentence.source.text if sentence.source else "no source named"
    if sentence.source and sentence.source.sentence_index != sentence.index:
        source += " (named nearby)"
    cue = f", “{sentence.cue.text}”" if sentence.cue else ""
    return f"‹{source}{cue}›"
