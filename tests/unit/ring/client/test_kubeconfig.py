"""Kubeconfigs are read as kubectl reads them, and what is wrong with one is told."""

# ruff: noqa: S106 -- tokens of nobody
import base64
import json
import stat
from pathlib import Path, PurePath
from typing import Any

import pytest

from ring.client import execplugin
from ring.client.access import access
from ring.client.connecting import Target, connect
from ring.client.errors import ConfigError
from ring.client.kubeconfig import Chosen, Named, chosen, merged
from tests.unit.ring.live import certificate


def config(name: str, **more: object) -> dict[str, Any]:
    return {
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example"}}],
        "users": [{"name": name, "user": {"token": f"token of {name}"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        **more,
    }


def test_of_several_files_the_first_that_names_something_wins() -> None:
    first = config("a", contexts=None)
    second = config("a", **{"current-context": "a"})
    second["clusters"][0]["cluster"]["server"] = "https://other.example"
    third = config("b", **{"current-context": "b"})
    whole = merged(
        [(PurePath("/x/1"), first), (PurePath("/y/2"), second), (PurePath("/z/3"), third)]
    )
    found = chosen(whole)

    assert (found.context, found.cluster.text("server")) == ("a", "https://a.example")
    assert found.cluster.folder == PurePath("/x")
    assert chosen(whole, "b").user.text("token") == "token of b"


def test_paths_are_relative_to_the_file_that_has_them() -> None:
    named = Named({"client-key": "keys/me", "client-certificate": "/abs/me"}, PurePath("/conf"))

    assert named.path("client-key") == "/conf/keys/me"
    assert named.path("client-certificate") == "/abs/me"
    assert named.path("tokenFile") == ""


@pytest.mark.parametrize(
    ("content", "context", "message"),
    [
        ([], "", "not a mapping"),
        ({"clusters": {}}, "", "clusters is not a list"),
        ({"users": [{"user": {}}]}, "", "an entry of users has no name"),
        (config("a"), "", "no current context"),
        (config("a"), "b", "no context b\n  there are: a"),
        (config("a", clusters=None), "a", "no cluster a"),
        (config("a", users=None), "a", "no user a"),
        (config("a", clusters=[{"name": "a", "cluster": {}}]), "a", "names no server"),
        (config("a", clusters=[{"name": "a", "cluster": {"server": 1}}]), "a", "not a text"),
    ],
)
def test_what_is_wrong_is_told(content: object, context: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen(merged([(PurePath("/home/me/.kube/config"), content)]), context)

    assert message in str(caught.value)


def as_user(folder: Path, **user: object) -> Chosen:
    return Chosen("a", Named({"server": "http://a.example"}, folder), Named(user, folder), "")


def sent(folder: Path, **user: object) -> dict[str, str]:
    return dict(access(as_user(folder, **user)).headers)


def test_a_token_file_goes_before_a_token_that_is_written_down(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("fresh\n")

    assert sent(tmp_path, token="old", tokenFile="token") == {"Authorization": "Bearer fresh"}
    assert sent(tmp_path, token="old", tokenFile="gone") == {"Authorization": "Bearer old"}
    with pytest.raises(ConfigError, match="gone: No such file"):
        sent(tmp_path, tokenFile="gone")


def test_names_and_passwords_and_impersonation_are_sent(tmp_path: Path) -> None:
    pair = base64.b64encode(b"me:secret").decode()

    assert sent(tmp_path, username="me", password="secret") == {
        "Authorization": f"Basic {pair}"
    }
    assert sent(tmp_path, **{"token": "t", "as": "jane"})["Impersonate-User"] == "jane"
    with pytest.raises(ConfigError, match="as-groups"):
        sent(tmp_path, **{"as": "jane", "as-groups": ["devs"]})
    with pytest.raises(ConfigError, match="auth-provider"):
        sent(tmp_path, **{"auth-provider": {"name": "gcp"}})


def test_a_certificate_is_taken_from_the_file_itself_or_beside_it(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "me", "DNS:me")
    cluster = Named({"server": "https://a.example"}, tmp_path)
    inside = {
        "client-certificate-data": base64.b64encode(cert.read_bytes()).decode(),
        "client-key-data": base64.b64encode(key.read_bytes()).decode(),
    }
    beside = {"client-certificate": "me.crt", "client-key": "me.key"}
    for user in (inside, beside):
        assert access(Chosen("a", cluster, Named(user, tmp_path), "")).tls is not None
    broken = {"client-certificate": "me.crt", "client-key": "me.crt"}
    with pytest.raises(ConfigError, match="cannot be used"):
        access(Chosen("a", cluster, Named(broken, tmp_path), ""))
    no_base64 = {"client-certificate-data": "%", "client-key-data": "a"}
    with pytest.raises(ConfigError, match="no base64"):
        access(Chosen("a", cluster, Named(no_base64, tmp_path), ""))


V1 = "client.authentication.k8s.io/v1"


def plugin(folder: Path, script: str, **more: object) -> dict[str, Any]:
    file = folder / "plugin"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {"apiVersion": V1, "command": "./plugin", "interactiveMode": "Never", **more}


def credential(**status: str) -> str:
    answer = {"kind": "ExecCredential", "apiVersion": V1, "status": status}
    return f"echo '{json.dumps(answer)}'"


def test_a_plugin_gives_the_token_and_is_told_what_it_is_for(tmp_path: Path) -> None:
    script = 'echo "$KUBERNETES_EXEC_INFO $COLOUR $1" > told\n' + credential(token="given")
    exec_ = plugin(
        tmp_path,
        f"cd {tmp_path}\n{script}",
        args=["--for", "me"][:1],
        env=[{"name": "COLOUR", "value": "green"}],
        provideClusterInfo=True,
    )

    assert sent(tmp_path, exec=exec_) == {"Authorization": "Bearer given"}
    told = (tmp_path / "told").read_text()
    info, _, rest = told.rpartition("} ")
    spec = json.loads(info + "}")["spec"]
    assert spec == {"interactive": False, "cluster": {"server": "http://a.example"}}
    assert rest == "green --for\n"


@pytest.mark.parametrize(
    ("script", "more", "message"),
    [
        ("exit 3", {}, "ended with 3"),
        ("echo token", {}, "wrote no JSON"),
        ("echo '{}'", {}, "wrote no ExecCredential"),
        (credential(), {}, "gave no credential"),
        (credential(token="t"), {"apiVersion": "other/v1"}, "not supported here"),
        (credential(token="t"), {"command": 3}, "names no command"),
        (
            credential(token="t"),
            {"apiVersion": "client.authentication.k8s.io/v1beta1"},
            "answered in client.authentication.k8s.io/v1, not in",
        ),
        ("", {"command": "no-such-plugin", "installHint": "brew it"}, "brew it"),
    ],
)
def test_a_plugin_that_fails_is_named(
    tmp_path: Path, script: str, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        sent(tmp_path, exec=plugin(tmp_path, script, **more))

    assert message in str(caught.value)


def test_a_plugin_is_waited_for_with_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execplugin, "PATIENCE", 0.05)

    with pytest.raises(ConfigError, match="took more than"):
        sent(tmp_path, exec=plugin(tmp_path, "exec sleep 30"))


def test_a_plugin_that_has_to_ask_needs_a_terminal(tmp_path: Path) -> None:
    asking = plugin(tmp_path, credential(token="t"), interactiveMode="Always")

    with pytest.raises(ConfigError, match="needs a terminal"):
        sent(tmp_path, exec=asking)


def test_without_any_kubeconfig_it_is_said_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no kubeconfig") as caught:
        connect(Target(), {"HOME": str(tmp_path)})
    assert "--kubeconfig or KUBECONFIG" in str(caught.value)
    with pytest.raises(ConfigError, match="named: No such file"):
        connect(Target(kubeconfig=str(tmp_path / "named")), {})
    (tmp_path / "broken").write_text("a: [")
    with pytest.raises(ConfigError, match="broken: no YAML"):
        connect(Target(), {"KUBECONFIG": str(tmp_path / "broken")})


def test_a_manager_may_be_named_by_its_url_and_options_go_before_the_environment(
    tmp_path: Path,
) -> None:
    by_url = {"RING_MANAGER": "http://10.0.0.1:8080/"}
    with connect(Target(), by_url) as manager:
        assert manager.place.base == ""
    with pytest.raises(ConfigError, match="there is no kubeconfig"):
        connect(Target(context="other"), {**by_url, "HOME": str(tmp_path)})
    for wrong in ("ftp://x", "http://", "10.0.0.1", "http://x:port"):
        with pytest.raises(ConfigError, match=r"is no http or https URL|Port"):
            connect(Target(manager=wrong), {})


def test_names_in_paths_are_quoted(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(json.dumps(config("a", **{"current-context": "a"})))
    target = Target(
        kubeconfig=str(tmp_path / "config"), namespace="a/b", service="c d", context="a"
    )
    with connect(target, {}) as manager:
        assert manager.place.base == (
            "/api/v1/namespaces/a%2Fb/services/http:c%20d-ring-manager:8080/proxy"
        )
