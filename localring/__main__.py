"""The command line: ``python -m localring``."""

import argparse
import asyncio
import sys
from pathlib import Path

from localring.demo import demo
from localring.ending import Ending
from localring.errors import StageError
from localring.options import Options
from localring.picture import recording_console, save
from localring.prepare import prepare
from localring.screen import Screen

FEWEST_NODES = 2  # or there is nobody to follow the one that moves
MOST_NODES = 9  # 300 MiB each

DESCRIPTION = """\
A real Cassandra ring on this machine's loopback, on an emulated Kubernetes API.

Each pod is two ordinary processes, Cassandra and our sidecar, on an address of its own in
127.64.0.0/10.  Nothing needs root, a container or a cluster; Java 17 and Maven have to be
there.  Cassandra's jars (67 MB) are fetched once, into $XDG_CACHE_HOME or ~/.cache.
"""
DEMO = """\
Starts pods at the same moment on empty disks and shows how they become one ring; then stops one
and brings it back on another address, and shows the seeds of all others following, without a
restart.  Every claim is checked and marked with ✓ or ✗.  Three nodes take about a minute, 1 GiB
of memory, and a few MB under $TMPDIR, all given back at the end, however it ends.
"""
EXIT = """\
exit code: 0 all checks hold, 1 one does not or the demo could not be played, 2 wrong usage,
128 + n ended by signal n; Ctrl-C once the ring stays up is its usual end and no signal here
"""


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    raw = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser("python -m localring", None, DESCRIPTION, formatter_class=raw)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shown = commands.add_parser(
        "demo",
        help="watch a ring being born, and a member move",
        description=DEMO,
        epilog=EXIT,
        formatter_class=raw,
    )
    shown.add_argument(
        "--once", action="store_true", help="end by itself instead of staying up"
    )
    shown.add_argument(
        "--nodes",
        type=_nodes,
        default=3,
        metavar="N",
        help=f"{FEWEST_NODES} to {MOST_NODES}; 3 by default",
    )
    leaving = shown.add_mutually_exclusive_group()  # a picture has no path of a machine in it
    leaving.add_argument(
        "--keep", action="store_true", help="leave logs and disks behind, and say where"
    )
    leaving.add_argument(
        "--picture",
        type=_picture,
        metavar="FILE",
        help="write what was shown as an SVG, if all checks hold; implies --once",
    )
    commands.add_parser("prepare", help="only fetch and make what a ring needs, once")
    return top


def main() -> int:
    """Run the command; return the exit code."""
    arguments = parser().parse_args()
    try:
        return asyncio.run(_run(arguments))
    except (StageError, OSError) as error:
        sys.stderr.write(f"localring: {error}\n")
        return 1


async def _run(arguments: argparse.Namespace) -> int:
    ending = Ending()
    command = _prepare() if arguments.command == "prepare" else _demo(arguments, ending)
    return await ending.run(command)


async def _prepare() -> int:
    screen = Screen()
    kit = await prepare(screen.tell)
    screen.tell(f"Cassandra {kit.jars.version} is ready, on Java {kit.java.release}")
    return 0


async def _demo(arguments: argparse.Namespace, ending: Ending) -> int:
    options, picture = Options(keep=arguments.keep), arguments.picture
    console = recording_console() if picture else None
    screen = Screen(console, live=picture is None)
    stay = None if arguments.once or picture else ending.rest
    kept = await demo(screen, options, arguments.nodes, stay)
    if kept and console is not None:
        save(console, picture)
    return 0 if kept else 1


def _picture(text: str) -> Path:
    file = Path(text)
    if not file.parent.is_dir():  # better told now than after a minute
        raise argparse.ArgumentTypeError(f"there is no folder {str(file.parent)!r}")
    return file


def _nodes(text: str) -> int:
    if text.isascii() and text.isdigit() and FEWEST_NODES <= int(text) <= MOST_NODES:
        return int(text)
    allowed = f"a number from {FEWEST_NODES} to {MOST_NODES}"
    raise argparse.ArgumentTypeError(f"{text!r} is not {allowed}")


if __name__ == "__main__":
    sys.exit(main())
