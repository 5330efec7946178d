"""Who says what: the claims of an article, or of several, by the one who makes them. Pure.

A source is known by its name as the article writes it. Two names are taken for one where they
differ only in an article, an honorific or capitals (*The bank*, *the bank*), or where one is the
surname that the other ends with and no other name does (*Ms Ortiz*, *Ortiz*, *Anna Ortiz*). *He*,
*she* and *it* are not resolved: putting words into the wrong mouth is worse than a short list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from service.contracts import LabelledArticle, Sentence
from service.viewer.filtering import Wanted

_PRONOUNS: Final = frozenset({
    *("he", "she", "it", "they", "we", "i", "you", "who", "some", "others", "many", "one"),
    *("this", "that", "these", "those", "everyone", "someone", "nobody"),
})  # fmt: skip
_HEAD: Final = re.compile(
    r"^(?:(?:the|a|an|mr|mrs|ms|miss|mx|dr|prof|sir|dame|lord|lady)\b\.?\s+)+", re.IGNORECASE
)
_EDGES: Final = " \t\n.,;:!?'\"“”‘’«»()[]–—-"
# So many sentences of each article are looked at where several are put together.
MOST_ACROSS: Final = 400
_OWNERS: Final = ("'s", "’s")


class Claim(NamedTuple):
    """One claim, and the article that it stands in."""

    article: LabelledArticle
    sentence: Sentence


class Speaker(NamedTuple):
    """Who makes claims, and which; without a name where the articles name nobody."""

    name: str | None
    claims: list[Claim]

    @property
    def is_pronoun(self) -> bool:
        """Whether the name is a word that stands for another one in the text."""
        return self.name is not None and is_pronoun(self.name)


def is_pronoun(name: str) -> bool:
    """Whether a source is named by a word that only the text around it explains."""
    return name.strip(_EDGES).lower() in _PRONOUNS


def key_of(name: str) -> str:
    """What two ways of writing the same name have in common."""
    bare = " ".join(name.split()).strip(_EDGES)
    for owner in _OWNERS:
        bare = bare.removesuffix(owner)
    return (_HEAD.sub("", bare) or bare).casefold()


def names_in(article: LabelledArticle, most: int | None = None) -> dict[int, str]:
    """The name that the source of each claim goes by, by the number of the sentence.

    It is the longest of the ways in which the article writes it; ``most`` as for `speakers`.
    """
    sources = {s.index: s.source.text for s in article.sentences[:most] if s.source is not None}
    names = _one_name_each(list(sources.values()), surname_will_do=True)
    return {index: names[source] for index, source in sources.items()}


def speakers(article: LabelledArticle, most: int | None = None) -> list[Speaker]:
    """Who says what in one article: in the order of the first claim, the unnamed last.

    Args:
        article: the article.
        most: only so many sentences are looked at.
    """
    names = names_in(article, most)
    by_name: dict[str | None, list[Claim]] = {}
    for sentence in article.sentences[:most]:
        if sentence.label == "attributed_claim":
            by_name.setdefault(names.get(sentence.index), []).append(Claim(article, sentence))
    unnamed = by_name.pop(None, None)
    found = [Speaker(name, claims) for name, claims in by_name.items()]
    return found + ([Speaker(None, unnamed)] if unnamed else [])


def speakers_across(articles: Sequence[LabelledArticle]) -> list[Speaker]:
    """Who says what in several articles: whoever makes most claims first.

    Here a surname alone does not make two people one, and one article's *the council* is not
    another's. Who is only named by a pronoun, or not at all, is left out, and so is what comes
    after the first few hundred sentences of an article.
    """
    found = [
        (speaker.name, claim)
        for article in articles
        for speaker in speakers(article, MOST_ACROSS)
        if speaker.name is not None and not speaker.is_pronoun
        for claim in speaker.claims
    ]
    proper = [name for name, _ in found if _is_proper(name)]
    names = _one_name_each(proper, surname_will_do=False)
    by_owner: dict[tuple[str, str], list[Claim]] = {}
    for name, claim in found:
        owner = (names[name], "") if name in names else (name, claim.article.article_id)
        by_owner.setdefault(owner, []).append(claim)
    grouped = [Speaker(name, claims) for (name, _), claims in by_owner.items()]
    return sorted(grouped, key=lambda speaker: -len(speaker.claims))


def asked_for(who: Sequence[Speaker], wanted: Wanted) -> list[Speaker]:
    """Of these claims those that have the label, source and confidence asked for."""
    kept = [
        Speaker(name, [claim for claim in claims if wanted.takes(claim.sentence, name)])
        for name, claims in who
    ]
    return [speaker for speaker in kept if speaker.claims]


def _one_name_each(names: Sequence[str], *, surname_will_do: bool) -> dict[str, str]:
    """For each name, the fullest of those that are taken for the same."""
    fullest: dict[str, str] = {}
    by_last_word: dict[str, list[str]] = {}
    for name in names:
        key = key_of(name)
        if key not in fullest:
            by_last_word.setdefault(key.rpartition(" ")[2], []).append(key)
        fullest[key] = max(fullest.get(key, ""), " ".join(name.split()), key=len)
    least = 1 if surname_will_do else 2
    home = {}
    for key, name in fullest.items():
        mergeable = len(key.split()) >= least and _is_proper(name) and not is_pronoun(name)
        longer = [
            other
            for other in by_last_word[key.rpartition(" ")[2]]
            if other.endswith(f" {key}") and fullest[other].split()[-1][:1].isupper()
        ]
        home[key] = (_the_one(longer) if mergeable and longer else None) or key
    return {name: fullest[home[key_of(name)]] for name in names}


def _the_one(names: list[str]) -> str | None:
    """The longest of the names where the others are all ends of it; else None, for who knows.

    *Dalager* is *Sen. Roy Dalager* also where *Roy Dalager* is written somewhere.
    """
    longest = max(names, key=len)
    return longest if all(longest.endswith(name) for name in names) else None


def _is_proper(name: str) -> bool:
    """Whether it is a name rather than a word for somebody: *officials* may be of any country."""
    bare = name.strip(_EDGES)
    return (_HEAD.sub("", bare) or bare)[:1].isupper()
