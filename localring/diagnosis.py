"""What to read when a ring did not do what was expected of it, while it is still there."""

from localring.container import Container
from localring.pod import LocalPod
from localring.process import how_it_ended
from localring.ring import LocalRing

LINES = 30  # of each log


async def diagnosis(ring: LocalRing) -> str:
    """Tell of every running pod what it is told and why, and the last lines of its logs."""
    head = f"API server: {'accepts' if ring.api.accepting else 'refuses'}"
    return "\n".join([head, *[await _of(pod) for pod in ring.pods.values()]])


async def _of(pod: LocalPod) -> str:
    parts = [f"── {pod.name} at {pod.address}, {'ready' if pod.ready else 'not ready'}"]
    parts.append(f"told: {await pod.client.explain(pod.name)}")
    parts.append(f"says: {await pod.client.node()}")
    for container in (pod.sidecar, pod.cassandra):
        parts.append(f"{container.name}: {_state(container)}, {container.restarts} restarts")
        if container.started:
            parts.append(_indented(container.process.tail(LINES)))
    if pod.cassandra.started:
        parts.append(f"{pod.node.settings.log.name}:")
        parts.append(_indented(pod.node.last_words(LINES)))
    return "\n".join(parts)


def _state(container: Container) -> str:
    if not container.started:
        return "never started"
    code = container.process.exit_code
    return "runs" if code is None else f"ended with {how_it_ended(code)}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
