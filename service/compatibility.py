"""What a change of a JSON Schema breaks, for those who send and for those who read.

It is safe rather than clever: what it cannot judge counts as a break. It knows the keywords that
the contracts use; another one must stay as it is.

- Of what comes in, all that was accepted must be accepted: the old schema lies within the new.
- Of what goes out, all must be as readers were told: the new schema lies within the old.

Either way fields may be added, unless they are required of those who send, and none may vanish.
Strictly a new field of the input narrows it, where somebody sent it before it had a meaning.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, Literal

Direction = Literal["input", "output"]
Schema = dict[str, Any]

# These say something to people, and refuse nothing.
_ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples"}
    | {"deprecated", "readOnly", "writeOnly"}
)
_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_JUDGED: Final = frozenset(
    {"type", "enum", "const", "pattern", "properties", "required", "additionalProperties"}
    | {"items", "anyOf", *_LEAST, *_MOST}
)
_DEFINITIONS: Final = "#/$defs/"


def breaks(old: Schema, new: Schema, direction: Direction) -> list[str]:
    """Say what works with the old version of a schema and not with the new.

    Args:
        old: the schema that somebody relies on.
        new: the schema that is to take its place.
        direction: input if others send what it describes, output if others read it.

    Returns:
        One line for each break, which begins with its place; empty if there is none.
    """
    return list(_Comparison(direction).compare(_plain(old, old), _plain(new, new), ""))


def _plain(schema: Any, root: Schema, within: tuple[str, ...] = ()) -> Schema:
    """A schema without annotations, and with what it refers to put in its place."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    target = schema.get("$ref")
    # A schema that holds itself is gone into once.
    if target is not None and target not in within:
        referred = root["$defs"][target.removeprefix(_DEFINITIONS)]
        besides = _plain({k: v for k, v in schema.items() if k != "$ref"}, root, within)
        plain = _plain(referred, root, (*within, target))
        # Both must hold. Where they speak of the same, neither is lost: nothing knows "allOf".
        return {"allOf": [plain, besides]} if plain.keys() & besides.keys() else plain | besides
    kept: Schema = {name: part for name, part in schema.items() if name not in _ANNOTATIONS}
    if "items" in kept:
        kept["items"] = _plain(kept["items"], root, within)
    if isinstance(kept.get("additionalProperties"), dict):
        kept["additionalProperties"] = _plain(kept["additionalProperties"], root, within)
    if "anyOf" in kept:
        kept["anyOf"] = [_plain(part, root, within) for part in kept["anyOf"]]
    if "properties" in kept:
        kept["properties"] = {
            name: _plain(part, root, within) for name, part in kept["properties"].items()
        }
    return kept


class _Comparison:
    """Goes down both versions of a schema side by side."""

    def __init__(self, direction: Direction) -> None:
        self._is_input = direction == "input"

    def compare(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        """Yield the breaks in a part of both; ``place`` says which, empty for the whole."""
        narrow, wide = (old, new) if self._is_input else (new, old)
        here = place or "the whole"
        for fault in (
            *_unjudged(old, new),
            *self._types(narrow, wide),
            *self._values(narrow, wide),
            *self._limits(narrow, wide),
            *self._closing(narrow, wide),
        ):
            yield f"{here}: {fault}"
        yield from self._fields(old, new, place)
        yield from self._kinds(old, new, place)
        if "items" in wide:
            yield from self.compare(old.get("items", {}), new.get("items", {}), f"{place}[]")

    def _say(self, of_input: str, of_output: str) -> str:
        return of_input if self._is_input else of_output

    def _types(self, narrow: Schema, wide: Schema) -> Iterator[str]:
        allowed = _types(wide)
        found = _types(narrow)
        if allowed is None or (found is None and "anyOf" in narrow):
            return  # the alternatives are compared one by one
        if found is None or found - allowed:
            names = "anything" if found is None else ", ".join(sorted(found - allowed))
            yield self._say(f"{names} is no longer accepted", f"may now be {names}")

    def _values(self, narrow: Schema, wide: Schema) -> Iterator[str]:
        allowed = _values(wide)
        if allowed is None:
            return
        found = _values(narrow)
        if found is None:
            yield self._say("only some values are accepted now", "may now be another value")
        elif more := sorted(found - allowed):
            names = ", ".join(more)
            yield self._say(f"{names} is no longer accepted", f"may now be {names}")

    def _limits(self, narrow: Schema, wide: Schema) -> Iterator[str]:
        for name in (*_LEAST, *_MOST):
            if name not in wide:
                continue
            sign = 1 if name in _LEAST else -1
            if name not in narrow or narrow[name] * sign < wide[name] * sign:
                what = f"{name} {wide[name]}"
                yield self._say(f"{what} is stricter than before", f"{what} may now be passed")
        if "pattern" in wide and narrow.get("pattern") != wide["pattern"]:
            yield "another pattern"

    def _closing(self, narrow: Schema, wide: Schema) -> Iterator[str]:
        if wide.get("additionalProperties", True) is not False:
            return
        more = narrow.get("properties", {}).keys() - wide.get("properties", {}).keys()
        if narrow.get("additionalProperties", True) is not False or more:
            yield "fields that are not named are refused by " + self._say("us now", "readers")

    def _fields(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        for name in before:
            inner = f"{place}.{name}" if place else name
            if name in now:
                yield from self.compare(before[name], now[name], inner)
            else:
                yield f"{inner}: removed"
        required, still = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(still - required if self._is_input else required - still):
            if name in now or name not in before:
                inner = f"{place}.{name}" if place else name
                yield f"{inner}: {self._say('now required', 'no longer always there')}"

    def _kinds(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        """Compare the alternatives: each of the narrow one's must lie within one of the other's."""
        narrow, wide = (old, new) if self._is_input else (new, old)
        if "anyOf" in narrow and "type" in wide and "type" not in narrow:
            rest = {name: part for name, part in wide.items() if name != "anyOf"}
            for kind in narrow["anyOf"]:
                yield from self._within(kind, rest, place)
        if "anyOf" not in wide:
            return
        for kind in narrow.get("anyOf", [narrow]):
            faults = [list(self._within(kind, other, place)) for other in wide["anyOf"]]
            if all(faults):
                alike = [
                    found
                    for found, other in zip(faults, wide["anyOf"], strict=True)
                    if _types(other) == _types(kind)
                ]
                yield from alike[0] if alike else faults[0]

    def _within(self, narrow: Schema, wide: Schema, place: str) -> Iterator[str]:
        old, new = (narrow, wide) if self._is_input else (wide, narrow)
        return self.compare(old, new, place)


def _unjudged(old: Schema, new: Schema) -> Iterator[str]:
    for name in sorted((old.keys() | new.keys()) - _JUDGED):
        if old.get(name) != new.get(name):
            yield f"{name} has changed, and is not known here"
    more = [side.get("additionalProperties", True) for side in (old, new)]
    if more[0] != more[1] and any(isinstance(one, dict) for one in more):
        yield "additionalProperties has changed"


def _types(schema: Schema) -> set[str] | None:
    """The types that a schema takes, every integer being a number too; None for all."""
    named = schema.get("type")
    if named is None:
        return None
    types = {named} if isinstance(named, str) else set(named)
    return types | {"integer"} if "number" in types else types


def _values(schema: Schema) -> set[str] | None:
    """The values that a schema takes, as JSON; None for any."""
    if "const" in schema:
        return {json.dumps(schema["const"])}
    return {json.dumps(value) for value in schema["enum"]} if "enum" in schema else None
