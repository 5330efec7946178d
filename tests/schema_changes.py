"""Changes of the contracts' schemas that break somebody, each with a case that shows it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from service.compatibility import Schema
from service.contracts import Article
from service.pipeline import label_article
from service.schemas import schemas
from tests.labellers import RuleLabeller

ARTICLE: Schema = schemas()["article.v1.json"]
LABELLED: Schema = schemas()["labelled-article.v1.json"]

SENT: dict[str, Any] = {
    "id": "a",
    "body": "He said it rained.",
    "html": None,
    "title": "Rain",
    "published_at": "2026-11-24",
    "language": "en",
}
READ: dict[str, Any] = json.loads(
    label_article(Article.model_validate(SENT), RuleLabeller()).to_json()
)

Change = Callable[[Schema], object]


def changed(schema: Schema, change: Change) -> Schema:
    """A copy of a schema, changed."""
    copied = copy.deepcopy(schema)
    change(copied)
    return copied


def with_value(instance: Any, path: list[Any], value: Any) -> Any:
    """A copy of an instance with another value in one place; without it if that is ``...``."""
    copied = copy.deepcopy(instance)
    *way, last = path
    place = copied
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return copied


def field(schema: Schema, *names: str) -> Schema:
    """A field's schema, found by its name or by that of its definition and its name."""
    *definition, name = names
    owner = schema["$defs"][definition[0]] if definition else schema
    found: Schema = owner["properties"][name]
    return found


# What producers send. Each change with the words that name it, and an article that was accepted
# before and is not any more.
INPUT_BREAKS: dict[str, tuple[Change, str, Any]] = {
    "a field removed": (
        lambda s: s["properties"].pop("title"),
        "title: removed",
        None,
    ),
    "a field renamed": (
        lambda s: s["properties"].update(headline=s["properties"].pop("title")),
        "title: removed",
        None,
    ),
    "a field retyped": (
        lambda s: field(s, "id").update(type="integer"),
        "id: string is no longer accepted",
        SENT,
    ),
    "null forbidden": (
        lambda s: field(s, "html").update(anyOf=[{"type": "string"}]),
        "html: null is no longer accepted",
        SENT,
    ),
    "null forbidden in other words": (
        lambda s: s["properties"].update(html={"type": "string"}),
        "html: null is no longer accepted",
        SENT,
    ),
    "an optional field required": (
        lambda s: s["required"].append("url"),
        "url: now required",
        SENT,
    ),
    "a new field required": (
        lambda s: (s["properties"].update(desk={"type": "string"}), s["required"].append("desk")),
        "desk: now required",
        SENT,
    ),
    "html no longer enough": (
        lambda s: s["anyOf"].pop(),
        "body: ",
        {"id": "a", "html": "x"},
    ),
    "a shorter id": (
        lambda s: field(s, "id").update(maxLength=10),
        "id: maxLength 10 is stricter than before",
        SENT | {"id": "a" * 11},
    ),
    "a longer id": (
        lambda s: field(s, "id").update(minLength=2),
        "id: minLength 2 is stricter than before",
        SENT,
    ),
    "a limit where there was none": (
        lambda s: field(s, "language")["anyOf"][0].update(maxLength=1),
        "language: maxLength 1 is stricter than before",
        SENT,
    ),
    "only some values": (
        lambda s: field(s, "language")["anyOf"][0].update(enum=["de"]),
        "language: only some values are accepted now",
        SENT,
    ),
    "another pattern": (
        lambda s: field(s, "published_at")["anyOf"][0].update(pattern="Z$"),
        "published_at: another pattern",
        SENT,
    ),
    "unknown fields refused": (
        lambda s: s.update(additionalProperties=False),
        "the whole: fields that are not named are refused by us now",
        SENT | {"desk": 1},
    ),
    "a keyword that is not judged": (
        lambda s: s.update({"not": {"required": ["language"]}}),
        "the whole: not has changed, and is not known here",
        SENT,
    ),
}

# What readers get. Each change with its words, and a labelled article that is right by the new
# schema and not by the old.
OUTPUT_BREAKS: dict[str, tuple[Change, str, Any]] = {
    "a field removed": (
        lambda s: (s["properties"].pop("counts"), s["required"].remove("counts")),
        "counts: removed",
        with_value(READ, ["counts"], ...),
    ),
    "an optional field removed": (
        lambda s: s["properties"].pop("text"),
        "text: removed",
        None,
    ),
    "a field renamed": (
        lambda s: (
            s["$defs"]["Sentence"]["properties"].update(kind=field(s, "Sentence", "label")),
            s["$defs"]["Sentence"]["properties"].pop("label"),
            s["$defs"]["Sentence"]["required"].remove("label"),
        ),
        "sentences[].label: removed",
        with_value(READ, ["sentences", 0, "label"], ...),
    ),
    "a field retyped": (
        lambda s: field(s, "Sentence", "index").update(type="number"),
        "sentences[].index: may now be number",
        with_value(READ, ["sentences", 0, "index"], 0.5),
    ),
    "no longer always there": (
        lambda s: s["$defs"]["Sentence"]["required"].remove("cue"),
        "sentences[].cue: no longer always there",
        with_value(READ, ["sentences", 0, "cue"], ...),
    ),
    "null where there was none": (
        lambda s: s["properties"].update(counts={"anyOf": [field(s, "counts"), {"type": "null"}]}),
        "counts: may now be null",
        with_value(READ, ["counts"], None),
    ),
    "another label": (
        lambda s: field(s, "Sentence", "label")["enum"].append("question"),
        'sentences[].label: may now be "question"',
        with_value(READ, ["sentences", 0, "label"], "question"),
    ),
    "any label": (
        lambda s: field(s, "Sentence", "label").pop("enum"),
        "sentences[].label: may now be another value",
        with_value(READ, ["sentences", 0, "label"], "question"),
    ),
    "another version's name": (
        lambda s: field(s, "schema").update(const="claims/2"),
        'schema: may now be "claims/2"',
        with_value(READ, ["schema"], "claims/2"),
    ),
    "a wider range": (
        lambda s: field(s, "Sentence", "confidence").update(maximum=100),
        "sentences[].confidence: maximum 1 may now be passed",
        with_value(READ, ["sentences", 0, "confidence"], 97),
    ),
    "no range": (
        lambda s: field(s, "Span", "start").pop("minimum"),
        "sentences[].source.start: minimum 0 may now be passed",
        with_value(READ, ["sentences", 0, "source", "start"], -1),
    ),
    "anything in a list": (
        lambda s: field(s, "furniture").pop("items"),
        "furniture[]: may now be anything",
        with_value(READ, ["furniture"], ["Read more"]),
    ),
}
