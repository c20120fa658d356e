"""EndpointSlices and Pods → endpoints: which pods there are, at which addresses.  Pure.

On a Service with ``publishNotReadyAddresses`` the condition ``ready`` is always true, so it is
never read; ``serving`` and ``terminating`` are (`endpointslice/utils.go`, ``podToEndpoint``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

import msgspec

from seedprovider.model import Address, Endpoint, PodName, PodUid, pod_order


class _TargetRef(msgspec.Struct, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""


class _Conditions(msgspec.Struct, frozen=True):
    serving: bool | None = None
    terminating: bool | None = None


class _SliceEndpoint(msgspec.Struct, frozen=True, rename="camel"):
    addresses: tuple[str, ...] = ()
    conditions: _Conditions = _Conditions()
    target_ref: _TargetRef | None = None
    zone: str | None = None


class _Slice(msgspec.Struct, frozen=True, rename="camel"):
    address_type: str
    endpoints: tuple[_SliceEndpoint, ...] | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """What we keep of a ``discovery.k8s.io/v1`` EndpointSlice.

    Attributes:
        family: 4 or 6 by ``addressType``; 0 for FQDN, which names no addresses.
        endpoints: those with a pod behind them; hand-made ones have no name to be known by.

    """

    family: int
    endpoints: tuple[Endpoint, ...]


_slice = msgspec.json.Decoder(_Slice)
_FAMILIES = {"IPv4": 4, "IPv6": 6}


def decode_slice(raw: bytes) -> Slice:
    """Decode a slice once, when it changes, and not each time it is looked at."""
    each = _slice.decode(raw)
    found = (_endpoint(endpoint) for endpoint in each.endpoints or ())
    return Slice(
        _FAMILIES.get(each.address_type, 0),
        tuple(endpoint for endpoint in found if endpoint is not None),
    )


def canonical(text: str) -> Address | None:
    """Return an IP literal in canonical form, or None for anything else, such as a name.

    An IPv6 zone is refused: it means nothing elsewhere, and `ipaddress` takes any text as one.
    """
    try:
        return None if "%" in text else Address(str(ip_address(text)))
    except ValueError:
        return None


def family(address: str) -> int:
    """Return 4 or 6."""
    return ip_address(address).version


def endpoints_of(slices: Iterable[Slice], wanted_family: int) -> tuple[Endpoint, ...]:
    """Merge slices into one endpoint a pod, in pod order.

    A pod can be in two slices while the controller moves it, and a name can be there with an
    old UID and a new one: the one that does not terminate counts, then the greater UID, so that
    the result does not depend on the order of the slices.
    """
    found: dict[PodName, Endpoint] = {}
    for each in slices:
        if each.family != wanted_family:
            continue
        for endpoint in each.endpoints:
            present = found.get(endpoint.pod)
            if present is None or _rank(endpoint) > _rank(present):
                found[endpoint.pod] = endpoint
    return tuple(sorted(found.values(), key=lambda endpoint: pod_order(endpoint.pod)))


def _rank(endpoint: Endpoint) -> tuple[bool, bool, str, str]:
    return (
        not endpoint.terminating,
        endpoint.serving,
        endpoint.uid,
        endpoint.address,
    )


def _endpoint(raw: _SliceEndpoint) -> Endpoint | None:
    ref = raw.target_ref
    if ref is None or ref.kind != "Pod" or not ref.name or not raw.addresses:
        return None
    address = canonical(raw.addresses[0])
    if address is None:
        return None
    terminating = raw.conditions.terminating is True
    # Unset means unknown, which the API says to read as true unless the pod terminates.
    serving = not terminating if raw.conditions.serving is None else raw.conditions.serving
    return Endpoint(PodName(ref.name), PodUid(ref.uid), address, serving, terminating, raw.zone)


class _PodIp(msgspec.Struct, frozen=True):
    ip: str = ""


class _PodStatus(msgspec.Struct, frozen=True, rename="camel"):
    phase: str = ""
    pod_ip: str = msgspec.field(name="podIP", default="")
    pod_ips: tuple[_PodIp, ...] = msgspec.field(name="podIPs", default=())


class _PodMeta(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    uid: str
    deletion_timestamp: str | None = None


class Pod(msgspec.Struct, frozen=True):
    """What we read of a ``v1`` Pod."""

    metadata: _PodMeta
    status: _PodStatus = _PodStatus()


def endpoints_of_pods(pods: Iterable[Pod], wanted_family: int) -> tuple[Endpoint, ...]:
    """Return the pods that have an address, as the endpoints that slices will name in time."""
    found = []
    for pod in pods:
        if pod.status.phase in {"Succeeded", "Failed"}:
            continue
        literals = [pod.status.pod_ip, *(each.ip for each in pod.status.pod_ips)]
        for literal in literals:
            address = canonical(literal)
            if address is not None and family(address) == wanted_family:
                terminating = pod.metadata.deletion_timestamp is not None
                found.append(
                    Endpoint(
                        PodName(pod.metadata.name),
                        PodUid(pod.metadata.uid),
                        address,
                        serving=not terminating,
                        terminating=terminating,
                    )
                )
                break
    return tuple(sorted(found, key=lambda endpoint: pod_order(endpoint.pod)))
