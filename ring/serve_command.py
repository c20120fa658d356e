"""The options of ``ring serve``; what they start is imported when it is asked for."""

import asyncio
import logging
import secrets
import socket
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ring.errors import InputError
from ring.output import servers_may_leave

INSIDE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FAILED = 1


class LogLevel(StrEnum):
    """What is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def serve(  # noqa: PLR0913 -- options of a command are its arguments
    *,
    namespace: Annotated[
        str,
        typer.Option(envvar="RING_NAMESPACE", help="Of the ring; in a pod, the pod's own."),
    ] = "",
    service: Annotated[
        str, typer.Option(envvar="RING_SERVICE", help="Headless Service that names the pods.")
    ] = "cassandra",
    listen: Annotated[
        str, typer.Option(envvar="RING_LISTEN", help="ADDRESS:PORT of the HTTP API and page.")
    ] = "0.0.0.0:8080",
    interval: Annotated[
        float,
        typer.Option(
            envvar="RING_INTERVAL",
            min=1,
            max=60,
            help="Seconds between two cycles where there is no news.",
        ),
    ] = 5.0,
    sidecar_port: Annotated[
        int,
        typer.Option(
            envvar="RING_SIDECAR_PORT",
            min=1,
            max=65535,
            help="Of sidecars, on the pod network.",
        ),
    ] = 8079,
    sidecar_period: Annotated[
        float,
        typer.Option(
            envvar="RING_SIDECAR_PERIOD",
            min=0.2,
            max=10,
            help="Seconds between two questions to one sidecar.",
        ),
    ] = 1.0,
    claim: Annotated[
        str,
        typer.Option(envvar="RING_CLAIM", help="Volume claim template of the StatefulSet."),
    ] = "cassandra-data",
    cql_port: Annotated[
        int, typer.Option(envvar="RING_CQL_PORT", min=1, max=65535, help="Native transport.")
    ] = 9042,
    cql_user_file: Annotated[
        Path | None,
        typer.Option(envvar="RING_CQL_USER_FILE", help="File with the user's name."),
    ] = None,
    cql_password_file: Annotated[
        Path | None,
        typer.Option(envvar="RING_CQL_PASSWORD_FILE", help="File with the password."),
    ] = None,
    cql_ca_file: Annotated[
        Path | None,
        typer.Option(
            envvar="RING_CQL_CA_FILE",
            help="Certificate authority (PEM) of the nodes; without it there is no TLS.",
        ),
    ] = None,
    cql_cert_file: Annotated[
        Path | None,
        typer.Option(envvar="RING_CQL_CERT_FILE", help="Own certificate (PEM) for mutual TLS."),
    ] = None,
    cql_key_file: Annotated[
        Path | None, typer.Option(envvar="RING_CQL_KEY_FILE", help="Its key (PEM).")
    ] = None,
    cql_verify_name: Annotated[
        bool,
        typer.Option(
            envvar="RING_CQL_VERIFY_NAME",
            help="A node's certificate has to name the pod's address.",
        ),
    ] = False,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(envvar="RING_KUBECONFIG", help="To run outside of the cluster."),
    ] = None,
    context: Annotated[
        str | None, typer.Option(envvar="RING_CONTEXT", help="Of the kubeconfig.")
    ] = None,
    identity: Annotated[
        str,
        typer.Option(
            envvar="RING_IDENTITY",
            help="Of this replica alone; without, made of the host's name.",
        ),
    ] = "",
    writes: Annotated[
        bool,
        typer.Option(
            envvar="RING_WRITES", help="Keep the ConfigMap with contact points, where it leads."
        ),
    ] = True,
    log_level: Annotated[
        LogLevel,
        typer.Option(envvar="RING_LOG_LEVEL", case_sensitive=False, help="Of the log."),
    ] = LogLevel.INFO,
) -> None:
    """Watch a ring and serve its picture over HTTP, until SIGTERM or SIGINT."""
    from ring.observe.access import Access  # noqa: PLC0415 -- for this command alone
    from ring.serve import ListenError, Settings  # noqa: PLC0415 -- seconds of imports
    from ring.serve import serve as run  # noqa: PLC0415

    if (cql_user_file is None) != (cql_password_file is None):
        raise InputError("--cql-user-file", "goes together with --cql-password-file")
    if cql_ca_file is None and (cql_cert_file or cql_key_file):
        raise InputError("--cql-ca-file", "is missing: without it there is no TLS")
    host, port = _listen(listen)
    settings = Settings(
        namespace=namespace or _own_namespace(),
        service=service,
        identity=identity or f"{socket.gethostname()}-{secrets.token_hex(4)}",
        kubeconfig=kubeconfig,
        context=context,
        host=host,
        port=port,
        interval=interval,
        sidecar_port=sidecar_port,
        sidecar_period=sidecar_period,
        claim=claim,
        access=Access(
            port=cql_port,
            user_file=cql_user_file,
            password_file=cql_password_file,
            ca_file=cql_ca_file,
            cert_file=cql_cert_file,
            key_file=cql_key_file,
            verify_name=cql_verify_name,
        ),
        writes=writes,
    )
    logging.basicConfig(level=log_level.value, format=LOG_FORMAT, stream=sys.stderr)
    servers_may_leave()  # a reader that goes away must not take the service with it
    try:
        asyncio.run(run(settings))
    except ListenError as error:
        logging.getLogger("ring").error("%s", error)  # noqa: TRY400 -- an address taken
        raise SystemExit(FAILED) from None
    except Exception:
        logging.getLogger("ring").exception("the manager ends: a part failed beyond repair")
        raise SystemExit(FAILED) from None


def _own_namespace() -> str:
    try:
        return INSIDE.read_text().strip()
    except OSError:
        raise InputError("--namespace", "is needed outside of a cluster") from None


def _listen(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65535):  # noqa: PLR2004
        raise InputError("--listen", f"{text!r} is not ADDRESS:PORT")
    return host.strip("[]"), int(port)
