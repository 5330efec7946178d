"""An article that changes, step by step: after each it goes the whole way and keeps every promise.

What an editor does to a text, and what a broken system does to it, one after the other: that is
where odd characters come to stand next to stops, breaks and quotation marks.
"""

from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from service.decoding import DecodeError, decode
from service.extraction import ExtractionError
from service.pipeline import article_text, label_article
from tests.fuzz import promises
from tests.fuzz.nasty import ODD
from tests.fuzz.network import noise_labeller

MOST = 20_000  # characters, so that a step stays quick
SENTENCES = (
    "The minister said on Monday that the bridge would stay closed.",
    "“We should have known,” she said. “Nobody told us.”",
    "It rained all night in the north of the country.",
    'He asked: "Who pays for it?" Nobody knew.',
    "Read more: five things to know about the bridge",
    "According to the U.S. embassy, Gen. J. R. Stone left at 5 p.m. Friday.",
)
ODD_TEXT = st.sampled_from(ODD) | st.text(max_size=12)
HALVES = st.characters(categories=["Cs"])
PLACE = st.floats(0, 1)


class Changes(RuleBasedStateMachine):
    """A body, the id that it came with, and everything that may be done to it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.body = ""

    def _insert(self, piece: str, place: float) -> None:
        at = round(place * len(self.body))
        self.body = self.body[:at] + piece + self.body[at:]

    @rule(sentences=st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=6))
    def append_paragraph(self, sentences: list[str]) -> None:
        """The reporter goes on."""
        self.body += "\n\n" + " ".join(sentences)

    @rule(piece=ODD_TEXT, place=PLACE)
    def insert(self, piece: str, place: float) -> None:
        """Something odd gets in."""
        self._insert(piece, place)

    @rule(piece=st.sampled_from(ODD), count=st.integers(2, 400), place=PLACE)
    def insert_many(self, piece: str, count: int, place: float) -> None:
        """Something odd gets in, and again and again."""
        self._insert(piece * count, place)

    @rule(half=HALVES, place=PLACE)
    def insert_half_a_character(self, half: str, place: float) -> None:
        """A lone surrogate gets in."""
        self._insert(half, place)

    @rule(letter=st.characters(categories=["L", "N"]), place=PLACE)
    def insert_long_word(self, letter: str, place: float) -> None:
        """A word gets in that no window holds."""
        self._insert(f" {letter * 1500} ", place)

    @rule(count=st.integers(1000, 4000), place=PLACE)
    def insert_blank_lines(self, count: int, place: float) -> None:
        """A page of nothing gets in."""
        self._insert("\n" * count, place)

    @rule(first=PLACE, last=PLACE)
    def delete(self, first: float, last: float) -> None:
        """A stretch goes, from within one sentence into another."""
        start, end = sorted(round(place * len(self.body)) for place in (first, last))
        self.body = self.body[:start] + self.body[end:]

    @rule()
    def remove_spaces(self) -> None:
        """All white space goes."""
        self.body = "".join(self.body.split())

    @rule()
    def keep_punctuation(self) -> None:
        """All letters and digits go."""
        self.body = "".join(c for c in self.body if not c.isalnum())

    @rule(column=st.integers(20, 110))
    def wrap(self, column: int) -> None:
        """A mail program breaks the lines."""
        self.body = textwrap.fill(self.body, column, break_long_words=False)

    @rule()
    def reverse(self) -> None:
        """Everything stands the wrong way round."""
        self.body = self.body[::-1]

    @precondition(lambda self: len(self.body) > MOST)
    @rule()
    def cut(self) -> None:
        """The desk cuts it to size."""
        self.body = self.body[: MOST // 2]

    @invariant()
    def promises_hold(self) -> None:
        """The article is labelled as promised, whatever else is; half a character is refused."""
        self.body = self.body[: 2 * MOST]
        value = json.dumps({"id": "a", "body": self.body, "title": self.body[:50]}).encode()
        try:
            article = decode(value)
        except DecodeError as error:
            note(str(error))
            assert any("\ud800" <= character <= "\udfff" for character in self.body)
            return
        labelled = label_article(article, noise_labeller())
        promises.check(article, self.body, labelled)
        promises.check_value(labelled)
        other = article.model_copy(update={"id": "b", "body": self.body[::-1] + " It rained."})
        label_article(other, noise_labeller())
        assert label_article(article, noise_labeller()).to_json() == labelled.to_json()


class PageChanges(Changes):
    """The same text, in a page."""

    @invariant()
    def promises_hold(self) -> None:
        """The page is refused, or its text labelled as promised and sent along."""
        self.body = self.body[:MOST]
        paragraphs = "".join(f"<p>{part}</p>" for part in self.body.split("\n\n"))
        # What a page writes for half a character is no character; JSON's own is refused above.
        page = paragraphs.encode("utf-8", "replace").decode()
        article = decode(json.dumps({"id": "a", "html": f"<article>{page}</article>"}).encode())
        try:
            text, _ = article_text(article)
        except ExtractionError as error:
            note(str(error))
            return
        labelled = label_article(article, noise_labeller())
        promises.check(article, text, labelled)
        promises.check_value(labelled)
        assert labelled.text == text
        assert label_article(article, noise_labeller()).to_json() == labelled.to_json()


COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
Changes.TestCase.settings = settings(COMMON, max_examples=6, stateful_step_count=10)
PageChanges.TestCase.settings = settings(COMMON, max_examples=3, stateful_step_count=5)
TestChanges = Changes.TestCase
TestPageChanges = PageChanges.TestCase

LONG = settings(COMMON, max_examples=150, stateful_step_count=25)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("machine", [Changes, PageChanges])
def test_long_lives(machine: type[Changes]) -> None:
    """The same with many more articles and changes."""
    run_state_machine_as_test(machine, settings=LONG)
