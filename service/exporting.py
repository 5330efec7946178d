"""Writes labelled articles as JSON, CSV and Markdown, to be taken elsewhere. Pure."""

from __future__ import annotations

import csv
import io
import re
from typing import Final

from service.contracts import LABELS, LabelledArticle, Sentence
from service.viewer.addresses import is_web_address

COLUMNS: Final = (
    *("article_id", "title", "publisher", "published_at", "url"),
    *("index", "start", "end", "label", "confidence", "uncertain", *LABELS),
    *("source", "source_start", "source_end", "source_index"),
    *("cue", "cue_start", "cue_end", "text"),
)
LABEL_NAMES: Final = {"fact": "Fact", "attributed_claim": "Claim", "opinion": "Opinion"}

# A spreadsheet takes a cell that begins with one of these for a formula and carries it out.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
# What has a meaning in Markdown, or in the HTML that Markdown lets through: anywhere, and where a
# line begins.
_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>#!|~&$])")
_FIRST_MARKS: Final = re.compile(r"^(\d*)([-+=.):])")


def to_json(article: LabelledArticle) -> str:
    """Write the labelled article exactly as it lies on the topic, but indented."""
    return article.model_dump_json(by_alias=True, indent=2) + "\n"


def to_csv(article: LabelledArticle, *, head: bool = True) -> str:
    """Write a row a sentence, in the form of RFC 4180.

    Cells that a spreadsheet would take for a formula get an apostrophe in front: articles are
    other people's words.

    Args:
        article: what to write.
        head: begin with a row of the columns' names; not where another article came before.
    """
    rows = io.StringIO()
    writer = csv.writer(rows)
    if head:
        writer.writerow(COLUMNS)
    for sentence in article.sentences:
        writer.writerow([_cell(value) for value in _row(article, sentence)])
    return rows.getvalue()


def to_markdown(article: LabelledArticle) -> str:
    """Write the title, where it comes from, and a list of sentences with label and source."""
    lines = [f"# {_escaped(article.title or article.article_id)}", ""]
    origin = [article.publisher, article.published_at]
    lines += [_escaped(", ".join(filter(None, origin)) or article.article_id), ""]
    if article.url is not None:
        lines += [f"<{article.url}>" if _is_plain(article.url) else _escaped(article.url), ""]
    lines += [_item(sentence) for sentence in article.sentences]
    model = f"Labelled by {article.model.name} {article.model.version}"
    return "\n".join([*lines, "", _escaped(f"{model}; it says how a sentence is presented,"
                      " not whether it is true."), ""])  # fmt: skip


def _row(article: LabelledArticle, sentence: Sentence) -> tuple[object, ...]:
    source, cue, scores = sentence.source, sentence.cue, sentence.scores
    return (
        *(article.article_id, article.title, article.publisher, article.published_at, article.url),
        *(sentence.index, sentence.start, sentence.end, sentence.label, sentence.confidence),
        *("yes" if sentence.uncertain else "no", *(getattr(scores, label) for label in LABELS)),
        *((source.text, source.start, source.end) if source else (None, None, None)),
        source.sentence_index if source else None,
        *((cue.text, cue.start, cue.end) if cue else (None, None, None)),
        sentence.text,
    )


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _item(sentence: Sentence) -> str:
    doubt = ", uncertain" if sentence.uncertain else ""
    about = [f"{LABEL_NAMES[sentence.label]} {sentence.confidence:.0%}{doubt}"]
    if sentence.label == "attributed_claim":
        source = sentence.source
        nearby = source is not None and source.sentence_index != sentence.index
        name = _escaped(source.text) if source else "no source named"
        about.append(f"{name} (named nearby)" if nearby else name)
        if sentence.cue:
            about.append(f"“{_escaped(sentence.cue.text)}”")
    return f"- **{'; '.join(about)}**  \n  {_escaped(sentence.text)}"


def _escaped(text: str) -> str:
    """Words on one line that mean nothing to Markdown."""
    return _FIRST_MARKS.sub(r"\1\\\2", _MARKS.sub(r"\\\1", " ".join(text.split())))


def _is_plain(url: str) -> bool:
    """Whether an address may stand between angle brackets."""
    return is_web_address(url) and not re.search(r"[\s<>\\\x00-\x1f\x7f]", url)
