"""What cassandra-driver holds in a manager's memory with a thousand nodes; a child measures it.

Three sessions know every node as a `Host`; tokens and schema the manager's sessions leave out.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from bench.figures import Figure

SESSIONS: Final = 3
NODES: Final = 1000
MIB: Final = 2**20


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def measure() -> None:
    """Print the bytes of its modules, and of what sessions know."""
    import ring.observe.contacts  # noqa: PLC0415 -- what else there is, is not the driver's
    import ring.observe.repairing  # noqa: PLC0415

    before = _resident()
    import ring.observe.cassandra  # noqa: F401, PLC0415 -- what is measured

    imported = _resident()
    from cassandra.metadata import Metadata  # noqa: PLC0415
    from cassandra.policies import SimpleConvictionPolicy  # noqa: PLC0415
    from cassandra.pool import Host  # noqa: PLC0415

    kept = [Metadata() for _ in range(SESSIONS)]
    for each in kept:
        for number in range(NODES):
            address = f"10.{number >> 8}.{number & 255}.1"
            host = Host(address, SimpleConvictionPolicy)
            host.set_location_info("dc1", "rack1")
            host.broadcast_rpc_address = host.broadcast_address = address
            host.release_version = "5.0.9"
            each.add_or_return_host(host)
    known = _resident()
    print(json.dumps([imported - before, known - imported, len(kept)]))


async def share() -> list[Figure]:
    """Measure it in a process of its own."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.driver_share", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate()
    imported, known, _ = json.loads(out)
    return [
        Figure(name="- of it modules of cassandra-driver", value=imported / MIB, unit="MiB"),
        Figure(
            name="beside it: what three sessions of the driver know of a thousand nodes",
            value=known / MIB,
            unit="MiB",
        ),
    ]


if __name__ == "__main__":
    measure()
