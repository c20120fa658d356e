"""What the documents promise of the program is what the program does."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from seedprovider import __version__, objects
from seedprovider.decision import Rule
from seedprovider.settings import InstallSettings, Settings

DOCS = Path(__file__).parents[3] / "docs"
CODE = DOCS.parent / "seedprovider"
TEXTS = {".md", ".py", ".yaml"}
VARIABLES = sorted(
    {item.metadata["variable"] for kind in (Settings, InstallSettings) for item in fields(kind)}
)


def rules_that_keep_out() -> Iterator[str]:
    """Give the name of each rule that the sidecar's code withholds or refuses by."""
    trees = [ast.parse(file.read_text()) for file in CODE.glob("*.py")]
    for call in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"Withheld", "Refused"}:
            named = {each.arg: ast.unparse(each.value) for each in call.keywords}
            if named.get("rule", "").startswith("Rule."):
                yield named["rule"].removeprefix("Rule.")


def section(heading: str) -> str:
    """Return what docs/operations.md has below a heading, empty without it."""
    _, _, rest = (DOCS / "operations.md").read_text().partition(f"\n### {heading}\n")
    return re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("variable", VARIABLES)
def test_operations_lists_the_setting(variable: str) -> None:
    assert f"\n| `{variable}` |" in (DOCS / "operations.md").read_text()


@pytest.mark.parametrize("rule", list(Rule))
def test_architecture_has_a_row_for_the_rule(rule: Rule) -> None:
    assert f"`{rule}`" in (DOCS / "architecture.md").read_text()


@pytest.mark.parametrize("name", sorted(set(rules_that_keep_out())))
def test_operations_says_what_an_answer_that_keeps_out_means_and_how_it_is_resolved(
    name: str,
) -> None:
    text = section(Rule[name])

    assert [part for part in ("Means", "Look at", "Do") if f"\n- **{part}**" not in text] == []
    assert "kubectl" in text.partition("- **Look at**")[2]


def test_operations_resolves_no_answer_that_is_never_given() -> None:
    headings = re.findall(r"^### (\S+)$", (DOCS / "operations.md").read_text(), re.MULTILINE)

    assert {Rule(heading).name for heading in headings} == set(rules_that_keep_out())


def test_operations_names_the_annotations_that_the_sidecar_reads() -> None:
    text = (DOCS / "operations.md").read_text()

    assert f"kubectl annotate service cassandra {objects.PAUSE}=" in text
    assert f"kubectl annotate service cassandra {objects.APPROVE_FOUNDING}=" in text


@pytest.mark.parametrize("place", ["docs", "manifests", "images", "tests/e2e", "README.md"])
def test_the_image_is_named_with_the_version_that_it_has(place: str) -> None:
    root = DOCS.parent / place
    files = [root] if root.is_file() else [path for path in root.rglob("*") if path.is_file()]
    texts = [path.read_text() for path in files if path.suffix in TEXTS or not path.suffix]
    named = {tag for text in texts for tag in re.findall(r"/sidecar:(\d[\w.]*\w)", text)}

    assert named == {__version__}
