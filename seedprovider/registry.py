"""Ring record, ledger, join turn and live reads: what the sidecar asks of the API server.

Reads here are quorum reads (no ``resourceVersion``), so that a decision to let a blank disk in
rests on what is, not on what a watch last heard.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from seedprovider import objects
from seedprovider.decision import TakeTurn, WriteEntry, WriteRecord
from seedprovider.kube.client import KubeClient
from seedprovider.kube.collection import HttpCollection, Selection
from seedprovider.kube.errors import AlreadyExists, NotFound
from seedprovider.kube.events import Decoder, Object, discard
from seedprovider.kube.resources import (
    CONFIG_MAPS,
    LEASES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SERVICES,
    Resource,
)
from seedprovider.kube.transport import Transport
from seedprovider.model import (
    Endpoint,
    Entry,
    EntryState,
    Live,
    PodName,
    PodUid,
    PvcUid,
    Record,
    Turn,
    pod_order,
)
from seedprovider.node import BadInputError
from seedprovider.view import Pod, endpoints_of_pods

T = TypeVar("T")

NO_ORDINAL: Final = pod_order("")[0]


class UnreadableError(Exception):
    """An object of ours holds what it must not: not the same as its not being there."""


class OnItsWayError(Exception):
    """The holder of the join turn still needs it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The ring record and the ledger as one list of ConfigMaps has them."""

    record: Record | None
    ledger: dict[PodName, Entry]


@dataclass(frozen=True, slots=True)
class LiveRead:
    """Everything that a decision about a blank disk is taken from, read just now."""

    live: Live
    kept: Kept
    endpoints: tuple[Endpoint, ...]


class _ServiceSpec(msgspec.Struct, frozen=True):
    selector: dict[str, str] | None = None


class _Annotations(msgspec.Struct, frozen=True):
    annotations: dict[str, str] | None = None


class _Service(msgspec.Struct, frozen=True):
    metadata: _Annotations
    spec: _ServiceSpec = _ServiceSpec()


class _ClaimMeta(msgspec.Struct, frozen=True):
    name: str
    uid: str
    labels: dict[str, str] | None = None


class _ClaimStatus(msgspec.Struct, frozen=True):
    phase: str = ""


class _Claim(msgspec.Struct, frozen=True):
    metadata: _ClaimMeta
    status: _ClaimStatus = _ClaimStatus()


_service = msgspec.json.Decoder(_Service).decode
_claim = msgspec.json.Decoder(_Claim).decode
_pod = msgspec.json.Decoder(Pod).decode
_lease = msgspec.json.Decoder(objects.Lease).decode
decode_config_map = msgspec.json.Decoder(objects.ConfigMap).decode


def kept_of(service: str, maps: Iterable[Object[objects.ConfigMap]]) -> Kept:
    """Sort ConfigMaps into record and ledger.

    Raises `UnreadableError` where the record makes no sense: taken for absent it would be
    founded over.  A ledger entry that makes no sense does the same, as it may hide a member.
    """
    record: Record | None = None
    ledger: dict[PodName, Entry] = {}
    for each in maps:
        try:
            if each.key.name == objects.record_name(service):
                record = objects.parse_record(each.body.data or {}, each.version)
            elif each.key.name.endswith("-member"):
                entry = _entry(each)
                ledger[entry.pod] = entry
        except BadInputError as error:
            raise UnreadableError(
                f"ConfigMap {each.key.name} cannot be read ({error}): restore or delete it"
            ) from None
    return Kept(record, ledger)


def _entry(each: Object[objects.ConfigMap]) -> Entry:
    """Decode a ledger entry; under another pod's name it would hide that pod's own."""
    entry = objects.parse_entry(each.body.data or {}, each.version)
    if each.key.name != objects.entry_name(entry.pod):
        raise BadInputError(f"pod: {entry.pod} has another one")
    return entry


class Registry:
    """One service's objects in one namespace."""

    def __init__(
        self,
        transport: Transport,
        *,
        namespace: str,
        service: str,
        claim: str,
        family: int,
    ) -> None:
        """Name the service; `claim` is "" for pods without volumes, `family` 4 or 6."""
        self._transport = transport
        self._client = KubeClient(transport)
        self._namespace = namespace
        self._service = service
        self._claim = claim
        self._family = family

    def config_maps(self) -> HttpCollection[objects.ConfigMap]:
        """Return the collection of record and ledger, to be watched."""
        labels = objects.selector(self._service)
        selection = Selection(CONFIG_MAPS, self._namespace, labels)
        return HttpCollection(self._transport, selection, decode_config_map)

    async def own_volume(self, pod: PodName, uid: PodUid) -> PvcUid:
        """Return the UID of the pod's volume claim; without claims the pod's own life is it."""
        if not self._claim:
            return _volatile(uid)
        name = f"{self._claim}-{pod}"
        claim = await self._client.get(PERSISTENT_VOLUME_CLAIMS, self._namespace, name, _claim)
        return PvcUid(claim.uid)

    async def read_live(self) -> LiveRead:
        """Read all that admission needs; raises `KubeError` or `UnreadableError`."""
        service = await self._client.get(SERVICES, self._namespace, self._service, _service)
        wanted = service.body.spec.selector
        if not wanted:  # no selector would list every pod of the namespace
            raise UnreadableError(f"Service {self._service} has no selector")
        labels = ",".join(f"{key}={value}" for key, value in sorted(wanted.items()))
        pods, claims, maps, turn = await asyncio.gather(
            self._list(PODS, _pod, labels),
            self._list(PERSISTENT_VOLUME_CLAIMS, _claim, ""),
            self.config_maps().list(),
            self._turn(),
        )
        running = [each.body for each in pods if not _is_over(each.body)]
        uids = {PodName(pod.metadata.name): PodUid(pod.metadata.uid) for pod in running}
        annotations = service.body.metadata.annotations or {}
        approved = annotations.get(objects.APPROVE_FOUNDING)
        return LiveRead(
            Live(
                pods=uids,
                volumes=self._volumes(uids, [each.body for each in claims], wanted),
                turn=turn,
                approved_founder=PodName(approved) if approved else None,
                paused=objects.parse_pause(annotations),
            ),
            kept_of(self._service, maps.objects),
            endpoints_of_pods(running, self._family),
        )

    async def _list(
        self, resource: Resource, decode: Decoder[T], labels: str
    ) -> tuple[Object[T], ...]:
        selection = Selection(resource, self._namespace, labels)
        collection = HttpCollection(self._transport, selection, decode)
        return (await collection.list()).objects

    async def _turn(self) -> Turn:
        name = objects.turn_name(self._service)
        try:
            lease = await self._client.get(LEASES, self._namespace, name, _lease)
        except NotFound:
            return Turn()
        return objects.parse_turn(lease.body, lease.version)

    def _volumes(
        self,
        pods: Mapping[PodName, PodUid],
        claims: Iterable[_Claim],
        wanted: Mapping[str, str],
    ) -> dict[PodName, PvcUid | None]:
        """Return the claims of this service's pods, of pods that are scaled away too."""
        if not self._claim:
            return {pod: _volatile(uid) for pod, uid in pods.items()}
        sets = {pod_order(pod)[1] for pod in pods}
        volumes: dict[PodName, PvcUid | None] = {}
        for claim in claims:
            if not claim.metadata.name.startswith(f"{self._claim}-"):
                continue
            pod = PodName(claim.metadata.name.removeprefix(f"{self._claim}-"))
            ordinal, stateful_set = pod_order(pod)
            labels = claim.metadata.labels or {}
            ours = wanted.items() <= labels.items()
            if ordinal != NO_ORDINAL and (ours or stateful_set in sets):
                bound = claim.status.phase != "Pending"
                volumes[pod] = PvcUid(claim.metadata.uid) if bound else None
        return volumes

    async def take(self, step: WriteRecord | WriteEntry | TakeTurn, at: str) -> str:
        """Carry out one step of a decision; `at` is now, RFC 3339 with microseconds.

        Returns the resourceVersion that it was written as.

        Raises `AlreadyExists` or `Conflict` where somebody else was faster, `UnreadableError`
        where the name is taken by an object that is not found by its labels, and the rest of
        `KubeError`; the caller reads everything anew in any case.
        """
        match step:
            case WriteRecord(record):
                body = objects.record_body(record, self._namespace, self._service)
                return await self._put(CONFIG_MAPS, body, record.version)
            case WriteEntry(entry):
                body = objects.entry_body(entry, self._namespace, self._service)
                return await self._put(CONFIG_MAPS, body, entry.version)
            case TakeTurn(holder, was):
                body = objects.turn_body(holder, was, self._namespace, self._service, at)
                return await self._put(LEASES, body, was.version)

    async def renew_turn(self, holder: tuple[PodName, PodUid], at: str) -> str | None:
        """Say that the holder of the turn is still on its way; raises `KubeError`.

        Returns the resourceVersion it was written as, None where somebody else has the turn.

        For people and their tools: a Lease that is out of date frees nothing.
        """
        turn = await self._turn()
        if turn.holder == holder:
            patch = {"metadata": {"resourceVersion": turn.version}, "spec": {"renewTime": at}}
            name = objects.turn_name(self._service)
            done = await self._client.merge_patch(LEASES, self._namespace, name, patch, discard)
            return done.version
        return None

    async def release_turn(self, holder: tuple[PodName, PodUid], at: str) -> str | None:
        """Free the join turn if `holder` has it, and is a member by the ledger as it is now.

        Returns the resourceVersion it was written as, None where somebody else has the turn.

        Raises `OnItsWayError` where the ledger does not say so (yet), `UnreadableError` where
        it cannot be read, and `KubeError`.
        """
        turn = await self._turn()
        if turn.holder != holder:
            return None
        # After the turn: whoever took that had its entry say `joining` before.
        maps = await self.config_maps().list()
        entry = kept_of(self._service, maps.objects).ledger.get(holder[0])
        is_member = entry is not None and entry.state is EntryState.MEMBER
        if entry is None or not is_member or entry.pod_uid != holder[1]:
            raise OnItsWayError(f"{holder[0]} is not a member by the ledger")
        body = objects.turn_body(None, turn, self._namespace, self._service, at)
        return await self._put(LEASES, body, turn.version)

    async def _put(self, resource: Resource, body: dict[str, Any], version: str | None) -> str:
        name = body["metadata"]["name"]
        if version is None:
            try:
                made = await self._client.create(resource, self._namespace, body, discard)
            except AlreadyExists:
                if resource is CONFIG_MAPS:
                    await self._must_be_listed(name)
                raise
        else:
            made = await self._client.replace(resource, self._namespace, name, body, discard)
        return made.version

    async def _must_be_listed(self, name: str) -> None:
        """Raise `UnreadableError` for a ConfigMap that is there and that our list leaves out.

        By a list, as the service account may not get ConfigMaps by name.
        """
        listed = {each.key.name for each in (await self.config_maps().list()).objects}
        if name not in listed:
            raise UnreadableError(
                f"ConfigMap {name} exists without the labels "
                f"{objects.selector(self._service)}: label or delete it"
            )


def _is_over(pod: Pod) -> bool:
    return pod.status.phase in {"Succeeded", "Failed"}


def _volatile(uid: PodUid) -> PvcUid:
    """Name the disk of a pod without a claim: it lives and dies with the pod."""
    return PvcUid(f"pod-{uid}")
