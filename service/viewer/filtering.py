"""What the reader asks to see: words, labels, a source, a confidence. Pure.

Everything asked for stands in the page's address, so that it can be sent on and bookmarked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict

from service.contracts import LABELS, Label, LabelledArticle, Sentence

Certainty = Literal["", "60", "75", "90", "uncertain"]
_CERTAINTIES: Final[tuple[Certainty, ...]] = ("", "60", "75", "90", "uncertain")
# Longer questions are cut, so that no address makes a search slow.
_MAX_CHARACTERS: Final = 200
_MAX_WORDS: Final = 10
# So often each word is marked in a sentence.
_MAX_HITS: Final = 50

Interval = tuple[int, int]


class Wanted(BaseModel):
    """What a page is to show; nothing asked for means everything."""

    model_config = ConfigDict(frozen=True)

    q: str = ""
    labels: tuple[Label, ...] = LABELS
    source: str = ""
    certainty: Certainty = ""

    @cached_property
    def words(self) -> list[re.Pattern[str]]:
        """A pattern for each word searched for."""
        return _patterns(self.q)

    @cached_property
    def source_words(self) -> list[re.Pattern[str]]:
        """A pattern for each word that the source's name is to have."""
        return _patterns(self.source)

    @property
    def narrows_sentences(self) -> bool:
        """Whether sentences are asked for by label, source or confidence."""
        return self.labels != LABELS or bool(self.source or self.certainty)

    @property
    def narrows(self) -> bool:
        """Whether anything is asked for."""
        return self.narrows_sentences or bool(self.q)

    def query(self) -> str:
        """The same as the end of an address, with its question mark; empty for everything."""
        pairs = [("q", self.q), ("source", self.source), ("certainty", self.certainty)]
        if self.labels != LABELS:
            pairs += [("label", label) for label in self.labels]
        asked = urlencode([(name, value) for name, value in pairs if value])
        return f"?{asked}" if asked else ""

    def takes(self, sentence: Sentence, name: str | None = None) -> bool:
        """Whether a sentence has the label, the source and the confidence asked for.

        Args:
            sentence: the sentence.
            name: the name that its source goes by in the article (see `service.viewer.claims`).
        """
        if sentence.label not in self.labels or not self._is_sure_as_wanted(sentence):
            return False
        if not self.source:
            return True
        named = f"{sentence.source.text if sentence.source else ''}\n{name or ''}"
        return all(word.search(named) for word in self.source_words)

    def _is_sure_as_wanted(self, sentence: Sentence) -> bool:
        if self.certainty == "uncertain":
            return sentence.uncertain
        return not self.certainty or sentence.confidence * 100 >= int(self.certainty)


def wanted_of(query: Mapping[str, str], labels: Sequence[str]) -> Wanted:
    """Read what is asked for from an address; what makes no sense there is ignored."""
    known = tuple(label for label in LABELS if label in labels)
    certainty = query.get("certainty", "")
    return Wanted(
        q=_clean(query.get("q", "")),
        labels=known or LABELS,
        source=_clean(query.get("source", "")),
        certainty=next((c for c in _CERTAINTIES if c == certainty), ""),
    )


def find(
    article: LabelledArticle, wanted: Wanted, names: Mapping[int, str] | None = None
) -> list[Sentence] | None:
    """Find what is asked for in an article.

    Every word searched for must stand in its title, publisher, id or sentences; where label,
    source or confidence are asked for, a sentence must have all of these and the words.

    Returns:
        The sentences that it is found by (none where only title and publisher have the words), or
        None where the article does not have what is asked for.
    """
    if not wanted.narrows:
        return []
    names = names or {}
    head = "\n".join(filter(None, (article.title, article.publisher, article.article_id)))
    fitting = [s for s in article.sentences if wanted.takes(s, names.get(s.index))]
    if wanted.words:
        elsewhere = [word for word in wanted.words if word.search(head)]
        inside = [
            [word.search(sentence.text) is not None for word in wanted.words]
            for sentence in fitting
        ]
        for number, word in enumerate(wanted.words):
            if word not in elsewhere and not any(row[number] for row in inside):
                return None
        fitting = [s for s, row in zip(fitting, inside, strict=True) if any(row)]
    if wanted.narrows_sentences and not fitting:
        return None
    return fitting


def hits(text: str, words: Sequence[re.Pattern[str]]) -> list[Interval]:
    """Where the words stand in a text, as half-open offsets, in order and without overlaps."""
    places = (islice(word.finditer(text), _MAX_HITS) for word in words)
    found = sorted(match.span() for matches in places for match in matches)
    merged: list[Interval] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _patterns(words: str) -> list[re.Pattern[str]]:
    """A pattern for each word: it finds words that begin with it."""
    return [
        re.compile((r"\b" if word[0].isalnum() else "") + re.escape(word), re.IGNORECASE)
        for word in words.split()[:_MAX_WORDS]
    ]


def _clean(value: str) -> str:
    return " ".join(value[:_MAX_CHARACTERS].split())
