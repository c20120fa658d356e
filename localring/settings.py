"""What makes one Cassandra node: frozen settings, the files and flags that follow from them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from types import MappingProxyType
from typing import Any

from localring.certificates import PASSWORD, Identity
from localring.jars import Jars
from localring.java import LEAN, MODULES

STORAGE_PORT = 7000
CQL_PORT = 9042
JMX_PORT = 7199
DAEMON = "org.apache.cassandra.service.CassandraDaemon"


@dataclass(frozen=True, slots=True)
class SeedProvider:
    """A class that Cassandra asks for seeds, its parameters, and the jar that holds it.

    Attributes:
        class_name: fully qualified (``seed_provider.class_name`` in cassandra.yaml).
        parameters: handed to its constructor.
        jar: where the class is, or None for one of Cassandra's own.

    """

    class_name: str
    parameters: Mapping[str, str]
    jar: Path | None = None


def fixed_seeds(*seeds: IPv4Address) -> SeedProvider:
    """Return Cassandra's own provider with a fixed list."""
    listed = ",".join(map(str, seeds))
    return SeedProvider("org.apache.cassandra.locator.SimpleSeedProvider", {"seeds": listed})


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """One node, as it is started.

    Attributes:
        name: for messages.
        address: listen, broadcast and RPC address.
        disk: folder of everything that is the node's own; its mark lies in `data_directory`.
        work: folder for configuration, logs and temporary files; may be thrown away.
        seeds: where it gets its seeds.
        cluster: name of the cluster.
        dc: data centre, for GossipingPropertyFileSnitch.
        rack: likewise.
        tokens: number of tokens a new node takes.
        ring_delay_ms: Cassandra's RING_DELAY: how long a joiner listens to gossip and how long
            saved peers are tried.
        heap_mib: largest heap.
        identity: what it shows to clients, who need TLS, a login and rights then; None: nobody
            does.
        system_properties: more ``-D`` settings, by name.

    """

    name: str
    address: IPv4Address
    disk: Path
    work: Path
    seeds: SeedProvider
    cluster: str = "local ring"
    dc: str = "dc1"
    rack: str = "rack1"
    tokens: int = 16
    ring_delay_ms: int = 3000
    heap_mib: int = 192
    identity: Identity | None = None
    system_properties: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def data_directory(self) -> Path:
        """The parent of ``system/`` (``data_file_directories`` in cassandra.yaml)."""
        return self.disk / "data"

    @property
    def cut(self) -> Path:
        """What says whom it does not reach (`localring.cutting`)."""
        return self.work / "cut"

    @property
    def log(self) -> Path:
        """Cassandra's own log."""
        return self.work / "system.log"


def cassandra_yaml(settings: NodeSettings) -> str:
    """Render cassandra.yaml; JSON is YAML too, and cannot be broken by a strange path."""
    address, disk = str(settings.address), settings.disk
    provider = settings.seeds
    parameters = [dict(provider.parameters)] if provider.parameters else []
    content = {
        "cluster_name": settings.cluster,
        "num_tokens": settings.tokens,
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "endpoint_snitch": "GossipingPropertyFileSnitch",
        "seed_provider": [{"class_name": provider.class_name, "parameters": parameters}],
        "listen_address": address,
        "rpc_address": address,
        "storage_port": STORAGE_PORT,
        "native_transport_port": CQL_PORT,
        "data_file_directories": [str(settings.data_directory)],
        "commitlog_directory": str(disk / "commitlog"),
        "saved_caches_directory": str(disk / "saved_caches"),
        "hints_directory": str(disk / "hints"),
        "cdc_raw_directory": str(disk / "cdc_raw"),
        "commitlog_sync": "periodic",
        "commitlog_sync_period": "1s",  # what a killed node may lose
        # From here on: small.  Three nodes share a laptop.
        "commitlog_segment_size": "8MiB",
        "commitlog_total_space": "64MiB",
        "commitlog_disk_access_mode": "legacy",
        "disk_access_mode": "standard",
        "memtable_heap_space": "32MiB",
        "memtable_offheap_space": "32MiB",
        "key_cache_size": "4MiB",
        "file_cache_size": "32MiB",
        "networking_cache_size": "16MiB",
        "concurrent_reads": 4,
        "concurrent_writes": 4,
        "concurrent_counter_writes": 2,
        "concurrent_compactors": 1,
        **(_secured(settings.identity) if settings.identity else {}),
    }
    return json.dumps(content, indent=2) + "\n"


def _secured(identity: Identity) -> dict[str, Any]:
    return {
        "authenticator": "PasswordAuthenticator",
        "authorizer": "CassandraAuthorizer",
        "client_encryption_options": {
            "enabled": True,
            "optional": False,
            "keystore": str(identity.keystore),
            "keystore_password": PASSWORD,
            "store_type": "PKCS12",
        },
    }


def logback_xml(log: Path | None) -> str:
    """Render logback's configuration: INFO into ``log``, or warnings to standard error."""
    where = "<target>System.err</target>" if log is None else f"<file>{log}</file>"
    kind = "ConsoleAppender" if log is None else "FileAppender"
    level = "WARN" if log is None else "INFO"
    pattern = "%-5level [%thread] %date{ISO8601} %F:%L - %msg%n"
    return (
        f'<configuration><appender name="A" class="ch.qos.logback.core.{kind}">{where}'
        f"<encoder><pattern>{pattern}</pattern></encoder></appender>"
        f'<root level="{level}"><appender-ref ref="A"/></root></configuration>\n'
    )


def rack_properties(settings: NodeSettings) -> str:
    """Render cassandra-rackdc.properties for GossipingPropertyFileSnitch."""
    return f"dc={settings.dc}\nrack={settings.rack}\n"


def daemon_flags(settings: NodeSettings, jars: Jars, agent: Path) -> list[str]:
    """Return the JVM's arguments, from the first flag to the main class."""
    work = settings.work
    properties = {
        "cassandra-foreground": "yes",
        "cassandra.available_processors": "2",
        "cassandra.config": (work / "cassandra.yaml").as_uri(),
        "cassandra-rackdc.properties": (work / "cassandra-rackdc.properties").as_uri(),
        "cassandra.logdir": str(work),
        "cassandra.storagedir": str(settings.disk),
        "cassandra.triggers_dir": str(work / "triggers"),
        "logback.configurationFile": (work / "logback.xml").as_uri(),
        "java.io.tmpdir": str(work / "tmp"),
        "jdk.attach.allowAttachSelf": "true",
        "io.netty.tryReflectionSetAccessible": "true",
        "io.netty.allocator.useCacheForAllThreads": "true",
        "io.netty.allocator.maxOrder": "11",
        # Fast start.  What the ring's safety rests on keeps its default, such as
        # cassandra.consistent.rangemovement.
        "cassandra.ring_delay_ms": str(settings.ring_delay_ms),
        "cassandra.skip_wait_for_gossip_to_settle": "0",
        "cassandra.superuser_setup_delay_ms": "500",  # at 0 it is tried without a pause
        "cassandra.shutdown_announce_in_ms": "500",  # sent at once; 2 s are for wider networks
        "cassandra.skip_sync": "true",
        "cassandra.broadcast_interval_ms": "4000",  # also how long a replacement waits
        "cassandra.memtable.row_overhead_size": "180",  # spares measuring it at each start
        **_jmx(settings.address),
        **settings.system_properties,
    }
    extra = () if settings.seeds.jar is None else (settings.seeds.jar,)
    return [
        *MODULES,
        *LEAN,
        *("-ea", "-da:net.openhft...", "-Xss256k", "-Xms64M", f"-Xmx{settings.heap_mib}M"),
        *("-XX:MaxDirectMemorySize=128M", "-XX:+PerfDisableSharedMem"),
        *("-XX:+ExitOnOutOfMemoryError", f"-javaagent:{jars.agent}"),
        f"-javaagent:{agent}={settings.cut}",
        *(f"-D{name}={value}" for name, value in properties.items()),
        *("-cp", jars.class_path(*extra), DAEMON),
    ]


def _jmx(address: IPv4Address) -> dict[str, str]:
    """Put JMX on the node's own address, for nodetool.

    Cassandra's own local JMX always takes 127.0.0.1, where every node would need another port;
    the JVM's agent takes any address, and Cassandra leaves it alone where it runs.
    """
    prefix = "com.sun.management.jmxremote"
    return {
        f"{prefix}.host": str(address),
        f"{prefix}.port": str(JMX_PORT),
        f"{prefix}.rmi.port": str(JMX_PORT),
        f"{prefix}.authenticate": "false",
        f"{prefix}.ssl": "false",
        f"{prefix}.local.only": "false",
        "java.rmi.server.hostname": str(address),
    }
