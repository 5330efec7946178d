"""ninjs of versions 1 and 2, and the spelling of 3."""

import json
from typing import Any

import pytest

from service.feeds.ninjs import is_ninjs, read_ninjs
from tests.feeds.samples import fault, fields, sample


def test_version_1() -> None:
    """Plain text before marked up text; byline, holder and the version's time come along."""
    item = json.loads(sample("ninjs1.json"))
    assert is_ninjs(item)
    assert fields(read_ninjs(item)) == {
        "id": "http://ninjs.example/items/4410",
        "title": "Bridge reopens after repairs",
        "url": "http://ninjs.example/items/4410",
        "published_at": "2026-11-24T10:37:00Z",
        "publisher": "The Example Agency",
        "language": "en",
        "author": "Maja Holm",
        "body": "The bridge over the Vik reopened on Tuesday.\n\n"
        "Drivers waited for an hour, police said.",
    }


def test_version_2() -> None:
    """Lists of bodies and headlines; a picture is told as having no text."""
    mill, picture = json.loads(sample("ninjs2.json"))
    assert is_ninjs(mill)
    assert is_ninjs(picture)
    found = fields(read_ninjs(mill))
    assert found.pop("html").count("<p>") == 2
    assert found == {
        "id": "urn:ninjs:agency.example:77",
        "title": "Old mill burns down",
        "published_at": "2026-11-24T09:00:00+01:00",
        "publisher": "Agency Example",
        "author": "Agency staff",
    }
    assert fault(read_ninjs(picture)) == "no text"


@pytest.mark.parametrize(
    ("content", "field", "wanted"),
    [
        ({"body_html": "<p>It rained.</p>"}, "html", "<p>It rained.</p>"),
        ({"body_xhtml": "Rain & hail."}, "html", "Rain & hail."),
        ({"body_main": "It rained."}, "body", "It rained."),
        ({"body_richtext": "<p>It rained.</p>"}, "html", "<p>It rained.</p>"),
        ({"body_richtext": "<p>A.</p>", "body_main": "A."}, "body", "A."),
        ({"body_text": " ", "body_html": "<p>A.</p>"}, "html", "<p>A.</p>"),
        ({"bodies": [{"value": "A."}]}, "body", "A."),
        ({"bodies": {"contentType": "text/plain", "value": "1 <b> 2"}}, "body", "1 <b> 2"),
        ({"bodies": [{"contenttype": "application/xhtml+xml", "value": "A."}]}, "html", "A."),
    ],
)
def test_where_the_text_stands(content: dict[str, Any], field: str, wanted: str) -> None:
    """Names, content types, and where neither tells, the text itself say what it is."""
    item = read_ninjs({"uri": "urn:x:1", **content})
    assert getattr(item, field) == wanted
    assert getattr(item, "body" if field == "html" else "html") is None


def test_version_3_writes_names_otherwise() -> None:
    """Capitals within names do not matter."""
    item = {"uri": "urn:x:1", "versionCreated": "2026-11-24T08:00:00Z", "pubStatus": "canceled"}
    assert is_ninjs(item)
    assert read_ninjs(item).published_at == "2026-11-24T08:00:00Z"
    assert fault(read_ninjs(item)) == "withdrawn by its publisher: canceled"


@pytest.mark.parametrize("value", [{"uri": "urn:x:1"}, {"headline": "A"}, {"id": "a", "body": ""}])
def test_other_json_is_not_ninjs(value: dict[str, Any]) -> None:
    """A URI alone, or its absence, is not enough."""
    assert not is_ninjs(value)


@pytest.mark.parametrize("wrong", [None, 1, [], {}, [[]], "", [{"value": 1}], [None]])
def test_values_of_the_wrong_type_are_as_good_as_absent(wrong: object) -> None:
    """Nothing that stands where a text should makes it fail."""
    names = ("uri", "bodies", "headlines", "headline", "body_text", "infosources", "pubstatus")
    item = read_ninjs(dict.fromkeys((*names, "language", "versioncreated", "by"), wrong))
    assert fault(item) == "no text"
