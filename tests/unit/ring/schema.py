"""Enough of JSON Schema to hold answers to `docs/schemas`: the keywords that they use."""

import re
from collections.abc import Iterator
from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
KNOWN = {
    *("$schema", "title", "description", "type", "properties", "required", "items"),
    *("additionalProperties", "propertyNames", "pattern", "enum"),
    *("minLength", "minItems", "maxItems", "minimum"),
}


def faults(schema: dict[str, Any], value: object, place: str = "$") -> Iterator[str]:
    """Yield what is wrong with a value; `minLength` and the like are left to the reader."""
    assert set(schema) <= KNOWN, f"{place}: teach {set(schema) - KNOWN} to this file"
    wanted = schema.get("type", [])
    names = wanted if isinstance(wanted, list) else [wanted]
    fits = [name for name in names if _is(value, name)]
    if names and not fits:
        yield f"{place}: {value!r} is not {wanted}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{place}: {value!r} is not like {schema['pattern']}"
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(schema.get("items", {}), item, f"{place}[{number}]")
    if isinstance(value, dict):
        yield from _of_object(schema, value, place)


def _is(value: object, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _of_object(schema: dict[str, Any], value: dict[str, Any], place: str) -> Iterator[str]:
    for name in schema.get("required", []):
        if name not in value:
            yield f"{place}: has no {name}"
    more = schema.get("additionalProperties", {})
    for name, item in value.items():
        yield from faults(schema.get("propertyNames", {}), name, f"{place}.{name}")
        inner = schema.get("properties", {}).get(name, more)
        if inner is False:
            yield f"{place}: {name} is not documented"
        else:
            yield from faults(inner, item, f"{place}.{name}")
