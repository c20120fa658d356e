"""A Service and its EndpointSlices, from JSON: which pods, at which addresses."""

import msgspec

from ring.objects import Endpoint


class _Conditions(msgspec.Struct):
    serving: bool | None = None
    ready: bool | None = None
    terminating: bool | None = None


class _Target(msgspec.Struct):
    kind: str = ""
    name: str = ""
    uid: str = ""


class _Endpoint(msgspec.Struct, rename="camel"):
    addresses: list[str] = []
    conditions: _Conditions = msgspec.field(default_factory=_Conditions)
    target_ref: _Target | None = None


class _Slice(msgspec.Struct):
    endpoints: list[_Endpoint] | None = None


_slice = msgspec.json.Decoder(_Slice)


def endpoints(raw: bytes) -> tuple[Endpoint, ...]:
    """Decode an EndpointSlice (discovery.k8s.io/v1): its pods that have an address."""
    found = []
    for each in _slice.decode(raw).endpoints or ():
        target, said = each.target_ref, each.conditions
        if target is not None and target.kind == "Pod" and each.addresses:
            serving = said.serving if said.serving is not None else said.ready
            found.append(
                Endpoint(
                    pod=target.name,
                    uid=target.uid,
                    address=each.addresses[0],
                    serving=serving is not False,
                    terminating=said.terminating is True,
                )
            )
    return tuple(found)


class _ServiceSpec(msgspec.Struct):
    selector: dict[str, str] | None = None


class _Service(msgspec.Struct):
    spec: _ServiceSpec


_service = msgspec.json.Decoder(_Service)


def selector(raw: bytes) -> str:
    """Return a Service's selector as a label selector; empty where it has none."""
    pairs = (_service.decode(raw).spec.selector or {}).items()
    return ",".join(f"{name}={value}" for name, value in pairs)
