"""What rights on a cluster a request needs, and which the page for operators hands out."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "deploy/security.md"

Right = tuple[str, str]  # operation and the topic or group

# What a request needs on each topic and on each group that it names, as Kafka's authoriser has it.
_ON_TOPICS = {
    0: "Write",  # Produce
    1: "Read",  # Fetch
    2: "Describe",  # ListOffsets
    3: "Describe",  # Metadata
    8: "Read",  # OffsetCommit
    9: "Describe",  # OffsetFetch
    19: "Create",  # CreateTopics
    32: "DescribeConfigs",  # DescribeConfigs
}
_ON_GROUPS = {
    8: "Read",
    9: "Describe",
    10: "Describe",  # FindCoordinator
    11: "Read",  # JoinGroup
    12: "Read",  # Heartbeat
    13: "Read",  # LeaveGroup
    14: "Read",  # SyncGroup
    15: "Describe",  # DescribeGroups
}
# Versions, logging in, and an idempotent producer's number, for which Write on a topic is enough.
_FREE = {17, 18, 22, 36}
_IMPLIED = {"Read": "Describe", "Write": "Describe", "DescribeConfigs": "DescribeConfigs"}
_LINE = re.compile(r"--allow-principal User:(\S+) --operation (\S+) --(?:topic|group) (\S+)")


def needed(key: int, topics: set[str], groups: set[str]) -> set[Right]:
    """The rights that a request needs.

    Args:
        key: which request, by Kafka's number.
        topics: the topics that it names.
        groups: the same of groups.
    """
    assert key in _FREE or key in _ON_TOPICS or key in _ON_GROUPS, key
    rights = {(_ON_TOPICS[key], topic) for topic in topics if key in _ON_TOPICS}
    return rights | {(_ON_GROUPS[key], group) for group in groups if key in _ON_GROUPS}


def granted() -> dict[str, set[Right]]:
    """The rights that the page hands out to each user, as it says."""
    rights: dict[str, set[Right]] = defaultdict(set)
    for user, operation, name in _LINE.findall(PAGE.read_text(encoding="utf-8")):
        rights[user].add((operation, name))
    return rights


def with_implied(rights: set[Right]) -> set[Right]:
    """Rights, and those that come with them."""
    return rights | {(_IMPLIED[op], name) for op, name in rights if op in _IMPLIED}
