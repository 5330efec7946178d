"""Says whether a labelled article agrees with itself, so that all that follows may rely on it."""

from __future__ import annotations

from service.contracts import Extent, LabelledArticle, Sentence, Span


def fault(article: LabelledArticle) -> str | None:
    """Say in a few words where an article contradicts itself; None if it does not.

    The schema cannot say that the offsets of a sentence fit its text, that extents are in order,
    or that a source lies in the sentence that it names. A record that is wrong there was not made
    by a worker of ours.
    """
    return _order_fault(article) or _text_fault(article) or _span_fault(article)


def _order_fault(article: LabelledArticle) -> str | None:
    if [sentence.index for sentence in article.sentences] != list(range(len(article.sentences))):
        return "sentences are not numbered from 0 in order"
    for extents in (article.sentences, article.furniture):
        if not _in_order(extents):
            return "extents overlap or are out of order"
    if not _in_order(sorted((*article.sentences, *article.furniture), key=lambda e: e.start)):
        return "furniture overlaps a sentence"
    return None


def _in_order(extents: tuple[Sentence | Extent, ...] | list[Sentence | Extent]) -> bool:
    last = 0
    for extent in extents:
        if extent.start < last or extent.end <= extent.start:
            return False
        last = extent.end
    return True


def _text_fault(article: LabelledArticle) -> str | None:
    for sentence in article.sentences:
        if len(sentence.text) != sentence.end - sentence.start:
            return f"sentence {sentence.index}: the offsets do not fit the text"
    text = article.text
    if text is None:
        return None
    if any(text[sentence.start : sentence.end] != sentence.text for sentence in article.sentences):
        return "the article's text has other words than its sentences"
    if any(extent.end > len(text) for extent in article.furniture):
        return "furniture beyond the end of the text"
    return None


def _span_fault(article: LabelledArticle) -> str | None:
    for sentence in article.sentences:
        for name, span in (("source", sentence.source), ("cue", sentence.cue)):
            if span is not None and not _lies_in(span, article.sentences):
                return f"sentence {sentence.index}: the {name} does not lie where it says"
    return None


def _lies_in(span: Span, sentences: tuple[Sentence, ...]) -> bool:
    """Whether a span has the words of the sentence that it says it stands in."""
    if span.sentence_index >= len(sentences):
        return False
    home = sentences[span.sentence_index]
    start, end = span.start - home.start, span.end - home.start
    return 0 <= start < end <= len(home.text) and home.text[start:end] == span.text
