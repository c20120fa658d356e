"""Credentials come from files that change, and never show."""

from pathlib import Path

import pytest

from seedprovider.kube.credentials import Credentials
from seedprovider.kube.errors import Unauthorized, Unavailable


def test_the_token_is_read_anew_for_each_request(tmp_path: Path) -> None:
    token = tmp_path / "token"
    credentials = Credentials("https://127.0.0.1:6443", token)
    token.write_text("old\n")
    first = credentials.headers()
    (tmp_path / "next").write_text("new")
    (tmp_path / "next").replace(token)

    assert first == {"Authorization": "Bearer old"}
    assert credentials.headers() == {"Authorization": "Bearer new"}


@pytest.mark.parametrize("content", ["", " \n", "two words", "new\nline", "ü", "x" * 70_000])
def test_an_unusable_token_is_refused_without_being_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)

    with pytest.raises(Unauthorized) as caught:
        Credentials("https://127.0.0.1", tmp_path / "token").headers()
    assert not content.strip() or content.strip() not in caught.value.reason


def test_a_missing_token_file_is_worth_a_retry(tmp_path: Path) -> None:
    with pytest.raises(Unauthorized, match="No such file") as caught:
        Credentials("https://127.0.0.1", tmp_path / "token").headers()

    assert caught.value.retry_may_help


def test_without_a_token_file_nothing_is_sent() -> None:
    assert Credentials("http://10.0.0.1").headers() == {}


@pytest.mark.parametrize("url", ["http://10.0.0.1:6443", "http://kubernetes.default.svc"])
def test_a_token_never_crosses_the_network_in_the_clear(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="https only"):
        Credentials(url, tmp_path / "token")


@pytest.mark.parametrize("url", ["http://127.7.7.7:1", "http://[::1]:1", "http://localhost:1"])
def test_plain_http_is_good_enough_for_loopback(url: str, tmp_path: Path) -> None:
    assert Credentials(url, tmp_path / "token").ssl_context() is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "10.0.0.1:6443",
        "ftp://h",
        "https://",
        "https://h/api",
        "https://u:p@h",
        "https://h?q",
    ],
)
def test_a_url_that_is_no_api_server_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Credentials(url)


def test_a_ca_file_without_a_certificate_says_so(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("nothing here")

    for name in ("ca.crt", "absent.crt"):
        with pytest.raises(Unavailable, match=name):
            Credentials("https://127.0.0.1", None, tmp_path / name).ssl_context()
