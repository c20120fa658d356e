"""Credential plugins of a kubeconfig (``client.authentication.k8s.io``), run with a bound."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ring.client.errors import ConfigError
from ring.client.kubeconfig import Named
from ring.readjson import loads

VERSIONS: Final = (
    "client.authentication.k8s.io/v1",
    "client.authentication.k8s.io/v1beta1",
)
PATIENCE: Final = 120.0  # seconds: some plugins wait for a person at a browser
NAMED_IN_CLUSTER: Final = (
    "server",
    "tls-server-name",
    "certificate-authority-data",
    "proxy-url",
)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a plugin gives; empty where it does not."""

    token: str = ""
    certificate: bytes = b""
    key: bytes = b""


def fetched(user: Named, cluster: Named) -> Credential:
    """Run a user's plugin.

    Raises:
        ConfigError: where it is not there, fails, is too slow or answers what is no credential.

    """
    plugin = user.body["exec"]
    if not isinstance(plugin, dict) or not isinstance(plugin.get("command"), str):
        raise ConfigError("kubeconfig: exec names no command")
    version = plugin.get("apiVersion")
    if version not in VERSIONS:
        raise ConfigError(
            f"kubeconfig: exec has apiVersion {version}, which is not supported here",
            f"supported are {' and '.join(VERSIONS)}",
        )
    interactive = _interactive(plugin)
    words = [_command(plugin["command"], user), *map(str, plugin.get("args") or ())]
    try:
        done = subprocess.run(  # noqa: S603 -- what the kubeconfig says, as kubectl does
            words,
            env=_environment(plugin, version, cluster, interactive=interactive),
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"{words[0]} of the kubeconfig took more than {PATIENCE:.0f} s"
        ) from error
    except OSError as error:
        hint = plugin.get("installHint")
        raise ConfigError(
            f"{words[0]} of the kubeconfig cannot be run: {error.strerror or error}",
            str(hint).strip() if hint else "",
        ) from error
    if done.returncode:
        raise ConfigError(f"{words[0]} of the kubeconfig ended with {done.returncode}")
    return _credential(words[0], version, done.stdout)


def _interactive(plugin: Mapping[str, Any]) -> bool:
    mode = plugin.get("interactiveMode") or "IfAvailable"
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if mode == "Always" and not terminal:
        raise ConfigError("the kubeconfig's exec plugin needs a terminal to ask on")
    return mode != "Never" and terminal


def _command(command: str, user: Named) -> str:
    """Return the command; one with a slash is relative to the kubeconfig's folder."""
    return str(user.folder / command) if "/" in command else command


def _environment(
    plugin: Mapping[str, Any], version: object, cluster: Named, *, interactive: bool
) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = {
            key: cluster.body[key] for key in NAMED_IN_CLUSTER if cluster.body.get(key)
        }
    info = {"kind": "ExecCredential", "apiVersion": version, "spec": spec}
    more = {
        str(each["name"]): str(each["value"])
        for each in plugin.get("env") or ()
        if isinstance(each, dict) and "name" in each and "value" in each
    }
    return {**os.environ, **more, "KUBERNETES_EXEC_INFO": json.dumps(info)}


def _credential(command: str, version: object, output: bytes) -> Credential:
    try:
        found = loads(output)
    except ValueError as error:
        raise ConfigError(f"{command} of the kubeconfig wrote no JSON") from error
    match found:
        case {"kind": "ExecCredential", "apiVersion": said, "status": dict(status)}:
            pass
        case _:
            raise ConfigError(f"{command} of the kubeconfig wrote no ExecCredential")
    if said != version:
        raise ConfigError(f"{command} of the kubeconfig answered in {said}, not in {version}")
    credential = Credential(
        str(status.get("token") or ""),
        str(status.get("clientCertificateData") or "").encode(),
        str(status.get("clientKeyData") or "").encode(),
    )
    if credential == Credential():
        raise ConfigError(f"{command} of the kubeconfig gave no credential")
    return credential
