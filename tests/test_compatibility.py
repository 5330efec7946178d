"""What a change of a schema breaks: each kind is found, and no break found means none."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from service.compatibility import Direction, Schema, breaks
from tests.schema_changes import (
    ARTICLE,
    INPUT_BREAKS,
    LABELLED,
    OUTPUT_BREAKS,
    READ,
    SENT,
    Change,
    changed,
    field,
    with_value,
)


@pytest.mark.parametrize("kind", INPUT_BREAKS)
def test_breaks_for_producers_are_found(kind: str) -> None:
    """A change that refuses what was accepted, or forgets a field, is named with its place."""
    change, words, witness = INPUT_BREAKS[kind]
    new = changed(ARTICLE, change)
    assert any(fault.startswith(words) for fault in breaks(ARTICLE, new, "input"))
    if witness is not None:
        assert Draft202012Validator(ARTICLE).is_valid(witness)
        assert not Draft202012Validator(new).is_valid(witness)


@pytest.mark.parametrize("kind", OUTPUT_BREAKS)
def test_breaks_for_readers_are_found(kind: str) -> None:
    """A change that sends what readers were not told of, or not what they were, is named."""
    change, words, witness = OUTPUT_BREAKS[kind]
    new = changed(LABELLED, change)
    assert any(fault.startswith(words) for fault in breaks(LABELLED, new, "output"))
    if witness is not None:
        assert Draft202012Validator(new).is_valid(witness)
        assert not Draft202012Validator(LABELLED).is_valid(witness)


@pytest.mark.parametrize(
    ("schema", "direction", "change"),
    [
        (ARTICLE, "input", lambda s: s["properties"].update(desk={"type": "string"})),
        (ARTICLE, "input", lambda s: s["required"].remove("id")),
        (ARTICLE, "input", lambda s: s.pop("anyOf")),
        (ARTICLE, "input", lambda s: s["anyOf"].append({"required": ["url"]})),
        (ARTICLE, "input", lambda s: field(s, "id").update(maxLength=1000)),
        (ARTICLE, "input", lambda s: field(s, "id").update(type=["string", "integer"])),
        (ARTICLE, "input", lambda s: field(s, "id").update(description="Other words.")),
        (ARTICLE, "input", lambda s: field(s, "published_at")["anyOf"][0].pop("pattern")),
        (LABELLED, "output", lambda s: s["properties"].update(language={"type": "string"})),
        (LABELLED, "output", lambda s: s["required"].append("text")),
        (LABELLED, "output", lambda s: field(s, "Sentence", "label")["enum"].remove("opinion")),
        (LABELLED, "output", lambda s: field(s, "Sentence", "source").update(type="null")),
        (LABELLED, "output", lambda s: field(s, "Sentence", "confidence").update(minimum=0.5)),
        (LABELLED, "output", lambda s: s["properties"].update(counts=s["$defs"]["Counts"])),
        (LABELLED, "output", lambda s: s["$defs"].update(Unused={"type": "string"})),
    ],
)
def test_what_breaks_nothing_passes(schema: Schema, direction: Direction, change: Change) -> None:
    """New optional fields, wider input, narrower output and other words are no break."""
    assert breaks(schema, changed(schema, change), direction) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(type=["object", "null"]),
        lambda s: s["required"].clear(),
        lambda s: s["properties"]["id"].update(maxLength=1000),
    ],
)
def test_the_direction_decides(change: Change) -> None:
    """What is harmless of what comes in is a break of what goes out, and back again."""
    new = changed(ARTICLE, change)
    assert breaks(ARTICLE, new, "input") == []
    assert breaks(ARTICLE, new, "output") != []
    assert breaks(new, ARTICLE, "input") != []
    assert breaks(new, ARTICLE, "output") == []


def test_a_schema_that_holds_itself() -> None:
    """Comparing ends, and finds what has changed inside."""
    node = {
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {"next": {"$ref": "#/$defs/Node"}, "n": {"type": "integer"}},
            }
        },
        "$ref": "#/$defs/Node",
    }
    new = changed(node, lambda s: field(s, "Node", "n").update(type="string"))
    assert breaks(node, node, "input") == []
    assert breaks(node, new, "input") == ["n: integer is no longer accepted"]


def _places(schema: Any) -> Iterator[Schema]:
    """Every schema within a schema, itself first."""
    yield schema
    for group in ("properties", "$defs"):
        for part in schema.get(group, {}).values():
            yield from _places(part)
    for part in [schema["items"]] if "items" in schema else schema.get("anyOf", []):
        yield from _places(part)


_TYPE = st.sampled_from(["string", "integer", "number", "null", "object", "array"])
_EDITS = st.one_of(
    st.builds(lambda t: {"type": t}, _TYPE | st.lists(_TYPE, min_size=1, unique=True)),
    st.builds(lambda name, n: {name: n}, st.sampled_from(["minLength", "maxLength"]), st.just(1)),
    st.builds(lambda name, n: {name: n}, st.sampled_from(["minimum", "maximum"]), st.just(1)),
    st.builds(lambda vs: {"enum": vs}, st.lists(st.sampled_from([0, 1, "a", "fact", None]))),
    st.builds(
        lambda names: {"required": names},
        st.lists(st.sampled_from(["id", "url", "start", "text", "title"]), unique=True),
    ),
    st.builds(lambda t: {"anyOf": [{"type": t}, {"type": "null"}]}, _TYPE),
    st.builds(lambda t: {"items": {"type": t}}, _TYPE),
    st.just({"additionalProperties": False}),
    st.just({"properties": {"start": {"type": "integer"}, "title": {"type": "string"}}}),
    # None takes a keyword away.
    st.builds(
        lambda name: {name: None},
        st.sampled_from(["type", "enum", "required", "anyOf", "minimum", "items", "properties"]),
    ),
)
_VALUES = st.sampled_from([None, "", "a", "fact", 0, 1, -1, 0.5, 97, [], ["a"], {}, {"start": 1}])


def _paths(instance: Any) -> Iterator[list[Any]]:
    """The way to every value within an instance."""
    pairs = instance.items() if isinstance(instance, dict) else enumerate(instance)
    for step, part in pairs:
        yield [step]
        if isinstance(part, dict | list):
            yield from ([step, *more] for more in _paths(part))


@pytest.mark.parametrize(
    ("schema", "direction", "base"),
    [(ARTICLE, "input", SENT), (LABELLED, "output", READ)],
)
@settings(deadline=None)  # validators are slow to build, and the machine may be busy
@given(data=st.data())
def test_no_break_means_none(
    data: st.DataObject, schema: Schema, direction: Direction, base: Any
) -> None:
    """Where no break is found, whatever passes the narrower schema passes the wider one."""
    new = copy.deepcopy(schema)
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(list(_places(new))))
        edit = copy.deepcopy(data.draw(_EDITS))
        place.update(edit)
        for name in [name for name, part in edit.items() if part is None]:
            del place[name]
    if breaks(schema, new, direction):
        return
    narrow, wide = (schema, new) if direction == "input" else (new, schema)
    paths = list(_paths(base))
    for _ in range(10):
        path, value = data.draw(st.sampled_from(paths)), data.draw(_VALUES | st.just(...))
        instance = with_value(base, path, value)
        if Draft202012Validator(narrow).is_valid(instance):
            Draft202012Validator(wide).validate(instance)
