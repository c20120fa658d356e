"""How a ring on the stage is to be: frozen options with their reasons."""

import sys
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from localring.addresses import NETWORKS
from localring.container import Backoff

REPOSITORY = Path(__file__).resolve().parent.parent
SIDECAR_PACKAGE = REPOSITORY / "seedprovider"
SHIM_JAR = REPOSITORY / "java-shim" / "target" / "cassandra-k8s-seeds.jar"
SHIM_CLASS = "io.k8s.cassandra.KubernetesSeedProvider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The same for all pods of a ring.

    Attributes:
        cluster: name of the Cassandra cluster.
        racks: over how many racks, which are zones, the pods are spread, by ordinal.
        ring_delay_ms: Cassandra's RING_DELAY. A joiner that has not heard of a member in it
            streams nothing from that one and is NORMAL without the data: with 2000 that was
            seen on a machine under load. Below it saved peers are given up too early.
        founding_grace: seconds a pod waits for lower ordinals before it founds.
        endpoints_per_slice: most endpoints in one EndpointSlice.
        restarting: whether ended containers are started again.
        backoff: how long after their end.
        secured: whether clients need a login, rights and TLS.
        shim: jar with the seed provider.
        sidecar: command line of the sidecar.
        network: where the ring's /24 is taken from.
        base: where the run directory is made; the system's for temporary files if None.
        keep: whether the run directory is left behind.

    """

    cluster: str = "local ring"
    racks: int = 3
    ring_delay_ms: int = 5000
    founding_grace: float = 5.0
    endpoints_per_slice: int = 100
    restarting: bool = True
    backoff: Backoff = field(default_factory=Backoff)
    secured: bool = False
    shim: Path = SHIM_JAR
    sidecar: tuple[str, ...] = (sys.executable, "-m", "seedprovider")
    network: IPv4Network = NETWORKS
    base: Path | None = None
    keep: bool = False

    def rack(self, ordinal: int) -> str:
        """Return the rack of a pod."""
        return f"rack{ordinal % self.racks + 1}"
