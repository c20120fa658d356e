"""Label and field selectors: text in, a predicate over objects out."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from localring.apiserver.resources import Resource
from localring.apiserver.status import bad_request

Matcher = Callable[[Mapping[str, Any]], bool]
_LabelTest = Callable[[Mapping[str, str]], bool]

_KEY = r"(?:[a-z0-9A-Z.-]+/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?"
_EXISTS = re.compile(rf"(?P<not>!\s*)?(?P<key>{_KEY})")
_EQUALS = re.compile(rf"(?P<key>{_KEY})\s*(?P<op>==|=|!=)\s*(?P<value>{_VALUE})")
_IN = re.compile(rf"(?P<key>{_KEY})\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)")
_COMMA_OUTSIDE_BRACKETS = re.compile(r",(?![^(]*\))")
_FIELD = re.compile(r"(?P<key>[A-Za-z.]+)(?P<op>==|=|!=)(?P<value>.*)")


def label_matcher(text: str) -> Matcher:
    """Read a ``labelSelector``; raise `ApiError` 400 where it is malformed.

    As on a real server, ``!=`` and ``notin`` hold for objects without the label, too.
    """
    tests = [_label_test(part.strip(), text) for part in _parts(text)]

    def matches(body: Mapping[str, Any]) -> bool:
        labels = body["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return matches


def field_matcher(text: str, resource: Resource) -> Matcher:
    """Read a ``fieldSelector``; raise `ApiError` 400 where the resource has no such field."""
    tests: list[tuple[list[str], str, bool]] = []
    for part in filter(None, text.split(",")):
        found = _FIELD.fullmatch(part.strip())
        if found is None:
            raise bad_request(f"invalid field selector {text!r}: can't understand {part!r}")
        if found["key"] not in resource.selectable:
            raise bad_request(f"field label not supported: {found['key']}")
        tests.append((found["key"].split("."), found["value"], found["op"] != "!="))

    def matches(body: Mapping[str, Any]) -> bool:
        return all((_dig(body, path) == value) is wanted for path, value, wanted in tests)

    return matches


def _parts(text: str) -> list[str]:
    return _COMMA_OUTSIDE_BRACKETS.split(text) if text.strip() else []


def _label_test(part: str, whole: str) -> _LabelTest:
    if found := _IN.fullmatch(part):
        return _membership(found, whole)
    if found := _EQUALS.fullmatch(part):
        key, value, equal = found["key"], found["value"], found["op"] != "!="
        return lambda labels: (labels.get(key) == value) is equal
    if found := _EXISTS.fullmatch(part):
        key, present = found["key"], not found["not"]
        return lambda labels: (key in labels) is present
    raise bad_request(f"unable to parse the label selector {whole!r}: {part!r}")


def _membership(found: re.Match[str], whole: str) -> _LabelTest:
    key, inside = found["key"], found["op"] == "in"
    values = {value.strip() for value in found["values"].split(",")}
    if not all(re.fullmatch(_VALUE, value) for value in values):
        raise bad_request(f"unable to parse the label selector {whole!r}: not a label value")
    return lambda labels: (labels.get(key) in values) is inside


def _dig(body: Mapping[str, Any], path: list[str]) -> str:
    value: Any = body
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
