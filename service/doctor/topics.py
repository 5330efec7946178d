"""Compares a topic with what it should be. Pure."""

from __future__ import annotations

from typing import Any, Final

from aiokafka.errors import for_code

from service.doctor.findings import Finding, ok, warn
from service.doctor.findings import fail as failed
from service.settings import PREFIX
from service.topics import TopicPlan

_FOR_EVER: Final = -1


def judge_topic(
    plan: TopicPlan, topic: dict[str, Any] | None, config: dict[str, str] | None, servers: str
) -> Finding:
    """Say how a topic is, and what is to be changed.

    Args:
        plan: how it should be.
        topic: as the cluster lists it; None where it does not.
        config: how it is set; None where the broker does not say.
        servers: the cluster, for the command that changes it.
    """
    check = f"topic {plan.name}"
    if topic is None:
        return failed(check, "does not exist", "claimstream topics create")
    if topic["error_code"]:
        reason = for_code(topic["error_code"]).__name__
        return failed(check, reason, "look at the brokers' logs, and at what this user may do")
    partitions = topic["partitions"]
    headless = sum(partition["leader"] < 0 for partition in partitions)
    if headless:
        said = f"{headless} of {len(partitions)} partitions have no leader"
        return failed(check, said, "bring the brokers that hold them up again")
    faults, todo = [], []
    behind = sum(len(p["isr"]) < len(p["replicas"]) for p in partitions)
    if behind:
        faults.append(f"{behind} of {len(partitions)} partitions lack a replica")
        todo.append("bring all brokers up again")
    if len(partitions) != plan.partitions:
        faults.append(f"{len(partitions)} partitions, not {plan.partitions}")
        todo.append(f"set {PREFIX}TOPICS__PARTITIONS={len(partitions)}")
    wrong = {} if config is None else differing(plan.config, config)
    if wrong:
        faults += [f"{name} is {(config or {})[name]}, not {wrong[name]}" for name in wrong]
        todo.append(_change(plan.name, wrong, servers))
    if faults:
        return warn(check, "; ".join(faults), "; ".join(todo))
    noun = "partition" if len(partitions) == 1 else "partitions"
    return ok(check, f"{len(partitions)} {noun}, {_as_planned(plan, config)}")


def differing(wanted: dict[str, str], found: dict[str, str]) -> dict[str, str]:
    """Those settings that are not as they should be, with what they should be.

    More than is wanted is no fault: a longer retention, larger records, more replicas in step. What
    the broker does not tell is taken to be right.
    """
    return {
        name: value
        for name, value in wanted.items()
        if name in found and not _is_enough(name, value, found[name])
    }


def _is_enough(name: str, wanted: str, found: str) -> bool:
    if name == "cleanup.policy":
        return set(wanted.split(",")) == {part.strip() for part in found.split(",")}
    if name == "retention.ms" and int(found) == _FOR_EVER:
        return True
    return int(found) >= int(wanted)


def _as_planned(plan: TopicPlan, config: dict[str, str] | None) -> str:
    told = [name for name in plan.config if name in (config or {})]
    if not told:
        return "its settings are not told by the broker"
    return f"{', '.join(told)} as planned"


def _change(name: str, wrong: dict[str, str], servers: str) -> str:
    """The command of Kafka's own tools that puts settings right; lists stand in brackets there."""
    pairs = ",".join(
        f"{key}={f'[{value}]' if ',' in value else value}" for key, value in wrong.items()
    )
    return (
        f"kafka-configs.sh --bootstrap-server {servers} --alter --entity-type topics "
        f"--entity-name {name} --add-config '{pairs}'"
    )
