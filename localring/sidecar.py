"""One pod's sidecar: the environment it is started in, and its answers over HTTP."""

import os
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address
from pathlib import Path

import aiohttp

from localring.objects import CLAIM, NAME, NAMESPACE
from localring.report import Report, decode

LOOPBACK_PORT = 8078
POD_PORT = 8079
# Seconds; as the kubelet's probes.  A sidecar answers from memory.
TIMEOUT = aiohttp.ClientTimeout(total=1.0)


@dataclass(frozen=True, slots=True)
class Mounts:
    """The files a sidecar is given.

    Attributes:
        code: folder with the package that the sidecar is started from.
        data: Cassandra's data directory, which it only reads.
        state: its own, which outlives a container but not the pod (an emptyDir).
        token: bearer token for the API server.
        journal: file that its decisions are written to.

    """

    code: Path
    data: Path
    state: Path
    token: Path
    journal: Path


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What the downward API tells a container of its pod.

    Attributes:
        name: metadata.name.
        uid: metadata.uid.
        address: status.podIP.

    """

    name: str
    uid: str
    address: IPv4Address


def environment(
    pod: PodFacts, mounts: Mounts, kube_url: str, founding_grace: float
) -> dict[str, str]:
    """Return the sidecar's whole environment; the settings are those of `seedprovider`.

    All pods share one loopback here, so what a pod has on 127.0.0.1 sits on its own address.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **inherited,
        "PYTHONPATH": str(mounts.code),
        "POD_NAME": pod.name,
        "POD_UID": pod.uid,
        "POD_IP": str(pod.address),
        "POD_NAMESPACE": NAMESPACE,
        "SEEDPROVIDER_KUBE_URL": kube_url,
        "SEEDPROVIDER_KUBE_TOKEN_FILE": str(mounts.token),
        "SEEDPROVIDER_SERVICE": NAME,
        "SEEDPROVIDER_CLAIM": CLAIM,
        "SEEDPROVIDER_DATA_DIR": str(mounts.data),
        "SEEDPROVIDER_STATE_DIR": str(mounts.state),
        "SEEDPROVIDER_JOURNAL": str(mounts.journal),
        "SEEDPROVIDER_LOOPBACK_LISTEN": f"{pod.address}:{LOOPBACK_PORT}",
        "SEEDPROVIDER_POD_PORT": str(POD_PORT),
        "SEEDPROVIDER_FOUNDING_GRACE": f"{founding_grace:g}",
    }


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a pod is told, from ``GET /v1/seeds?pod=``.

    Attributes:
        outcome: ``seeds``, ``withheld`` or ``refused``.
        rule: the row of the table in docs/architecture.md that decided.
        reason: in one line.
        seeds: IP literals.
        replace: address of the lost node that it is to replace, if any.

    """

    outcome: str
    rule: str
    reason: str
    seeds: frozenset[str]
    replace: str | None


class SidecarClient:
    """Asks one sidecar on its pod port; silence is an answer too, and never an exception."""

    def __init__(self, session: aiohttp.ClientSession, address: IPv4Address) -> None:
        self._session = session
        self.url = f"http://{address}:{POD_PORT}"

    async def passes(self, probe: str) -> bool:
        """Tell whether a probe, such as ``/readyz``, is answered with 200."""
        try:
            async with self._session.get(self.url + probe, timeout=TIMEOUT) as response:
                return response.status == HTTPStatus.OK
        except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
            return False

    async def explain(self, pod: str) -> Explanation | None:
        """Return what a pod is told and why, or None if nothing comes or nothing is known."""
        try:
            async with self._session.get(
                f"{self.url}/v1/seeds", params={"pod": pod}, timeout=TIMEOUT
            ) as response:  # whatever its status: a refusal is explained too
                body = await response.json()
                return Explanation(
                    body["outcome"],
                    body["rule"],
                    body["reason"],
                    frozenset(body["seeds"]),
                    body["replace"],
                )
        except (aiohttp.ClientError, OSError, KeyError):
            return None

    async def node(self) -> Report | None:
        """Return what ``GET /v1/node`` says, or None if nothing comes."""
        try:
            async with self._session.get(f"{self.url}/v1/node", timeout=TIMEOUT) as response:
                response.raise_for_status()
                return decode(await response.json())
        except (aiohttp.ClientError, OSError):
            return None
