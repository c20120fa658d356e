"""`kubectl_complete-ring`: what kubectl's own shell completion asks for `kubectl ring`.

Source: ``kubectl`` runs ``kubectl_complete-NAME`` with the words after the plugin's name, the
last being the one to complete, and reads a candidate a line and at the end a colon with bits of
cobra's ``ShellCompDirective``.
"""

import os
import shlex
import sys
from contextlib import suppress
from typing import Final

from ring.cli import application

NO_FILES: Final = 4
"""``ShellCompDirectiveNoFileComp``: what is completed are names, not files."""


def main() -> None:
    """Write the candidates."""
    words = sys.argv[1:] or [""]
    os.environ |= {
        "_RING_COMPLETE": "complete_bash",
        "COMP_WORDS": shlex.join(["ring", *words]),
        "COMP_CWORD": str(len(words)),
    }
    with suppress(SystemExit):
        application(())(prog_name="ring")
    sys.stdout.write(f":{NO_FILES}\n")


if __name__ == "__main__":
    main()
