"""What the documents promise of the program is what the program does."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from seedprovider import __version__
from seedprovider.decision import Rule
from seedprovider.settings import InstallSettings, Settings

DOCS = Path(__file__).parents[3] / "docs"
TEXTS = {".md", ".py", ".yaml"}
VARIABLES = sorted(
    {item.metadata["variable"] for kind in (Settings, InstallSettings) for item in fields(kind)}
)


@pytest.mark.parametrize("variable", VARIABLES)
def test_operations_lists_the_setting(variable: str) -> None:
    assert f"\n| `{variable}` |" in (DOCS / "operations.md").read_text()


@pytest.mark.parametrize("rule", list(Rule))
def test_architecture_has_a_row_for_the_rule(rule: Rule) -> None:
    assert f"`{rule}`" in (DOCS / "architecture.md").read_text()


@pytest.mark.parametrize("place", ["docs", "manifests", "images", "tests/e2e", "README.md"])
def test_the_image_is_named_with_the_version_that_it_has(place: str) -> None:
    root = DOCS.parent / place
    files = [root] if root.is_file() else [path for path in root.rglob("*") if path.is_file()]
    texts = [path.read_text() for path in files if path.suffix in TEXTS or not path.suffix]
    named = {tag for text in texts for tag in re.findall(r"/sidecar:(\d[\w.]*\w)", text)}

    assert named == {__version__}
