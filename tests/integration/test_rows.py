"""Every row of the table in docs/architecture.md has a story, and the story goes through it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedprovider.decision import Rule
from tests.integration.conftest import PASSED
from tests.integration.decided import Decided, provokes


async def test_every_rule_is_provoked_by_a_story_on_real_cassandra() -> None:
    stories = Path(__file__).parent.glob("test_*.py")
    named = {name for file in stories for name in promises(file)}

    assert named == {rule.name for rule in Rule}


async def test_the_sidecars_of_the_stories_that_passed_decided_by_the_rules_promised(
    request: pytest.FixtureRequest, decided: Decided
) -> None:
    stories = [item for item in request.session.items if item.stash.get(PASSED, False)]
    promised = {
        Rule(rule)
        for item in stories
        for marker in item.iter_markers(provokes.name)
        for rule in marker.args
    }

    assert promised <= decided.by


def promises(file: Path) -> Iterator[str]:
    """Give the names of the rules that a file's stories say they provoke."""
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and ast.unparse(call.func) == provokes.name:
                yield from (arg.attr for arg in call.args if isinstance(arg, ast.Attribute))
