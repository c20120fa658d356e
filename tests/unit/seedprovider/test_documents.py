"""What the documents promise of the program is what the program does."""

from dataclasses import fields
from pathlib import Path

import pytest

from seedprovider.decision import Rule
from seedprovider.settings import InstallSettings, Settings

DOCS = Path(__file__).parents[3] / "docs"
VARIABLES = sorted(
    {item.metadata["variable"] for kind in (Settings, InstallSettings) for item in fields(kind)}
)


@pytest.mark.parametrize("variable", VARIABLES)
def test_operations_lists_the_setting(variable: str) -> None:
    assert f"\n| `{variable}` |" in (DOCS / "operations.md").read_text()


@pytest.mark.parametrize("rule", list(Rule))
def test_architecture_has_a_row_for_the_rule(rule: Rule) -> None:
    assert f"`{rule}`" in (DOCS / "architecture.md").read_text()
