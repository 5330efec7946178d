"""The messages of the AsyncAPI document: keys, headers, payloads and examples."""

from __future__ import annotations

from typing import Any, Final

from service import samples
from service.contracts import Article
from service.deadletters import MAX_MESSAGE_CHARACTERS, PREFIX
from service.dlq.marks import REPLAYED
from service.headers import LABELLED, REMOVED
from service.outcomes import STAGES

Node = dict[str, Any]

BINDING: Final = "0.5.0"  # of the Kafka bindings

_COUNT: Final = {"type": "string", "pattern": "^[0-9]+$"}
_TRACE: Final[Node] = {
    "traceparent": {
        "type": "string",
        "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "W3C Trace Context. It goes through from the article to what becomes of it, "
        "where the service is traced with the id of a later span; a malformed one does not.",
    },
    "tracestate": {
        "type": "string",
        "maxLength": 512,
        "description": "It goes along with a well-formed traceparent.",
    },
}


def messages() -> Node:
    """Every message, by its name in the document."""
    article_id = Article.model_json_schema()["properties"]["id"]
    key = {"type": "string", "description": "The article's id."} | {
        name: article_id[name] for name in ("minLength", "maxLength")
    }
    any_key = {
        "type": ["string", "null"],
        "description": "The article's id, so that its versions stay in order. Null and others are "
        "taken too: what goes out has the id of the article itself as its key.",
    }
    trace_only = _headers({}, _TRACE)
    replayed = _headers(
        {
            REPLAYED: {
                "type": "string",
                "pattern": "^.+:[0-9]+:[0-9]+$",
                "description": "Topic, partition and offset of the dead letter.",
            }
        },
        _TRACE,
    )
    content_type = {"content-type": {"type": "string", "const": "application/json"}}
    return {
        "article": _message(
            "Article",
            "An article to be labelled.",
            key=any_key,
            headers=trace_only,
            payload="Article",
            sample=samples.article(),
        ),
        "articleRemoval": _message(
            "Tombstone",
            "The article of this key is to be removed.",
            key=key,
            headers=trace_only,
        ),
        "replayedArticle": _message(
            "Article sent again",
            "A dead letter on its way back: its key, its bytes and its producer's headers.",
            key=any_key,
            headers=replayed,
            payload="Bytes",
            sample=samples.replayed(),
        ),
        "labelledArticle": _message(
            "Labelled article",
            "An article with every sentence labelled, as a CloudEvent in binary mode.",
            key=key,
            headers=_outgoing(
                LABELLED, "The labelled article's id: duplicates share it.", content_type
            ),
            payload="LabelledArticle",
            sample=samples.labelled(),
        ),
        "labelledArticleRemoval": _message(
            "Tombstone",
            "The article of this key was removed.",
            key={"type": "string", "description": "The tombstone's key, as it came."},
            headers=_outgoing(REMOVED, "The tombstone's topic, partition and offset."),
            sample=samples.removal(),
        ),
        "deadLetter": _message(
            "Dead letter",
            "A record that could not be labelled. Its producer's headers are kept.",
            key=any_key | {"description": "The record's key, as it came."},
            headers=_dead_letter_headers(),
            payload="Bytes",
            sample=samples.dead_letter(),
        )
        | {"contentType": "application/octet-stream"},
    }


def _message(  # noqa: PLR0913 - what a message is made of
    title: str,
    summary: str,
    *,
    key: Node,
    headers: Node,
    payload: str | None = None,
    sample: samples.Sample | None = None,
) -> Node:
    """A message; without a payload's schema it is a tombstone."""
    schema = {"$ref": f"#/components/schemas/{payload}"} if payload else {"type": "null"}
    message: Node = {
        "title": title,
        "summary": summary,
        "headers": headers,
        "payload": schema,
        "correlationId": {"location": "$message.header#/traceparent"},
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}},
    }
    if sample is not None:
        message["examples"] = [{"headers": sample.headers, "payload": sample.value}]
    return message


def _headers(always: Node, sometimes: Node) -> Node:
    schema: Node = {"type": "object", "properties": always | sometimes}
    return schema | {"required": list(always)} if always else schema


def _outgoing(kind: str, id_description: str, more: Node | None = None) -> Node:
    always = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_type": {"type": "string", "const": kind},
        "ce_source": {"type": "string", "const": "/claimstream"},
        "ce_id": {"type": "string", "description": id_description},
        **(more or {}),
        "claimstream_source_topic": {"type": "string", "description": "The record it came from."},
        "claimstream_source_partition": _COUNT,
        "claimstream_source_offset": _COUNT,
    }
    sometimes = {
        "ce_time": {
            "type": "string",
            "format": "date-time",
            "description": "When the record that it came from was sent.",
        },
    } | _TRACE
    return _headers(always, sometimes)


def _dead_letter_headers() -> Node:
    always = {
        "topic": {"type": "string", "description": "The record it came from."},
        "partition": _COUNT,
        "offset": _COUNT,
        "stage": {"type": "string", "enum": list(STAGES), "description": "The step that failed."},
        "exception.class.name": {"type": "string"},
        "exception.message": {
            "type": "string",
            "maxLength": MAX_MESSAGE_CHARACTERS,
            "description": "What is wrong, in one line.",
        },
        "attempts": _COUNT | {"description": "How often it was tried."},
    }
    return _headers({PREFIX + name: schema for name, schema in always.items()}, _TRACE)
