"""What ``seed_provider`` has to say, given what it said before.  Pure.

Limits are those of the shim (its ``Settings.java``): what it would refuse at the start of
Cassandra is refused here, where nothing has been changed yet.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from seedprovider.install.errors import InputError
from seedprovider.parsers import Listen
from seedprovider.question import MAX_CONFIGURED
from seedprovider.view import canonical

CLASS: Final = "io.k8s.cassandra.KubernetesSeedProvider"
MAX_SILENCE_SECONDS: Final = 86_400
SHOWN: Final = 80
"""Characters of a wrong value in a message."""

_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_PORT: Final = re.compile(r":[0-9]{1,5}$")


@dataclass(frozen=True, slots=True)
class Provider:
    """A ``seed_provider``: its class and the one map of its parameters."""

    class_name: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written.

    Attributes:
        provider: the first parameter is not ``seeds``, which the stock entrypoint looks for.
        seeds: the adoption seeds in it.
        remarks: one sentence for each parameter that is left out.

    """

    provider: Provider
    seeds: tuple[str, ...]
    remarks: tuple[str, ...]


def sidecar_url(listen: Listen) -> str:
    """Return how Cassandra reaches the sidecar; the shim takes loopback addresses alone."""
    host = ip_address(listen.host)
    if host.is_unspecified:
        host = ip_address("127.0.0.1" if host.version == 4 else "::1")  # noqa: PLR2004 -- IPv4
    if not host.is_loopback or not listen.port:
        raise InputError(
            f"SEEDPROVIDER_LOOPBACK_LISTEN={listen}: has to be a loopback address with a port "
            "other than 0, since Cassandra is told it beforehand"
        )
    return f"http://{Listen(str(host), listen.port)}"


def wanted(before: Provider | None, given_seeds: str, url: str) -> Wanted:
    """Return the provider to write; raise `InputError` for what the shim would refuse.

    `before` is what cassandra.yaml holds, `given_seeds` is CASSANDRA_SEEDS or empty.
    """
    old = dict(before.parameters) if before else {}
    ours = before is not None and before.class_name == CLASS
    listed = given_seeds or old.get("seeds", "")
    source = "CASSANDRA_SEEDS" if given_seeds else "seeds in cassandra.yaml"
    seeds = adoption_seeds(listed, source)
    parameters = {"sidecar_url": url}
    if ours:
        parameters |= {name: text for name in _KEPT if (text := _checked(name, old))}
    if seeds:
        parameters["seeds"] = ",".join(seeds)
    known = {*parameters, "sidecar_url", "seeds"} | (set(_KEPT) if ours else set())
    remarks = [
        f"parameter {name!r} is dropped: it has no effect" for name in old if name not in known
    ]
    if ours and old.get("sidecar_url", url) != url:
        remarks.append(f"sidecar_url {old['sidecar_url']!r} gives way to {url}")
    return Wanted(Provider(CLASS, parameters), seeds, tuple(remarks))


def adoption_seeds(text: str, source: str) -> tuple[str, ...]:
    """Return the seeds in a comma-separated list that can lead to a ring: not loopback.

    Raises `InputError` for more than 64, or for what is neither a name nor an IP address.
    """
    named = [seed.strip() for seed in text.split(",") if seed.strip()]
    seeds = tuple(seed for seed in named if not _is_loopback(_host(seed, source)))
    if len(seeds) > MAX_CONFIGURED:
        raise InputError(
            f"{source}: {len(seeds)} seeds; at most {MAX_CONFIGURED} are taken, and three that "
            "are up suffice"
        )
    return seeds


def _host(seed: str, source: str) -> str:
    """Return a seed without port and zone, as the shim's ``IpLiteral.ofEndpoint`` reads it."""
    bare = re.sub(r"^\[(.*)\](:[0-9]{1,5})?$", r"\1", seed)
    if bare == seed and seed.count(":") == 1:
        bare = _PORT.sub("", seed)
    literal = canonical(bare.partition("%")[0])
    if literal is None and not _HOST.fullmatch(bare):
        raise InputError(
            f"{source}: {seed[:SHOWN]!r} is neither a name nor an IP address; seeds are "
            "separated by commas"
        )
    return literal or bare


def _is_loopback(host: str) -> bool:
    if canonical(host) is None:
        return host.lower().rstrip(".") == "localhost"
    return ip_address(host).is_loopback


def _checked(name: str, given: Mapping[str, str]) -> str:
    """Return a parameter's text, empty where it is not given; raise `InputError`."""
    text = given.get(name, "").strip()
    pattern, allowed = _KEPT[name]
    if text and not re.fullmatch(pattern, text):
        raise InputError(
            f"seed_provider parameter {name} is {text[:SHOWN]!r}: must be {allowed}"
        )
    if name == "silence_bound" and text and not 1 <= int(text) <= MAX_SILENCE_SECONDS:
        raise InputError(f"seed_provider parameter {name} is {text}: must be {allowed}")
    return text


_KEPT: Final = {
    "data_directory": (r"/.*", "an absolute path, that of the directory that holds system/"),
    "silence_bound": (r"[0-9]{1,6}", f"whole seconds from 1 to {MAX_SILENCE_SECONDS}"),
}
"""Parameters of the shim that an operator may have set, each with what it may be."""
