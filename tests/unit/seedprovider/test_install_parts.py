"""What install writes into the class path, the parameters and the rack's file: texts alone."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seedprovider.install.classpath import LINE, MARK, with_class_path
from seedprovider.install.errors import InputError
from seedprovider.install.parameters import (
    CLASS,
    Provider,
    adoption_seeds,
    sidecar_url,
    wanted,
)
from seedprovider.install.rackdc import rack_of, with_rack
from seedprovider.parsers import Listen
from seedprovider.question import MAX_CONFIGURED

URL = "http://127.0.0.1:8078"


def simple(seeds: str, **more: str) -> Provider:
    return Provider("org.apache.cassandra.locator.SimpleSeedProvider", {"seeds": seeds, **more})


def ours(**parameters: str) -> Provider:
    return Provider(CLASS, parameters)


# -- the class path ----------------------------------------------------------------------------


def test_the_jar_is_behind_what_was_on_the_class_path_when_the_script_was_sourced(
    tmp_path: Path,
) -> None:
    script = tmp_path / "cassandra-env.sh"
    script.write_bytes(with_class_path(b'JVM_OPTS="-ea"'))

    shown = subprocess.run(  # noqa: S603 -- our own script
        ["/bin/sh", "-c", f'. {script}; echo "$CLASSPATH $JVM_OPTS"'],
        env={"CLASSPATH": "/lib/a.jar", "CASSANDRA_CONF": "/etc/c"},
        capture_output=True,
        check=True,
        text=True,
    )

    assert shown.stdout == "/lib/a.jar:/etc/c/cassandra-k8s-seeds.jar -ea\n"


@given(st.binary())
def test_our_line_is_there_once_and_every_other_byte_stays(script: bytes) -> None:
    assume(MARK not in script)
    first = with_class_path(script)

    assert first.startswith(script)
    assert first.endswith(LINE)
    assert with_class_path(first) == first


def test_the_line_of_an_earlier_version_is_replaced() -> None:
    old = LINE.replace(b"cassandra-k8s-seeds.jar", b"older.jar")

    assert with_class_path(b"a\n" + old + b"b\n") == b"a\nb\n" + LINE


# -- the parameters ----------------------------------------------------------------------------


def test_seeds_configured_before_become_adoption_seeds_behind_the_url() -> None:
    told = wanted(simple("10.0.0.1, node-2.example:7000"), "", URL)

    assert list(told.provider.parameters) == ["sidecar_url", "seeds"]
    assert told.provider.parameters["seeds"] == "10.0.0.1,node-2.example:7000"
    assert (told.provider.class_name, told.remarks) == (CLASS, ())


@pytest.mark.parametrize(
    "stock",
    ["", " , ", "127.0.0.1", "127.0.0.1:7000", "localhost", "::1", "[::1]:7000", "127.8.0.1"],
)
def test_the_default_of_the_stock_image_is_no_adoption_seed(stock: str) -> None:
    assert wanted(simple(stock), "", URL).provider.parameters == {"sidecar_url": URL}


def test_nothing_configured_gives_no_adoption_seeds() -> None:
    assert wanted(None, "", URL).provider == ours(sidecar_url=URL)


def test_seeds_of_the_environment_go_before_those_of_the_file() -> None:
    assert wanted(simple("10.0.0.1"), "10.0.0.9", URL).seeds == ("10.0.0.9",)
    assert wanted(simple("10.0.0.1"), "127.0.0.1", URL).seeds == ()


def test_what_our_class_was_told_before_stays() -> None:
    before = ours(seeds="10.0.0.1", data_directory="/data", silence_bound="60")

    assert wanted(before, "", URL).provider.parameters == {
        "sidecar_url": URL,
        "data_directory": "/data",
        "silence_bound": "60",
        "seeds": "10.0.0.1",
    }


def test_the_sidecars_own_setting_says_where_it_listens() -> None:
    told = wanted(ours(sidecar_url="http://127.0.0.1:9"), "", URL)

    assert told.provider.parameters == {"sidecar_url": URL}
    assert told.remarks == (f"sidecar_url 'http://127.0.0.1:9' gives way to {URL}",)


@pytest.mark.parametrize("before", [ours(region="eu"), simple("", region="eu")])
def test_a_parameter_that_the_shim_does_not_know_is_dropped_with_a_remark(
    before: Provider,
) -> None:
    told = wanted(before, "", URL)

    assert told.provider.parameters == {"sidecar_url": URL}
    assert told.remarks == ("parameter 'region' is dropped: it has no effect",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data_directory", "data"),
        ("silence_bound", "0"),
        ("silence_bound", "86401"),
        ("silence_bound", "1m"),
    ],
)
def test_a_parameter_that_the_shim_would_refuse_is_refused_here(name: str, value: str) -> None:
    with pytest.raises(InputError, match=f"parameter {name} is '?{value}'?: must be"):
        wanted(ours(**{name: value}), "", URL)


@pytest.mark.parametrize("seed", ["a b", "10.0.0.1;10.0.0.2", "-a", '"a"', "a:b:c", "http://a"])
def test_a_seed_that_is_no_name_and_no_address_is_refused(seed: str) -> None:
    with pytest.raises(InputError, match=r"CASSANDRA_SEEDS: .* is neither a name nor an IP"):
        wanted(None, f"10.0.0.1,{seed}", URL)


def test_as_many_seeds_as_the_shim_takes_are_taken() -> None:
    names = [f"node-{n}" for n in range(MAX_CONFIGURED)]

    assert adoption_seeds(",".join(names), "here") == tuple(names)
    with pytest.raises(InputError, match="here: 65 seeds; at most 64"):
        adoption_seeds(",".join([*names, "one-more"]), "here")


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:8078", "http://127.0.0.1:8078"),
        ("127.7.7.7:1", "http://127.7.7.7:1"),
        ("::1:9", "http://[::1]:9"),
        ("0.0.0.0:8078", "http://127.0.0.1:8078"),
        (":::8078", "http://[::1]:8078"),
    ],
)
def test_cassandra_is_sent_to_the_loopback_address_that_the_sidecar_listens_on(
    listen: str, url: str
) -> None:
    host, _, port = listen.rpartition(":")

    assert sidecar_url(Listen(host, int(port))) == url


@pytest.mark.parametrize("listen", [Listen("10.0.0.1", 8078), Listen("127.0.0.1", 0)])
def test_an_address_that_cassandra_could_not_use_is_refused(listen: Listen) -> None:
    with pytest.raises(InputError, match="SEEDPROVIDER_LOOPBACK_LISTEN"):
        sidecar_url(listen)


# -- the rack's file ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rack"),
    [
        ("dc=dc1\nrack=r1\n", "r1"),
        ("rack = r1  \r\n", "r1"),
        ("rack: r1", "r1"),
        ("  rack r1\n", "r1"),
        ("rack=r1\nrack=r2\n", "r2"),
        ("# rack=r1\n! rack=r2\n", None),
        ("rack=\n", None),
        ("rackety=r1\nprefer_local=true\n", None),
        ("", None),
    ],
)
def test_the_rack_is_what_javas_properties_read(text: str, rack: str | None) -> None:
    assert rack_of(text) == rack


def test_a_line_that_goes_on_is_refused_rather_than_misread() -> None:
    with pytest.raises(InputError, match="line 2: write it without a backslash"):
        rack_of("# a\\b\ndc=dc1\\\nrack=r1\n")


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("# c\ndc=dc1\nrack=r1\n", "# c\ndc=dc1\nrack: a\n"),
        ("rack = r1\r\ndc=dc1\r\n", "rack: a\r\ndc=dc1\r\n"),
        ("dc=dc1", "dc=dc1\nrack: a\n"),
        ("dc=dc1\r\n", "dc=dc1\r\nrack: a\r\n"),
        ("", "rack: a\n"),
    ],
)
def test_only_the_rack_changes(text: str, becomes: str) -> None:
    assert with_rack(text, "a") == becomes


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\\")))
def test_a_rack_that_was_written_is_read_again_and_writing_it_twice_changes_nothing(
    text: str,
) -> None:
    written = with_rack(text, "a")

    assert rack_of(written) == "a"
    assert with_rack(written, "a") == written
