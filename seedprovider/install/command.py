"""``seedprovider install``: reads everything, decides, and only then writes.

Exit codes are those of the program: 0 done, 1 not now, 2 a wrong setting or file.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from seedprovider import __version__
from seedprovider.disk import read_disk
from seedprovider.install import classpath, files, parameters, rackdc, yamledit, yamltext
from seedprovider.install.cluster import Cluster, Waiting
from seedprovider.install.errors import InputError, InstallError
from seedprovider.kube.credentials import Credentials
from seedprovider.kube.transport import Transport
from seedprovider.model import PodName
from seedprovider.racks import Ask, Fact, Rack, Refused, Situation, choose_rack
from seedprovider.settings import InstallSettings

YAML: Final = "cassandra.yaml"
SNITCH: Final = "GossipingPropertyFileSnitch"
"""The one snitch that takes its rack from ``cassandra-rackdc.properties``."""
HOW_TO_SNITCH: Final = (
    f"endpoint_snitch to {SNITCH} in {YAML}, or CASSANDRA_ENDPOINT_SNITCH on this container as "
    "on Cassandra's"
)
EXIT_NOT_NOW: Final = 1
EXIT_WRONG: Final = 2
REQUEST_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written.

    Attributes:
        replaced: name in the settings' directory, new content; in this order.
        snitch: short name of the snitch in force.
        rackdc: text of the rack's file, None where the snitch does not read it.
        told: one line for each thing done.

    """

    replaced: tuple[tuple[str, bytes], ...]
    snitch: str
    rackdc: str | None
    told: tuple[str, ...]


async def install(
    settings: InstallSettings,
    credentials: Credentials,
    conf: Path,
    waiting: Waiting | None = None,
) -> int:
    """Fit the settings in `conf` to the sidecar; return the exit code, never raise."""
    try:
        await _install(settings, credentials, conf, waiting or Waiting(settings.patience))
    except InputError as error:
        log.error("%s", error)  # noqa: TRY400 -- what is wrong, not where we found it
        return EXIT_WRONG
    except InstallError as error:
        log.error("%s", error)  # noqa: TRY400
        return EXIT_NOT_NOW
    return 0


async def _install(
    settings: InstallSettings, credentials: Credentials, conf: Path, waiting: Waiting
) -> None:
    plan = _plan(settings, conf)
    rack = await _rack(settings, credentials, plan, waiting)
    replaced = list(plan.replaced)
    if rack is not None and plan.rackdc is not None:
        # The disk first: a rack that is in force and not recorded might be chosen anew.
        if rack.record:
            files.write_rack(settings.data_dir, rack.name)
        # Of an adopted disk what is configured stays as it is, and open to the entrypoint.
        is_kept = rack.record or files.read_rack(settings.data_dir) is not None
        if is_kept or rackdc.rack_of(plan.rackdc) != rack.name:
            text = rackdc.with_rack(plan.rackdc, rack.name)
            replaced.append((rackdc.FILE, text.encode(rackdc.ENCODING)))
    changed = [name for name, content in replaced if files.put(conf, name, content)]
    for line in plan.told:
        log.info("%s", line)
    if rack is not None:
        recording = "; recorded on the disk" if rack.record else ""
        log.info("rack: %s (%s%s)", rack.name, rack.why, recording)
    log.info("changed in %s: %s", conf, ", ".join(changed) or "nothing")


def _plan(settings: InstallSettings, conf: Path) -> Plan:
    script = files.read_setting(conf, classpath.FILE)
    document = yamltext.parse(_text(files.read_setting(conf, YAML)))
    jar = files.read_jar(settings.jar)
    url = parameters.sidecar_url(settings.loopback_listen)
    wanted = parameters.wanted(yamltext.provider_of(document), settings.seeds, url)
    for remark in wanted.remarks:
        log.warning("seed_provider: %s", remark)
    snitch = settings.snitch or yamltext.setting_of(document, "endpoint_snitch")
    reads_rack = snitch.rpartition(".")[2] == SNITCH
    replaced = (
        (classpath.JAR, jar),
        (classpath.FILE, classpath.with_class_path(script)),
        (YAML, yamledit.with_provider(document, wanted.provider).encode()),
    )
    return Plan(
        replaced,
        snitch.rpartition(".")[2],
        files.read_setting(conf, rackdc.FILE).decode(rackdc.ENCODING) if reads_rack else None,
        (
            f"class path: {classpath.JAR} of {__version__}",
            f"seed_provider: {url}, adoption seeds {', '.join(wanted.seeds) or 'none'}",
        ),
    )


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{YAML} is not UTF-8 at byte {error.start}") from None


async def _rack(
    settings: InstallSettings, credentials: Credentials, plan: Plan, waiting: Waiting
) -> Rack | None:
    """Return the rack to write, None where the snitch takes none from its file."""
    recorded = files.read_rack(settings.data_dir)
    if plan.rackdc is None:
        _leave_rack(settings, plan.snitch, recorded)
        return None
    situation = Situation(
        pod=PodName(settings.pod),
        node=settings.node,
        disk=read_disk(settings.data_dir),
        recorded=recorded,
        fixed=settings.rack,
        configured=settings.configured_rack or rackdc.rack_of(plan.rackdc),
        override=settings.configured_rack,
        two_racks=settings.two_racks,
    )
    async with Transport(
        credentials,
        user_agent=f"seedprovider-install/{__version__}",
        request_seconds=REQUEST_SECONDS,
    ) as transport:
        rack = await _chosen(situation, Cluster(transport, settings, waiting))
    for warning in rack.warnings:
        log.warning("rack: %s", warning)
    return rack


def _leave_rack(settings: InstallSettings, snitch: str, recorded: str | None) -> None:
    shown = snitch or "no endpoint_snitch"
    if settings.rack:
        raise InputError(
            f"SEEDPROVIDER_RACK={settings.rack} has no effect with {shown}: set {HOW_TO_SNITCH}"
        )
    kept = f", and this disk began in rack {recorded}" if recorded else ""
    log.warning(
        "rack: left alone, since %s does not read %s%s; to have zones as racks set %s",
        shown,
        rackdc.FILE,
        kept,
        HOW_TO_SNITCH,
    )


async def _chosen(situation: Situation, cluster: Cluster) -> Rack:
    """Choose, reading what the choice asks for: each fact once."""
    while True:
        match choose_rack(situation):
            case Rack() as rack:
                return rack
            case Refused(why):
                raise InstallError(f"rack: {why}")
            case Ask(fact, needed):
                situation = await _with(situation, fact, cluster, needed=needed)


async def _with(
    situation: Situation, fact: Fact, cluster: Cluster, *, needed: bool
) -> Situation:
    match fact:
        case Fact.NODES:
            return replace(situation, nodes=await cluster.nodes())
        case Fact.LEDGER:
            ledger = await cluster.ledger(needed=needed)
            if ledger is not None:
                return replace(situation, ledger=ledger)
        case Fact.OWN_NODE:
            own = await cluster.own_node()
            if own is not None:
                return replace(situation, own=own)
    return replace(situation, in_vain=situation.in_vain | {fact})
