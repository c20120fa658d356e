"""Somebody with a kubeconfig and the `ring` command, who asks from outside of the cluster."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.e2e.kindcluster import NAME
from tests.e2e.kubectl import Kubectl

SECONDS: Final = 90.0
"""For one command: while a machine is away it asks several times."""
STOP_SECONDS: Final = 30.0
BESIDE: Final = Path(sys.executable).parent
"""Where `kubectl-ring` is: `kubectl` finds it by PATH."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said.

    Attributes:
        code: 0 healthy, safe or yes; 1 not; 2 no answer.

    """

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:  # noqa: ANN401 - JSON
        """The answer of a command with ``-o json``."""
        assert self.code in {0, 1}, f"exit code {self.code}: {self.err}"
        return json.loads(self.out)


class Operator:
    """Asks the manager of one namespace."""

    def __init__(self, kubectl: Kubectl) -> None:
        """Take kubectl of the namespace."""
        self._kubectl = kubectl
        self._words = ("--context", f"kind-{NAME}", "--namespace", kubectl.namespace)
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubectl.config),
            "PATH": f"{BESIDE}{os.pathsep}{os.environ['PATH']}",
        }

    def ring(self, command: str, *words: str) -> Said:
        """Run `kubectl ring`, as people type it."""
        done = subprocess.run(  # noqa: S603 - words of the tests themselves
            ["kubectl", "ring", command, *words, *self._words],  # noqa: S607
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def answer(self, command: str, *words: str) -> Any:  # noqa: ANN401 - JSON
        """Return a command's answer; one that none comes to fails."""
        return self.ring(command, *words, "-o", "json").answer

    def states(self) -> dict[str, str]:
        """Return each pod's member as `ring status` writes it, such as ``UN``."""
        return {each["pod"]: each["state"] for each in self.answer("status")["members"]}

    def findings(self) -> dict[str, Any]:
        """Return what is wrong, by kind."""
        return {each["kind"]: each for each in self.answer("findings")["findings"]}

    def do(self, command: str) -> str:
        """Do what a finding says, by its very words."""
        done = subprocess.run(  # noqa: S602 - a command for a shell
            command,
            shell=True,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def watching(self) -> Iterator["Told"]:
        """Let `ring watch` follow the ring; what it wrote is there after the block."""
        told = Told()
        with subprocess.Popen(  # noqa: S603 - words of the tests themselves
            [str(BESIDE / "ring"), "watch", *self._words],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                told.lines.append(process.stdout.readline())  # it follows
                yield told
                process.terminate()
                out, _ = process.communicate(timeout=STOP_SECONDS)
                told.lines += out.splitlines()
            finally:
                process.kill()


@dataclass(slots=True)
class Told:
    """Lines of `ring watch`."""

    lines: list[str] = field(default_factory=list)

    def of(self, pod: str) -> str:
        """Return those that name a pod."""
        return "\n".join(line for line in self.lines if pod in line)


@dataclass(slots=True)
class Clock:
    """Seconds since something was done."""

    began: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        """Return them for people."""
        return f"{time.monotonic() - self.began:.1f} s"
