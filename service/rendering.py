"""Shows labelled articles on a terminal: in colour where there is one, legible without."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.contracts import LABELS, LabelledArticle, Sentence

_STYLES = {"fact": "cyan", "attributed_claim": "yellow", "opinion": "magenta"}
# Articles are hostile input: control characters could steer the terminal, and overrides of the
# writing direction could show a text that is not there. One for one, so that offsets hold.
_HARMLESS = {
    **dict.fromkeys(
        [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F)], "\N{REPLACEMENT CHARACTER}"
    ),
    **dict.fromkeys(range(0x2066, 0x206A), "\N{REPLACEMENT CHARACTER}"),
    **dict.fromkeys(map(ord, "\t\n\v\f\r\x85"), " "),
}
_NAMES = {"fact": "fact", "attributed_claim": "claim", "opinion": "opinion"}


def show(console: Console, article: LabelledArticle, text: str | None = None) -> None:
    """Print a labelled article, a sentence a line, and how many there are of each label.

    Args:
        console: where to.
        article: what to show.
        text: the article's own text, where it is at hand: furniture is then shown in grey.
    """
    console.print()
    console.rule(Text(printable(article.title or article.article_id), style="bold"), align="left")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right", style="dim")
    table.add_column(ratio=1)
    text = text or article.text
    rows = {sentence.start: _row(sentence) for sentence in article.sentences}
    if text is not None:
        for part in article.furniture:
            furniture = Text(printable(text[part.start : part.end]), "dim")
            rows[part.start] = Text("–", "dim"), "", furniture
    for start in sorted(rows):
        table.add_row(*rows[start])
    console.print(table)
    console.print(summary(article))


def printable(text: str) -> str:
    """The text, as long as it was, without what could steer a terminal."""
    return text.translate(_HARMLESS)


def summary(article: LabelledArticle) -> Text:
    """One line: sentences by label, and stretches of furniture."""
    counts = article.counts.model_dump()
    line = Text(f"{len(article.sentences)} sentences: ", "bold")
    for number, label in enumerate(LABELS):
        line.append(", " if number else "")
        line.append(f"{counts[label]} {_NAMES[label]}", _STYLES[label])
    return line.append(f"; furniture: {len(article.furniture)}", "dim")


def _row(sentence: Sentence) -> tuple[Text, str, Text]:
    style = _STYLES[sentence.label]
    line = Text(printable(sentence.text), style)
    for span, look in ((sentence.source, "bold underline"), (sentence.cue, "italic underline")):
        if span is not None and span.sentence_index == sentence.index:
            line.stylize(look, span.start - sentence.start, span.end - sentence.start)
    if sentence.label == "attributed_claim":
        source = sentence.source.text if sentence.source else "no source named"
        if sentence.source and sentence.source.sentence_index != sentence.index:
            source += " (named nearby)"
        cue = f", “{sentence.cue.text}”" if sentence.cue else ""
        line.append(printable(f"  ‹{source}{cue}›"), "dim")
    doubt = "?" if sentence.uncertain else " "
    return Text(_NAMES[sentence.label], style), f"{sentence.confidence:.0%}{doubt}", line
