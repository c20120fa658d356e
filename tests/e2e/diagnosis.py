"""What the cluster has to say of a failure: pods, events, logs, and the sidecars' reasons."""

from typing import Final

from tests.e2e.kindcluster import KindCluster
from tests.e2e.kubectl import Kubectl, KubectlError

LINES: Final = 100
OURS: Final = "app.kubernetes.io/managed-by=cassandra-k8s-ring"
SYSTEM: Final = ("kube-", "local-path-storage", "default")


def diagnosis(cluster: KindCluster) -> str:
    """Return it as text; what cannot be read is said so."""
    kubectl = cluster.kubectl
    parts = [_try(kubectl, "get", "pods,pvc", "-A", "-o", "wide")]
    parts.append(_try(kubectl, "get", "nodes", "-o", "wide"))
    try:
        namespaces = kubectl.names("namespaces")
    except KubectlError as error:
        return "\n".join([*parts, str(error)])
    ours = (name for name in namespaces if not name.startswith(SYSTEM))
    parts.extend(_of_namespace(kubectl.within(name)) for name in ours)
    return "\n".join(parts)


def _of_namespace(kubectl: Kubectl) -> str:
    parts = [f"──── {kubectl.namespace}"]
    parts.append(_tail(_try(kubectl, "get", "events", "--sort-by=.lastTimestamp")))
    parts.append(_try(kubectl, "get", "configmaps,leases", "-l", OURS, "-o", "yaml"))
    try:
        pods = kubectl.names("pods", "app=cassandra")
    except KubectlError as error:
        return "\n".join([*parts, str(error)])
    for pod in pods:
        path = f"/api/v1/namespaces/{kubectl.namespace}/pods/{pod}:8079/proxy"
        parts.append(f"── {pod}")
        parts.extend(
            _try(kubectl, "get", "--raw", path + each) for each in ("/v1/node", "/v1/seeds")
        )
        for container in ("copy-settings", "install", "seedprovider", "cassandra"):
            parts.append(f"─ {pod} {container}")
            parts.append(_try(kubectl, "logs", pod, "-c", container, f"--tail={LINES}"))
        parts.append(
            _try(kubectl, "logs", pod, "-c", "cassandra", f"--tail={LINES}", "--previous")
        )
    for name in _names(kubectl, "app=cassandra-ring-manager"):
        parts.append(f"── {name}")
        parts.append(_try(kubectl, "logs", name, f"--tail={LINES}"))
        path = f"/api/v1/namespaces/{kubectl.namespace}/pods/{name}:8080/proxy/v1/ring"
        parts.append(_try(kubectl, "get", "--raw", path))
    return "\n".join(parts)


def _names(kubectl: Kubectl, selector: str) -> list[str]:
    try:
        return kubectl.names("pods", selector)
    except KubectlError:
        return []


def _try(kubectl: Kubectl, *words: str) -> str:
    try:
        return kubectl(*words, patience=20)
    except KubectlError as error:
        return str(error)


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-LINES:])
