"""``seedprovider``, the program; the only reader of the environment."""

import asyncio
import gc
import logging
import os
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Final

from seedprovider import __version__, variables
from seedprovider import settings as settings_module
from seedprovider.kube.credentials import Credentials
from seedprovider.settings import InstallSettings, Settings, Shared
from seedprovider.variables import SettingError
from seedprovider.wiring import ListenError, running

EXIT_USAGE: Final = 2
LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
SETTINGS: Final = "It takes its settings from the environment:\n\n"

log = logging.getLogger("seedprovider")


def main() -> None:
    """Run the sidecar until SIGTERM or SIGINT, or install; see ``--help`` for exit codes."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "install":
            sys.exit(_install(settings_module.read_install(os.environ), arguments.conf))
        settings = settings_module.read(os.environ)
        if arguments.command == "explain":
            sys.exit(_explain(settings, arguments.pod))
        credentials = _credentials(settings)
    except SettingError as error:
        sys.exit(_usage(str(error)))
    logging.basicConfig(level=settings.log_level, format=LOG_FORMAT)
    try:
        asyncio.run(_serve(settings, credentials))
    except ListenError as error:
        log.error("%s", error)  # noqa: TRY400 -- an address taken needs no trace
        sys.exit(1)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="seedprovider",
        description="The sidecar of a Cassandra pod: answers the seed provider in Cassandra\n"
        "on loopback, and other pods' sidecars, probes and Prometheus on the pod\n"
        f"network. {SETTINGS}{variables.describe(Settings)}\n\n"
        "exit codes: 0 stopped by SIGTERM or SIGINT, 1 an address to listen on is taken,\n"
        "2 a setting is missing or wrong",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"seedprovider {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    explain = commands.add_parser(
        "explain",
        help="say what Cassandra was told, by which rule and why",
        description="Asks the sidecar of this pod: outcome, reason, rule, and each candidate\n"
        "with why it was chosen or not. For example\n\n"
        "  kubectl exec cassandra-1 -c seedprovider -- seedprovider explain\n\n"
        "exit codes: 0 it answered, 1 it does not, 2 a setting is missing or wrong",
        formatter_class=RawDescriptionHelpFormatter,
    )
    explain.add_argument(
        "pod", metavar="POD", nargs="?", help="what this other pod would be told"
    )
    install = commands.add_parser(
        "install",
        help="fit a copy of Cassandra's settings to the sidecar, in an init container",
        description="Fits a copy of /etc/cassandra to the sidecar before Cassandra starts:\n"
        "puts the seed provider's jar on the class path (cassandra-env.sh), names it in\n"
        "cassandra.yaml, where the seeds named before become adoption seeds, and sets\n"
        "the rack in cassandra-rackdc.properties. The rack is the zone of the node, or\n"
        "what the disk began with: a disk keeps its first rack for ever. Running it\n"
        f"again changes nothing. {SETTINGS}{variables.describe(InstallSettings)}\n\n"
        "exit codes: 0 done, 1 it cannot be decided or written now (run it again),\n"
        "2 a setting or file is wrong, and nothing was changed",
        formatter_class=RawDescriptionHelpFormatter,
    )
    install.add_argument(
        "--conf",
        metavar="DIR",
        type=Path,
        default=Path("/etc/cassandra"),
        help="the copy to change (default %(default)s)",
    )
    return parser


def _explain(settings: Settings, pod: str | None) -> int:
    # The sidecar itself has no use for what this imports.
    from seedprovider.ask import AskError, explanation  # noqa: PLC0415

    try:
        print(explanation(settings, pod))  # noqa: T201 -- its whole purpose
    except AskError as error:
        print(f"seedprovider: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _install(settings: InstallSettings, conf: Path) -> int:
    """Run the command, which brings modules that the sidecar does without."""
    from seedprovider.install.command import install  # noqa: PLC0415 -- PyYAML takes memory

    logging.basicConfig(level=settings.log_level, format=LOG_FORMAT, stream=sys.stdout)
    # The first process of a container is not ended by a signal that it does not handle.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return asyncio.run(install(settings, _credentials(settings), conf))
    except KeyboardInterrupt:
        log.error("stopped before it was done")  # noqa: TRY400 -- asked for
        return 1


def _credentials(settings: Shared) -> Credentials:
    url = settings.kube_url
    ca_file = settings.kube_ca_file if url.startswith("https:") else None
    try:
        return Credentials(url, settings.kube_token_file, ca_file)
    except ValueError as error:
        raise SettingError(f"SEEDPROVIDER_KUBE_URL: {error}") from None


def _usage(text: str) -> int:
    print(f"seedprovider: {text}", file=sys.stderr)  # noqa: T201 -- before logging is set up
    return EXIT_USAGE


async def _serve(settings: Settings, credentials: Credentials) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with running(settings, credentials):
        # What is there now stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        log.info("serving %s in %s", settings.pod, settings.service)
        await stopped.wait()
        log.info("stopping")


if __name__ == "__main__":
    main()
