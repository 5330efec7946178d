"""The AsyncAPI document: current, whole, and true to the headers and topics that there are."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

from service.asyncapi import document, write
from service.deadletters import dead_letter_headers
from service.dlq.marks import REPLAYED, replay_headers
from service.headers import labelled_headers, tombstone_headers
from service.outcomes import Failure
from service.records import Headers
from service.schemas import VERSION, schemas
from service.settings import KafkaSettings, Settings, TopicSettings
from service.topics import plans
from tests.node import find_package
from tests.test_headers import TRACE, record

FILE = Path(__file__).parent.parent / "deploy" / "asyncapi.yaml"
DOCUMENT = yaml.safe_load(FILE.read_text(encoding="utf-8"))
MESSAGES = DOCUMENT["components"]["messages"]
SCHEMA_VARIABLE = "CLAIMSTREAM_ASYNCAPI_SCHEMA"
FAILURE = Failure("infer", "error", "a.b.Error", "it broke", attempts=3)

TRACED = record(headers=[("traceparent", TRACE), ("tracestate", b"desk=1")])
# What the code writes, at its most and at its least, by the name of the message.
WRITTEN: dict[str, list[Headers]] = {
    "labelledArticle": [
        labelled_headers(TRACED, "abc"),
        labelled_headers(record(timestamp_ms=None), "abc"),
    ],
    "labelledArticleRemoval": [
        tombstone_headers(TRACED),
        tombstone_headers(record(timestamp_ms=None)),
    ],
    "deadLetter": [
        dead_letter_headers(TRACED, FAILURE),
        dead_letter_headers(record(), FAILURE),
    ],
    "replayedArticle": [
        replay_headers(dead_letter_headers(TRACED, FAILURE), "news.articles.v1.dlq", (2, 7)),
        replay_headers(dead_letter_headers(record(), FAILURE), "news.articles.v1.dlq", (2, 7)),
    ],
}


def official_schema() -> Any:
    """AsyncAPI's own JSON Schema of documents, or the reason to skip."""
    package = find_package("@asyncapi/specs")
    named = os.environ.get(SCHEMA_VARIABLE)
    file = Path(named) if named else package and package / "schemas" / "3.0.0.json"
    if file is None:
        pytest.skip(
            f"no schema of AsyncAPI 3.0.0: npm install @asyncapi/specs, or {SCHEMA_VARIABLE}"
        )
    return json.loads(file.read_text(encoding="utf-8"))


def validator(schema: Any) -> Draft7Validator:
    """A validator that finds what the schema refers to in the document."""
    registry = Registry().with_resource("doc:", DRAFT7.create_resource(DOCUMENT))
    absolute = json.loads(json.dumps(schema).replace('"#/', '"doc:#/'))
    return Draft7Validator(absolute, registry=registry)


def references(node: Any) -> Iterator[str]:
    """Every reference within a part of the document."""
    if isinstance(node, dict):
        if isinstance(target := node.get("$ref"), str):
            yield target
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from references(part)


def resolve(reference: str) -> Any:
    """What a reference leads to."""
    assert reference.startswith("#/"), f"{reference} leads out of the document"
    found = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_it_is_current(tmp_path: Path) -> None:
    """deploy/asyncapi.yaml is what python -m service.asyncapi writes, and says the same."""
    write(tmp_path / "new.yaml")
    assert (tmp_path / "new.yaml").read_text(encoding="utf-8") == FILE.read_text(encoding="utf-8")
    assert document() == DOCUMENT


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The document tells the defaults, whatever is set where it is made."""
    monkeypatch.setenv("CLAIMSTREAM_TOPICS__PARTITIONS", "7")
    monkeypatch.setenv("CLAIMSTREAM_KAFKA__BOOTSTRAP_SERVERS", "elsewhere:1")
    assert document() == DOCUMENT


def test_it_is_valid_by_the_official_schema() -> None:
    """AsyncAPI's own schema of version 3.0.0 finds nothing wrong."""
    found = Draft7Validator(official_schema()).iter_errors(DOCUMENT)
    assert [f"{list(error.absolute_path)}: {error.message}" for error in found] == []


def test_the_official_schema_finds_faults() -> None:
    """The same check does find a wrong word: an action that there is not."""
    broken = copy.deepcopy(DOCUMENT)
    broken["operations"]["receiveArticles"]["action"] = "publish"
    assert not Draft7Validator(official_schema()).is_valid(broken)


def test_every_reference_leads_somewhere() -> None:
    """Within the document, so that it can be read without any other file."""
    found = list(references(DOCUMENT))
    assert len(found) > len(MESSAGES)
    for reference in found:
        assert resolve(reference), reference


def test_every_part_is_used() -> None:
    """Channels have messages, messages have channels, and operations use their own channel's."""
    in_channels = set()
    for channel in DOCUMENT["channels"].values():
        assert channel["messages"]
        in_channels |= set(references(channel["messages"]))
    assert in_channels == {f"#/components/messages/{name}" for name in MESSAGES}
    used = set()
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        used.add(channel)
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")
    assert used == {f"#/channels/{name}" for name in DOCUMENT["channels"]}


def test_topics_are_those_that_are_created() -> None:
    """Names, partitions, replicas and settings are what `claimstream topics create` asks for."""
    settings = Settings(kafka=KafkaSettings(), topics=TopicSettings())
    for channel, plan in zip(DOCUMENT["channels"].values(), plans(settings), strict=True):
        kafka = channel["bindings"]["kafka"]
        assert channel["address"] == kafka["topic"] == plan.name
        assert kafka["partitions"] == plan.partitions
        assert kafka["replicas"] == settings.topics.replication_factor
        told = {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in kafka["topicConfiguration"].items()
        }
        assert told == plan.config


def test_payloads_are_the_contracts() -> None:
    """The schemas of article and labelled article are those of deploy/schemas, references aside."""
    parts = DOCUMENT["components"]["schemas"]
    for schema in schemas().values():
        whole = {k: v for k, v in schema.items() if k not in {"$schema", "$defs"}}
        expected = {schema["title"]: whole} | schema.get("$defs", {})
        text = json.dumps(expected).replace("#/$defs/", "#/components/schemas/")
        assert {name: parts[name] for name in expected} == json.loads(text)
    assert DOCUMENT["info"]["version"] == VERSION


@pytest.mark.parametrize("article", [{"id": "a", "html": "x"}, {"id": "a"}, {"id": 1, "body": ""}])
def test_payloads_mean_the_same_in_either_dialect(article: object) -> None:
    """The document's draft 7 and the files' 2020-12 agree on what an article is."""
    of_file = Draft202012Validator(schemas()["article.v1.json"]).is_valid(article)
    assert validator(MESSAGES["article"]["payload"]).is_valid(article) is of_file


@pytest.mark.parametrize("name", WRITTEN)
def test_headers_are_those_that_are_written(name: str) -> None:
    """Every header that is written is named, with its form; those always there are required."""
    schema = MESSAGES[name]["headers"]
    written = [{key: value.decode() for key, value in headers} for headers in WRITTEN[name]]
    for headers in written:
        validator(schema).validate(headers)
        assert headers.keys() <= schema["properties"].keys()
    assert set().union(*written) == schema["properties"].keys()
    assert set(schema["required"]) == set.intersection(*(set(headers) for headers in written))


def test_the_marks_name_is_the_real_one() -> None:
    """What a replay marks a record with is among the headers of the message for it."""
    assert REPLAYED in MESSAGES["replayedArticle"]["headers"]["required"]


@pytest.mark.parametrize("name", MESSAGES)
def test_examples_are_valid(name: str) -> None:
    """Headers, payload and key of every example have the form that the document tells."""
    message = MESSAGES[name]
    for example in message.get("examples", []):
        validator(message["headers"]).validate(example["headers"])
        validator(message["payload"]).validate(example["payload"])
    is_tombstone = message["payload"] == {"type": "null"}
    assert is_tombstone or message["examples"]
    Draft7Validator.check_schema(message["bindings"]["kafka"]["key"])


def test_the_labelled_example_points_into_the_article_example() -> None:
    """Its offsets are code points of the body that the article's example has."""
    (article,) = MESSAGES["article"]["examples"]
    (labelled,) = MESSAGES["labelledArticle"]["examples"]
    body = article["payload"]["body"]
    assert len(body.encode("utf-16-le")) // 2 > len(body), "it shows what a code point is"
    for sentence in labelled["payload"]["sentences"]:
        for part in (sentence, sentence["source"], sentence["cue"]):
            assert part is None or body[part["start"] : part["end"]] == part["text"]
    assert labelled["headers"]["ce_id"] == labelled["payload"]["id"]
