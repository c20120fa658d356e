"""What can be asked of a ring that stays up: a nodetool for each pod, and commands to copy."""

import shlex
from pathlib import Path
from urllib.request import getproxies

from localring.ring import LocalRing

JSON = "| python3 -m json.tool"  # the answers are one line each


def how_to_look_around(ring: LocalRing) -> str:
    """Write a nodetool script for each pod, and say how to ask."""
    for pod in ring.pods.values():
        script = _nodetool(ring, pod.name)
        script.write_text(f'#!/bin/sh\nexec {shlex.join(pod.node.nodetool_command())} "$@"\n')
        script.chmod(0o755)
    first, second = list(ring.pods.values())[:2]
    curl = "curl -s --noproxy '*'" if getproxies() else "curl -s"
    token = shlex.quote(str(ring.directory / "token"))
    bearer = f'-H "Authorization: Bearer $(cat {token})"'
    ways = {
        "the ring, as Cassandra sees it": f"{_quoted(_nodetool(ring, first.name))} status",
        "what a sidecar knows of its node": f"{curl} {first.client.url}/v1/node {JSON}",
        "why a pod is told the seeds it is told": (
            f"{curl} '{first.client.url}/v1/seeds?pod={second.name}' {JSON}"
        ),
        "metrics": f"{curl} {first.client.url}/metrics",
        "record and ledger in Kubernetes": (
            f"{curl} {bearer} {ring.api.url}/api/v1/namespaces/default/configmaps {JSON}"
        ),
        "logs": f"ls {_quoted(ring.directory / 'pods')}/*",
    }
    listed = "\n".join(f"  {what}:\n    {command}" for what, command in ways.items())
    return (
        "\nThe ring stays up; Ctrl-C ends it and leaves nothing behind."
        f"\nTo look around, in another terminal:\n\n{listed}\n"
    )


def _nodetool(ring: LocalRing, pod: str) -> Path:
    return ring.directory / f"nodetool-{pod}"


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
