"""What an operator can set, and how a mistake is told."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.parsers import Listen
from seedprovider.settings import Settings, read, read_install
from seedprovider.variables import SettingError, describe

NEEDED = {
    "POD_NAME": "cassandra-0",
    "POD_UID": "8d1f",
    "POD_NAMESPACE": "default",
    "POD_IP": "10.0.0.1",
    "SEEDPROVIDER_KUBE_URL": "https://10.96.0.1:443",
}
VARIABLES = [item.metadata["variable"] for item in fields(Settings)]


def said_of(**changes: str) -> str:
    with pytest.raises(SettingError) as caught:
        read({**NEEDED, **changes})
    return str(caught.value)


def test_what_the_downward_api_gives_is_enough() -> None:
    settings = read(NEEDED)

    assert (settings.pod, settings.pod_uid) == ("cassandra-0", "8d1f")
    assert settings.loopback_listen == Listen("127.0.0.1", 8078)
    assert (settings.pod_port, settings.storage_port) == (8079, 7000)
    assert settings.data_dir == Path("/var/lib/cassandra/data")


def test_the_pod_network_listener_and_loopback_default_to_the_ports_of_the_contract() -> None:
    settings = read(NEEDED)

    assert (settings.loopback_listen.port, settings.pod_port) == (8078, 8079)


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_variable_is_named_with_what_it_is_for(missing: str) -> None:
    env = {name: value for name, value in NEEDED.items() if name != missing}

    with pytest.raises(SettingError, match=f"{missing} is not set: .+"):
        read(env)


WRONG = [
    ("POD_NAME", "", "pod, such as cassandra-0"),
    ("POD_NAME", "cassandra", "pod, such as cassandra-0"),
    ("POD_NAME", "Cassandra-0", "pod, such as cassandra-0"),
    ("POD_NAME", "cassandra-0/../x-1", "pod, such as cassandra-0"),
    ("POD_UID", "  ", "a text that is not empty"),
    ("POD_NAMESPACE", "Default", "a Kubernetes object name"),
    ("POD_NAMESPACE", "a/b", "a Kubernetes object name"),
    ("POD_IP", "cassandra-0", "an IPv4 or IPv6 address"),
    ("POD_IP", "10.0.0.256", "an IPv4 or IPv6 address"),
    ("POD_IP", "fe80::1%eth0", "an IPv4 or IPv6 address"),
    ("SEEDPROVIDER_KUBE_URL", "10.96.0.1:443", "an http:// or https:// URL"),
    ("SEEDPROVIDER_KUBE_URL", "https://", "an http:// or https:// URL"),
    ("SEEDPROVIDER_KUBE_URL", "file:///etc/passwd", "an http:// or https:// URL"),
    ("SEEDPROVIDER_KUBE_TOKEN_FILE", "token", "an absolute path"),
    ("SEEDPROVIDER_SERVICE", "", "a Kubernetes object name"),
    ("SEEDPROVIDER_SERVICE", "-cassandra", "a Kubernetes object name"),
    ("SEEDPROVIDER_CLAIM", "data_0", "a Kubernetes object name"),
    ("SEEDPROVIDER_DATA_DIR", "", "an absolute path"),
    ("SEEDPROVIDER_DATA_DIR", "data", "an absolute path"),
    ("SEEDPROVIDER_STATE_DIR", "~", "an absolute path"),
    ("SEEDPROVIDER_JOURNAL", "journal.jsonl", "an absolute path"),
    ("SEEDPROVIDER_LOOPBACK_LISTEN", "8078", "ADDRESS:PORT"),
    ("SEEDPROVIDER_LOOPBACK_LISTEN", "localhost:8078", "ADDRESS:PORT"),
    ("SEEDPROVIDER_LOOPBACK_LISTEN", "127.0.0.1:", "ADDRESS:PORT"),
    ("SEEDPROVIDER_LOOPBACK_LISTEN", "127.0.0.1:65536", "ADDRESS:PORT"),
    ("SEEDPROVIDER_LOOPBACK_LISTEN", "127.0.0.1:-1", "ADDRESS:PORT"),
    ("SEEDPROVIDER_LOOPBACK_LISTEN", "127.0.0.1:" + "1" * 5000, "ADDRESS:PORT"),
    ("SEEDPROVIDER_POD_PORT", "0", "a port from 1 to 65535"),
    ("SEEDPROVIDER_POD_PORT", "65536", "a port from 1 to 65535"),
    ("SEEDPROVIDER_POD_PORT", "+80", "a port from 1 to 65535"),
    ("SEEDPROVIDER_POD_PORT", "８０", "a port from 1 to 65535"),  # noqa: RUF001 -- digits to int()
    ("SEEDPROVIDER_POD_PORT", "9" * 5000, "a port from 1 to 65535"),
    ("SEEDPROVIDER_STORAGE_PORT", "7000/tcp", "a port from 1 to 65535"),
    ("SEEDPROVIDER_SEEDS_PER_DC", "0", "a whole number from 1 to 20"),
    ("SEEDPROVIDER_SEEDS_PER_DC", "21", "a whole number from 1 to 20"),
    ("SEEDPROVIDER_SEEDS_PER_DC", "2.0", "a whole number from 1 to 20"),
    ("SEEDPROVIDER_FOUNDING_GRACE", "-1", "seconds from 0 to 86400"),
    ("SEEDPROVIDER_FOUNDING_GRACE", "86401", "seconds from 0 to 86400"),
    ("SEEDPROVIDER_FOUNDING_GRACE", "1m", "seconds from 0 to 86400"),
    ("SEEDPROVIDER_FOUNDING_GRACE", "nan", "seconds from 0 to 86400"),
    ("SEEDPROVIDER_FOUNDING_GRACE", "inf", "seconds from 0 to 86400"),
    ("SEEDPROVIDER_LOG_LEVEL", "TRACE", "one of DEBUG, INFO, WARNING, ERROR"),
]


@pytest.mark.parametrize(("variable", "value", "allowed"), WRONG)
def test_a_wrong_value_is_told_with_variable_value_and_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    text = said_of(**{variable: value})

    assert text.startswith(f"{variable}={value!r}: must be ")
    assert allowed in text


def test_a_mistyped_setting_is_an_error_and_not_a_silent_default() -> None:
    text = said_of(SEEDPROVIDER_SEED_PER_DC="5")

    assert text == "SEEDPROVIDER_SEED_PER_DC is not a setting; see seedprovider --help"


def test_the_containers_of_a_pod_may_share_their_variables() -> None:
    install = read_install(
        {
            **NEEDED,
            "NODE_NAME": "node-0",
            "SEEDPROVIDER_RACK": "a",
            "SEEDPROVIDER_POD_PORT": "1",
        }
    )
    sidecar = read({**NEEDED, "SEEDPROVIDER_RACK": "a", "SEEDPROVIDER_POD_PORT": "1"})

    assert (install.rack, sidecar.pod_port) == ("a", 1)


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("NODE_NAME", "", "a Kubernetes object name"),
        ("SEEDPROVIDER_RACK", "a/b", "a rack name"),
        ("SEEDPROVIDER_TWO_RACKS", "true", "yes or no"),
        ("SEEDPROVIDER_JAR", "seeds.jar", "an absolute path"),
        ("SEEDPROVIDER_INSTALL_PATIENCE", "1h", "seconds from 0 to 3600"),
        ("SEEDPROVIDER_NODE_SELECTOR", " ", "a text that is not empty"),
    ],
)
def test_a_wrong_value_for_install_is_told_alike(
    variable: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingError, match=f"{variable}={value!r}: must be {allowed}"):
        read_install({**NEEDED, "NODE_NAME": "node-0", variable: value})


def test_what_is_empty_for_install_is_not_set() -> None:
    empty = {"SEEDPROVIDER_RACK": "", "SEEDPROVIDER_NODE_SELECTOR": "", "CASSANDRA_SEEDS": " "}
    env = {**NEEDED, "NODE_NAME": "node-0"}

    assert read_install({**env, **empty}) == read_install(env)


def test_links_of_a_service_called_seedprovider_are_no_mistyped_settings() -> None:
    """The kubelet sets these in every container of the namespace (enableServiceLinks)."""
    settings = read(
        {
            **NEEDED,
            "SEEDPROVIDER_SERVICE_HOST": "10.96.7.7",
            "SEEDPROVIDER_SERVICE_PORT": "8079",
            "SEEDPROVIDER_SERVICE_PORT_HTTP": "8079",
            "SEEDPROVIDER_PORT": "tcp://10.96.7.7:8079",
            "SEEDPROVIDER_PORT_8079_TCP": "tcp://10.96.7.7:8079",
            "SEEDPROVIDER_PORT_8079_TCP_PROTO": "tcp",
            "SEEDPROVIDER_PORT_8079_TCP_PORT": "8079",
            "SEEDPROVIDER_PORT_8079_TCP_ADDR": "10.96.7.7",
            "SEEDPROVIDER_METRICS_SERVICE_HOST": "10.96.7.8",
            "SEEDPROVIDER_METRICS_PORT": "tcp://10.96.7.8:80",
        }
    )

    assert settings.service == "cassandra"


def test_a_listener_can_be_ipv6_and_take_any_free_port() -> None:
    env = {**NEEDED, "SEEDPROVIDER_LOOPBACK_LISTEN": "[::1]:0"}

    assert read(env).loopback_listen == Listen("::1", 0)


def test_addresses_are_kept_in_canonical_form() -> None:
    assert read({**NEEDED, "POD_IP": " FD00:0::0A "}).pod_ip == "fd00::a"


def test_an_empty_claim_says_that_pods_have_no_volume() -> None:
    assert read({**NEEDED, "SEEDPROVIDER_CLAIM": ""}).claim == ""


def test_the_api_server_is_found_as_any_pod_finds_it() -> None:
    env = {name: value for name, value in NEEDED.items() if name != "SEEDPROVIDER_KUBE_URL"}
    inside = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "6443"}

    assert read({**env, **inside}).kube_url == "https://10.96.0.1:6443"


def test_an_ipv6_api_server_is_put_in_brackets_and_443_is_the_default() -> None:
    env = {name: value for name, value in NEEDED.items() if name != "SEEDPROVIDER_KUBE_URL"}

    assert (
        read({**env, "KUBERNETES_SERVICE_HOST": "fd00::1"}).kube_url == "https://[fd00::1]:443"
    )


def test_a_url_that_is_set_goes_before_the_one_of_the_cluster() -> None:
    env = {**NEEDED, "KUBERNETES_SERVICE_HOST": "10.96.0.9"}

    assert read(env).kube_url == NEEDED["SEEDPROVIDER_KUBE_URL"]


def test_help_names_every_variable_with_its_default() -> None:
    text = describe(Settings)

    assert all(variable in text for variable in VARIABLES)
    assert "default 127.0.0.1:8078" in text
    assert text.count("(required)") == len(NEEDED)


@given(st.sampled_from(VARIABLES), st.text(st.characters(exclude_characters="\0")))
def test_any_text_in_any_variable_is_taken_or_named_and_never_fails_otherwise(
    variable: str, value: str
) -> None:
    expected = f"{variable}={value!r}: must be "
    text = expected
    try:
        read({**NEEDED, variable: value})
    except SettingError as error:
        text = str(error)

    assert text.startswith(expected)


@given(st.integers(1, 65535))
def test_every_port_is_taken_as_the_number_it_is(port: int) -> None:
    env = {**NEEDED, "SEEDPROVIDER_POD_PORT": str(port), "SEEDPROVIDER_STORAGE_PORT": str(port)}
    settings = read(env)

    assert (settings.pod_port, settings.storage_port) == (port, port)
