"""Writes the AsyncAPI 3.0 document: ``python -m service.asyncapi deploy/asyncapi.yaml``.

It describes the service from its own point of view: it *receives* articles, and *sends* labelled
articles and dead letters. Schemas come from the contracts, topics from their plans, and examples
from the code that the worker runs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from service.asyncapi_messages import BINDING, Node, messages
from service.schemas import VERSION, schemas
from service.settings import KafkaSettings, Settings, TopicSettings
from service.topics import TopicPlan, plans

# Those of a topic's settings that the binding knows as something else than text.
_NUMBERS: Final = ("retention.ms", "max.message.bytes", "min.insync.replicas")
_LISTS: Final = ("cleanup.policy",)

_DESCRIPTION: Final = """\
Reads news articles, labels every sentence fact, attributed claim or opinion, and marks who said \
it. Delivery is at least once: the same article and model give the same id and the same bytes.

This is the reference. How to use it, with examples that run, is in producers.md and consumers.md \
beside it; what may change in which version in contracts.md. The values are the defaults: the \
operator may have set other names, partitions, replicas and sizes. The payloads' schemas are those \
of the folder schemas.
"""


def document() -> Node:
    """The whole document."""
    settings = Settings(kafka=KafkaSettings(), topics=TopicSettings())
    names = ("articles", "claims", "deadLetters")
    planned = dict(zip(names, plans(settings), strict=True))
    replicas = settings.topics.replication_factor
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "claimstream",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": settings.kafka.bootstrap_servers,
                "protocol": "kafka",
                "description": "Where the service looks if CLAIMSTREAM_KAFKA__BOOTSTRAP_SERVERS "
                "does not say otherwise.",
            }
        },
        "channels": {
            "articles": _channel(
                planned["articles"],
                replicas,
                "What producers publish.",
                ["article", "articleRemoval", "replayedArticle"],
            ),
            "claims": _channel(
                planned["claims"],
                replicas,
                "Labelled articles. The topic keeps the latest of each article, as long as it "
                "keeps anything.",
                ["labelledArticle", "labelledArticleRemoval"],
            ),
            "deadLetters": _channel(
                planned["deadLetters"],
                replicas,
                "What could not be labelled: key and bytes as they came, and why in the headers.",
                ["deadLetter"],
            ),
        },
        "operations": _operations(settings.kafka),
        "components": {"messages": messages(), "schemas": _schemas()},
    }


def write(file: Path) -> None:
    """Write the document as YAML."""
    import yaml  # noqa: PLC0415 - of the group dev

    class Plain(yaml.SafeDumper):  # type: ignore[misc]  # yaml is Any to mypy
        """Writes what comes twice twice: anchors are hard to read."""

        def ignore_aliases(self, _: object) -> bool:
            return True

    def text_node(dumper: Any, text: str) -> Any:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Plain.add_representer(str, text_node)
    head = "# Made by python -m service.asyncapi deploy/asyncapi.yaml; do not edit.\n"
    text = yaml.dump(document(), Dumper=Plain, sort_keys=False, allow_unicode=True, width=100)
    file.write_text(head + text, encoding="utf-8")


def _channel(plan: TopicPlan, replicas: int, description: str, names: list[str]) -> Node:
    return {
        "address": plan.name,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": plan.name,
                "partitions": plan.partitions,
                "replicas": replicas,
                "topicConfiguration": {
                    name: _setting(name, value) for name, value in plan.config.items()
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _setting(name: str, value: str) -> Any:
    if name in _LISTS:
        return value.split(",")
    return int(value) if name in _NUMBERS else value


def _operations(kafka: KafkaSettings) -> Node:
    group = {
        "groupId": {"type": "string", "enum": [kafka.group]},
        "bindingVersion": BINDING,
    }
    return {
        "receiveArticles": {
            **_operation("receive", "articles", ["article", "articleRemoval", "replayedArticle"]),
            "summary": "Every article read is labelled, removed or refused: exactly one of them.",
            "bindings": {"kafka": group},
        },
        "sendLabelledArticles": {
            **_operation("send", "claims", ["labelledArticle", "labelledArticleRemoval"]),
            "summary": "One labelled article for each article, and a tombstone for each tombstone.",
        },
        "sendDeadLetters": {
            **_operation("send", "deadLetters", ["deadLetter"]),
            "summary": "What fails by its own fault goes here at once, the rest after a few tries.",
        },
        "replayDeadLetters": {
            **_operation("send", "articles", ["replayedArticle"]),
            "summary": "claimstream dlq replay sends dead letters again, each once.",
        },
    }


def _operation(action: str, channel: str, names: list[str]) -> Node:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }


def _schemas() -> Node:
    """The contracts' schemas, with their definitions beside them.

    The document's own dialect is that of draft 7. None of the keywords used has another meaning in
    2020-12, which the files of the schemas name.
    """
    found: Node = {}
    for schema in schemas().values():
        moved = json.loads(json.dumps(schema).replace("#/$defs/", "#/components/schemas/"))
        del moved["$schema"]
        found |= {moved["title"]: moved} | moved.pop("$defs", {})
    bytes_ = {"description": "The record's value as it came: any bytes, or none."}
    return found | {"Bytes": bytes_}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
