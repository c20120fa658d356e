"""Whether a unit test fails while a guard is off that `held.HELD` says it holds.

The test runs in this process by pytest's own entry point, so that the product it imports is the
one that the guard is turned off in.
"""

import ast
import contextlib
import io
from pathlib import Path

import pytest

from tests.model import mutants


def there(test: str) -> bool:
    """Whether a test of this name is in the file that it names."""
    path, _, name = test.partition("::")
    if not Path(path).is_file():
        return False
    tree = ast.parse(Path(path).read_text())
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return name.partition("[")[0] in names


def holds(mutant: mutants.Mutant, test: str) -> bool:
    """Run a test with the guard off; return whether it fails, as it has to."""
    quiet = io.StringIO()
    with (
        mutants.installed(mutant),
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
    ):
        code = pytest.main([test, "-q", "-p", "no:cacheprovider"])
    return code == pytest.ExitCode.TESTS_FAILED
