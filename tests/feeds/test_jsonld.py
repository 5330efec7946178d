"""News articles of schema.org in JSON-LD."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.feeds.jsonld import is_jsonld, read_jsonld
from tests.feeds.samples import fault, fields, sample

ARTICLE = {"@type": "NewsArticle", "articleBody": "It rained."}


def test_an_article_alone() -> None:
    """Objects stand for their names; several authors are one line."""
    document = json.loads(sample("article.jsonld"))
    assert is_jsonld(document)
    (item,) = read_jsonld(document)
    assert fields(item) == {
        "id": "https://gazette.example/fog",
        "title": "Fog grounds flights & ferries",
        "url": "https://gazette.example/fog",
        "published_at": "2026-11-24T05:00:00+01:00",
        "publisher": "The Gazette",
        "language": "en",
        "author": "Nils Ode, Eva Strand",
        "body": "Fog grounded all flights on Tuesday. "
        "The airline should have told its passengers earlier.",
    }


def test_a_graph() -> None:
    """Prefixed names, several types, a publisher named elsewhere; a teaser is told."""
    trial, teaser = read_jsonld(json.loads(sample("graph.json")))
    assert fields(trial) == {
        "id": "https://echo.example/trial#article",
        "title": "Trial opens",
        "url": "https://echo.example/trial",
        "published_at": "2026-11-23",
        "publisher": "The Echo",
        "author": "Court desk",
        "html": "<p>The trial of the broker opened on Monday.</p>"
        "<p>He denies the charges, his lawyer said.</p>",
    }
    assert fault(teaser) == "no text, only a link: https://echo.example/teaser"


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ([ARTICLE, ARTICLE], 2),
        ({"@type": "WebPage", "mainEntity": ARTICLE}, 1),
        ({"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": ARTICLE}]}, 1),
        ([{"@graph": [ARTICLE]}, {"@graph": [ARTICLE]}], 2),
        ({**ARTICLE, "citation": ARTICLE, "isPartOf": ARTICLE}, 1),
        ({**ARTICLE, "@type": "http://schema.org/OpinionNewsArticle"}, 1),
        ({**ARTICLE, "@type": "BlogPosting"}, 1),
        ({**ARTICLE, "@type": "Organization"}, 0),
        ({**ARTICLE, "@type": None}, 0),
    ],
)
def test_where_articles_stand(document: Any, count: int) -> None:
    """Lists, graphs and what a page is about are looked through; what an article names is not."""
    assert len(list(read_jsonld(document))) == count


def test_expanded_json_ld() -> None:
    """Whole addresses for names, and every value in a list of objects."""
    schema = "http://schema.org/"
    node = {
        "@type": [f"{schema}NewsArticle"],
        "@id": "https://a.example/1",
        f"{schema}headline": [{"@value": "Rain"}],
        f"{schema}articleBody": [{"@value": "It rained."}],
        f"{schema}publisher": [{"@id": "https://a.example/", f"{schema}name": [{"@value": "A"}]}],
    }
    (item,) = read_jsonld([node])
    assert (item.title, item.body, item.publisher) == ("Rain", "It rained.", "A")


@pytest.mark.parametrize("own", ["_:b0", "#article", "/1", "", None, {}])
def test_ids_that_mean_nothing_elsewhere_are_no_ids(own: object) -> None:
    """Blank nodes and relative addresses do not name an article: its page does."""
    (item,) = read_jsonld({**ARTICLE, "@id": own, "url": ["https://a.example/1"]})
    assert item.guid == item.url == "https://a.example/1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([
            *("@id", "@type", "@graph", "@value", "name", "url", "headline", "publisher"),
            *("articleBody", "author", "mainEntity", "datePublished", "item"),
        ]), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@settings(deadline=None)
@given(JSON)
def test_any_json_is_read(value: Any) -> None:
    """Whatever stands where, reading ends, and each item makes a record."""
    for item in read_jsonld([value, {**ARTICLE, "publisher": value, "@id": value, "url": value}]):
        assert fields(item)["id"]


def test_references_in_a_circle() -> None:
    """A publisher that is named by itself is nobody."""
    circle = {"@id": "urn:x:1", "name": {"@id": "urn:x:1"}}
    (item,) = read_jsonld([circle, {**ARTICLE, "publisher": {"@id": "urn:x:1"}}])
    assert item.publisher is None


def test_references_do_not_multiply() -> None:
    """Names that are lists of references, and these again, say no more than the document does."""
    several = {
        f"urn:x:{n}": {"@id": f"urn:x:{n}", "name": [{"@id": f"urn:x:{n + 1}"}] * 200}
        for n in range(4)
    }
    last = {"@id": "urn:x:4", "name": "A" * 5000}
    started = time.process_time()
    (item,) = read_jsonld([*several.values(), last, {**ARTICLE, "author": several["urn:x:0"]}])
    assert time.process_time() - started < 5
    assert len(item.author or "") < 5000


def test_depth_is_bounded() -> None:
    """What is nested deeper than any document is not looked for."""
    nested: Any = ARTICLE
    for _ in range(500):
        nested = {"@graph": [nested]}
    assert list(read_jsonld(nested)) == []
