"""What an operator can set, from the environment: frozen values, each field with its reason.

The environment is read in `seedprovider.__main__` alone and handed in here as a mapping.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedprovider import parsers, variables
from seedprovider.parsers import Listen
from seedprovider.racks import rack_name
from seedprovider.variables import variable

_SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the sidecar and `seedprovider install` are both told."""

    pod: str = variable(
        "POD_NAME", parsers.pod, "name of this pod (downward API metadata.name)"
    )
    namespace: str = variable("POD_NAMESPACE", parsers.name, "namespace (metadata.namespace)")
    kube_url: str = variable(
        "SEEDPROVIDER_KUBE_URL",
        parsers.url,
        "API server; inside a cluster found from KUBERNETES_SERVICE_HOST and _PORT",
    )
    kube_token_file: Path = variable(
        "SEEDPROVIDER_KUBE_TOKEN_FILE",
        parsers.path,
        "bearer token, read anew for each request since the kubelet replaces it",
        _SERVICE_ACCOUNT / "token",
    )
    kube_ca_file: Path = variable(
        "SEEDPROVIDER_KUBE_CA_FILE",
        parsers.path,
        "certificate authority of the API server; unused with http://",
        _SERVICE_ACCOUNT / "ca.crt",
    )
    service: str = variable(
        "SEEDPROVIDER_SERVICE",
        parsers.name,
        "headless Service that names the pods",
        "cassandra",
    )
    data_dir: Path = variable(
        "SEEDPROVIDER_DATA_DIR",
        parsers.path,
        "Cassandra's data directory (the one that holds `system`); read-only for the sidecar, "
        "writable for install, which keeps the rack there",
        Path("/var/lib/cassandra/data"),
    )
    loopback_listen: Listen = variable(
        "SEEDPROVIDER_LOOPBACK_LISTEN",
        parsers.listen,
        "listener for the seed provider inside Cassandra",
        Listen("127.0.0.1", 8078),
    )
    log_level: str = variable(
        "SEEDPROVIDER_LOG_LEVEL", parsers.level, "DEBUG, INFO, WARNING or ERROR", "INFO"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Shared):
    """What the sidecar is told."""

    pod_uid: str = variable("POD_UID", parsers.text, "UID of this pod (metadata.uid)")
    pod_ip: str = variable("POD_IP", parsers.address, "address of this pod (status.podIP)")
    claim: str = variable(
        "SEEDPROVIDER_CLAIM",
        parsers.optional(parsers.name),
        "volume claim template of the StatefulSet; empty where pods have no volume",
        "cassandra-data",
    )
    state_dir: Path = variable(
        "SEEDPROVIDER_STATE_DIR",
        parsers.path,
        "where the last good answer is kept; it has to outlive a container restart",
        Path("/var/lib/seedprovider"),
    )
    pod_port: int = variable(
        "SEEDPROVIDER_POD_PORT",
        parsers.port,
        "port on the pod network, of this sidecar and of all others",
        8079,
    )
    storage_port: int = variable(
        "SEEDPROVIDER_STORAGE_PORT", parsers.port, "Cassandra's storage_port", 7000
    )
    journal: Path | None = variable(
        "SEEDPROVIDER_JOURNAL",
        parsers.path_or_none,
        "file that every decision is written to with all that it rests on, one JSON line each, "
        "64 MiB at the most; none is kept without",
        None,
    )
    seeds_per_dc: int = variable(
        "SEEDPROVIDER_SEEDS_PER_DC",
        parsers.count(1, 20),
        "seeds per data centre; Cassandra warns above 20 in all",
        3,
    )
    founding_grace: float = variable(
        "SEEDPROVIDER_FOUNDING_GRACE",
        parsers.seconds(0, 86400),
        "how long a pod with an empty disk waits for lower ordinals to found the ring",
        60.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallSettings(Shared):
    """What `seedprovider install` is told.

    The variables of the stock image's entrypoint count as Cassandra's container has them.
    """

    node: str = variable(
        "NODE_NAME", parsers.name, "node that this pod runs on (spec.nodeName)"
    )
    jar: Path = variable(
        "SEEDPROVIDER_JAR",
        parsers.path,
        "the seed provider's jar, as this image carries it",
        Path("/opt/cassandra-k8s-ring/cassandra-k8s-seeds.jar"),
    )
    rack: str = variable(
        "SEEDPROVIDER_RACK",
        parsers.optional(rack_name),
        "rack of every pod that gets this; empty to take it from the node's zone",
        "",
    )
    two_racks: bool = variable(
        "SEEDPROVIDER_TWO_RACKS",
        parsers.yes_no,
        "yes to take zones as racks where there are just two: with three replicas one of the "
        "two then holds two replicas of everything",
        default=False,
    )
    node_selector: str = variable(
        "SEEDPROVIDER_NODE_SELECTOR",
        parsers.optional(parsers.text),
        "label selector of the nodes that pods of this Service may run on, as the pod's own "
        "nodeSelector says; zones are counted over these",
        "",
    )
    patience: float = variable(
        "SEEDPROVIDER_INSTALL_PATIENCE",
        parsers.seconds(0, 3600),
        "how long to wait for the API server where the rack depends on it",
        300.0,
    )
    seeds: str = variable(
        "CASSANDRA_SEEDS",
        str.strip,
        "seeds of a ring from before; goes before those in cassandra.yaml",
        "",
    )
    configured_rack: str = variable(
        "CASSANDRA_RACK", str.strip, "rack that Cassandra's entrypoint writes, if it is set", ""
    )
    snitch: str = variable(
        "CASSANDRA_ENDPOINT_SNITCH",
        str.strip,
        "snitch that Cassandra's entrypoint writes, if it is set",
        "",
    )


KNOWN: Final = variables.names_of(Settings) | variables.names_of(InstallSettings)


def read(env: Mapping[str, str]) -> Settings:
    """Make the sidecar's settings; raise `SettingError` for the first wrong variable."""
    return variables.read(Settings, env, KNOWN)


def read_install(env: Mapping[str, str]) -> InstallSettings:
    """Make the settings of install; raise `SettingError` for the first wrong variable."""
    return variables.read(InstallSettings, env, KNOWN)
