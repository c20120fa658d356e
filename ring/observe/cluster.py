"""What Kubernetes says of one Service: its pods, disks, machines, ring record and ledger."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from ring.objects import Claim, Entry, Record, StatefulSet, Turn, ordinal
from ring.observe import decoding, decoding_ledger, decoding_service
from ring.observe.bodies import decoded
from ring.observe.decoding_ledger import ENTRY, record_name
from ring.observe.errors import KubeError
from ring.observe.watching import Collection, Server, Watch
from ring.observed import Observation
from ring.reading import Reading

T = TypeVar("T")

OWN_LABEL: Final = "cassandra-k8s-ring.io/service"
MANAGED: Final = "app.kubernetes.io/managed-by=cassandra-k8s-ring"


class Cluster:
    """Watches the collections that a Service's ring has to do with; `run` it as a task."""

    def __init__(
        self,
        server: Server,
        namespace: str,
        service: str,
        claim: str,
        on_change: Callable[[], None],
    ) -> None:
        self._server, self._namespace, self._service = server, namespace, service
        self._claim = claim
        core, apps = "/api/v1", "/apis/apps/v1"
        named = f"{service}-join"

        def watch(
            name: str,
            root: str,
            plural: str,
            decode: Callable[[bytes], T | None],
            query: Callable[[], Awaitable[Mapping[str, str]]],
        ) -> Watch[T]:
            inside = f"/namespaces/{namespace}" if plural != "nodes" else ""
            collection = Collection(
                name=name, path=f"{root}{inside}/{plural}", query=query, decode=decode
            )
            return Watch(server, collection, on_change)

        self._pods = watch("pods", core, "pods", decoding.pod, self._selected)
        self._claims = watch(
            "claims", core, "persistentvolumeclaims", decoding.claim(claim), _everything
        )
        self._machines = watch("machines", core, "nodes", decoding.machine, _everything)
        self._sets = watch(
            "statefulSets", apps, "statefulsets", decoding.stateful_set(service), _everything
        )
        self._slices = watch(
            "endpoints",
            "/apis/discovery.k8s.io/v1",
            "endpointslices",
            decoding_service.endpoints,
            _always({"labelSelector": f"kubernetes.io/service-name={service}"}),
        )
        self._maps: Watch[Record | Entry] = watch(
            "configMaps",
            core,
            "configmaps",
            decoding_ledger.config_map(service),
            _always({"labelSelector": f"{MANAGED},{OWN_LABEL}={service}"}),
        )
        self._lease = watch(
            "turn",
            "/apis/coordination.k8s.io/v1",
            "leases",
            decoding_ledger.turn,
            _always({"fieldSelector": f"metadata.name={named}"}),
        )

    async def run(self) -> None:
        """Keep all of it until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for each in self.watches.values():
                tasks.create_task(each.run())

    @property
    def watches(self) -> Mapping[str, Watch[Any]]:
        """The watches, by what they are of."""
        return {
            "pods": self._pods,
            "claims": self._claims,
            "machines": self._machines,
            "statefulSets": self._sets,
            "endpoints": self._slices,
            "configMaps": self._maps,
            "turn": self._lease,
        }

    def observed(self) -> Observation:
        """Return what is known now of this side."""
        sets, maps = self._sets.reading(), self._maps.reading()
        slices, lease = self._slices.reading(), self._lease.reading()
        return Observation(
            namespace=self._namespace,
            service=self._service,
            pods=self._pods.reading(),
            claims=_claims(self._claims.reading(), sets, f"{self._claim}-"),
            machines=self._machines.reading(),
            stateful_sets=sets,
            endpoints=_mapped(
                slices, lambda by: tuple(e for each in by.values() for e in each)
            ),
            record=_record(maps, record_name(self._service)),
            ledger=_ledger(maps),
            turn=_mapped(_alone(lease), lambda by: next(iter(by.values()), Turn())),
        )

    async def _selected(self) -> Mapping[str, str]:
        """Return how the Service selects its pods now."""
        path = f"/api/v1/namespaces/{self._namespace}/services/{self._service}"
        selector = decoded(
            f"Service {self._service}",
            decoding_service.selector,
            await self._server.get(path),
        )
        if not selector:
            raise KubeError(f"Service {self._service} selects no pods")
        return {"labelSelector": selector}


async def _everything() -> Mapping[str, str]:
    return {}


def _always(query: Mapping[str, str]) -> Callable[[], Awaitable[Mapping[str, str]]]:
    async def same() -> Mapping[str, str]:
        return query

    return same


V = TypeVar("V")


def _mapped(reading: Reading[T], change: Callable[[T], V]) -> Reading[V]:
    value = None if reading.value is None else change(reading.value)
    return Reading(value, reading.age, reading.failure, reading.broken)


def _alone(reading: Reading[T]) -> Reading[T]:
    """Return what is one object: broken it is unknown, and not missing."""
    if not reading.broken:
        return reading
    return Reading(None, None, reading.failure, reading.broken)


def _claims(
    claims: Reading[Mapping[str, Claim]],
    sets: Reading[Mapping[str, StatefulSet]],
    prefix: str,
) -> Reading[Mapping[str, Claim]]:
    """Return the claims by pod, where it is known which sets there are those of their pods."""
    broken = {
        name.removeprefix(prefix): problem
        for name, problem in claims.broken.items()
        if name.startswith(prefix)
    }
    own = {each.pod: each for each in (claims.value or {}).values()}
    if sets.value is not None and not sets.broken:
        broken = {pod: told for pod, told in broken.items() if _is_of(pod, sets.value)}
        own = {pod: each for pod, each in own.items() if _is_of(pod, sets.value)}
    return Reading(None if claims.value is None else own, claims.age, claims.failure, broken)


def _is_of(pod: str, sets: Mapping[str, object]) -> bool:
    number = ordinal(pod)
    return number is not None and pod.removesuffix(f"-{number}") in sets


def _record(maps: Reading[Mapping[str, Record | Entry]], name: str) -> Reading[Record]:
    if name in maps.broken:
        return Reading(None, None, maps.failure, {name: maps.broken[name]})
    found = (maps.value or {}).get(name)
    record = found if isinstance(found, Record) else None
    return Reading(record, maps.age, maps.failure)


def _ledger(maps: Reading[Mapping[str, Record | Entry]]) -> Reading[Mapping[str, Entry]]:
    """Return the entries by pod."""
    if maps.value is None:
        return Reading(None, maps.age, maps.failure)
    broken = {
        name.removesuffix(ENTRY): problem
        for name, problem in maps.broken.items()
        if name.endswith(ENTRY)
    }
    entries = {each.pod: each for each in maps.value.values() if isinstance(each, Entry)}
    return Reading(entries, maps.age, maps.failure, broken)
