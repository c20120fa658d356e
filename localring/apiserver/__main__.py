"""The server as a process of its own: ``python -m localring.apiserver``."""

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from localring.apiserver.server import BOOKMARK_SECONDS, ApiServer


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localring.apiserver",
        description="Run an emulated Kubernetes API server until SIGINT or SIGTERM.",
    )
    parser.add_argument(
        "--listen", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT", help="0: any"
    )
    parser.add_argument(
        "--control-port", type=int, default=0, metavar="PORT", help="of /_faults; 0: any"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="tokens to accept, one a line"
    )
    parser.add_argument(
        "--port-file", type=Path, metavar="FILE", help="gets the port, once it is open"
    )
    parser.add_argument(
        "--control-port-file", type=Path, metavar="FILE", help="gets the control port, likewise"
    )
    parser.add_argument(
        "--bookmark-seconds", type=float, default=BOOKMARK_SECONDS, metavar="SECONDS"
    )
    return parser


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    host, port = options.listen
    tokens = options.token_file.read_text().split() if options.token_file else ()
    async with ApiServer(
        host,
        port,
        tokens=tokens,
        bookmark_seconds=options.bookmark_seconds,
        control_port=options.control_port,
    ) as server:
        # The port file comes last: who sees it finds everything ready.
        _publish(options.control_port_file, server.control_port)
        _publish(options.port_file, server.port)
        await stop.wait()


def _publish(path: Path | None, port: int) -> None:
    """Write a file whole, so that nobody reads half a number."""
    if path is None:
        return
    fresh = path.with_name(path.name + ".tmp")
    fresh.write_text(f"{port}\n")
    fresh.replace(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal says stop."""
    asyncio.run(_serve(_parser().parse_args(arguments)))


if __name__ == "__main__":
    main()
