"""What resolves an answer that keeps out: docs/operations.md and the model say the same.

The model checker (`tests/model/settling.py`) shows that no order of events ends where none of
its operator's acts leads on. That is worth something only where the page that an operator reads
names just these acts, under the rule that the pod is told, each with its command.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from seedprovider.decision import Rule

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text()
MODEL = ast.parse((ROOT / "tests" / "model" / "settling.py").read_text())
EXAMPLES = {"values.pod_name(n)": "cassandra-1", "peer.host": "<host ID>"}
"""What the page has where the model has whom an act is done to."""
START = "start the pods"

MENDED = {
    Rule.FOUND_WAIT: "time passes: the grace is over",
    Rule.MEMBER_IN_DOUBT: "the API server is back",
    Rule.API_AWAY: "the API server is back, and has every object and right",
    Rule.DISK_UNKNOWN: "every disk can be read",
}
"""Rules that the model's fair runs never rest in, and what there resolves them by itself."""

BEYOND = {
    (Rule.JOIN_WAIT, "stop the joiner"): "no node of the model hangs for ever",
    (Rule.MEMBER_CLONED, "delete the other's ledger entry"): "its pods all start again",
    (Rule.MEMBER_REPLACED, "give the pod its own volume back"): "a lost disk is a fault there",
    (Rule.DISK_FOREIGN, "give the pod its own volume back"): "a lost disk is a fault there",
    (Rule.UNMARKED_STRANGER, "give the pod its own volume back"): "likewise",
    (Rule.UNMARKED_STRANGER, "let the ledger name the volume"): "it has no restored volumes",
    (
        Rule.DISK_FOREIGN,
        "turn to the ring of this disk",
    ): "it needs no choice between two rings",
    (Rule.ADOPTION, "give the seeds of before"): "its pods have them",
    (Rule.ADOPTION, "keep one ring"): "it begins with one ring",
}
"""Acts of the page that the model gets along without, and why."""

IDLE = {
    (Rule.REBUILD_BLOCKED, "empty the disk of the pod that left"): "such a disk is not counted",
}
"""Acts that the model tries and that cannot help, so that the page does not have them."""


def acts_in(nodes: list[ast.stmt], rule: str) -> Iterator[str]:
    """Give what a function of the model may yield for a rule, by its code."""
    for node in nodes:
        if isinstance(node, ast.Match):
            matching = [case for case in node.cases if meant(case.pattern, rule)]
            explicit = [case for case in matching if named(case.pattern)]
            for case in explicit or matching:
                yield from acts_in(case.body, rule)
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield):
            assert isinstance(node.value.value, ast.Tuple)
            yield text_of(node.value.value.elts[0])
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.YieldFrom):
            assert isinstance(node.value.value, ast.Call)
            yield from acts_in(function(ast.unparse(node.value.value.func)).body, rule)
        for inner in ("body", "orelse"):
            yield from acts_in(getattr(node, inner, []), rule)


def function(name: str) -> ast.FunctionDef:
    found = [n for n in MODEL.body if isinstance(n, ast.FunctionDef) and n.name == name]
    return found[0]


def named(pattern: ast.pattern) -> set[str]:
    values = [n.value for n in ast.walk(pattern) if isinstance(n, ast.MatchValue)]
    return {str(ast.literal_eval(value)) for value in values}


def meant(pattern: ast.pattern, rule: str) -> bool:
    return not named(pattern) or rule in named(pattern)


def text_of(node: ast.expr) -> str:
    if not isinstance(node, ast.JoinedStr):
        return str(ast.literal_eval(node))
    return "".join(
        EXAMPLES[ast.unparse(part.value)]
        if isinstance(part, ast.FormattedValue)
        else str(ast.literal_eval(part))
        for part in node.values
    )


def modelled(rule: Rule) -> set[str]:
    """Return the acts that the model tries for a rule."""
    return set(acts_in(function("remedies").body, rule)) - {
        act for of, act in IDLE if of is rule
    }


def advised(text: str) -> dict[str, str]:
    """Return the acts, in bold, of a part of the page, each with what follows it."""
    parts = re.split(r"\*\*(.+?)\*\*", text)
    return {
        act[0].lower() + act[1:]: more
        for act, more in zip(parts[1::2], parts[2::2], strict=True)
    }


def introduction() -> str:
    _, _, rest = PAGE.partition("\n## Answers, and what they want\n")
    return rest.partition("\n### ")[0]


def ways_out(rule: Rule) -> Mapping[str, str]:
    """Return the acts under a rule's heading."""
    _, _, rest = PAGE.partition(f"\n### {rule}\n")
    return advised(
        re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0].partition("**Do**")[2]
    )


RULES = [Rule(name) for name in re.findall(r"^### (\S+)$", PAGE, re.MULTILINE)]


@pytest.mark.parametrize("rule", RULES)
def test_the_page_names_the_acts_that_the_model_takes_for_an_operators(rule: Rule) -> None:
    beyond = {act for of, act in BEYOND if of is rule}
    page = set(ways_out(rule))

    assert beyond <= page
    if rule in MENDED:
        assert modelled(rule) <= {START}  # what the model does for whatever it does not know
    else:
        assert page - beyond == modelled(rule)


@pytest.mark.parametrize("rule", RULES)
def test_each_act_is_followed_by_its_command(rule: Rule) -> None:
    everywhere = advised(introduction())
    without = [
        act
        for act, more in ways_out(rule).items()
        if "kubectl " not in more and "kubectl " not in everywhere.get(act, "")
    ]

    assert ways_out(rule)
    assert without == []
