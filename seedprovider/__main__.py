"""``seedprovider``, the program; the only reader of the environment."""

import asyncio
import gc
import logging
import os
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Final

from seedprovider import __version__
from seedprovider import settings as settings_module
from seedprovider.kube.credentials import Credentials
from seedprovider.settings import SettingError, Settings
from seedprovider.wiring import ListenError, running

EXIT_USAGE: Final = 2

log = logging.getLogger("seedprovider")


def main() -> None:
    """Run until SIGTERM or SIGINT; exit 2 for wrong settings, 1 where a port is taken."""
    parser = ArgumentParser(
        prog="seedprovider",
        description="The sidecar of a Cassandra pod: answers the seed provider in Cassandra\n"
        "on loopback, and other pods' sidecars, probes and Prometheus on the pod\n"
        "network. It takes its settings from the environment:\n\n" + settings_module.describe(),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"seedprovider {__version__}")
    parser.parse_args()
    try:
        settings = settings_module.read(os.environ)
        credentials = _credentials(settings)
    except SettingError as error:
        sys.exit(_usage(str(error)))
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        asyncio.run(_serve(settings, credentials))
    except ListenError as error:
        log.error("%s", error)  # noqa: TRY400 -- an address taken needs no trace
        sys.exit(1)


def _credentials(settings: Settings) -> Credentials:
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
