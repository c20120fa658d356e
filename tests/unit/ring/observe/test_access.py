"""Secrets that cannot be used: which file, and why."""

from pathlib import Path

import pytest

from ring.observe.access import Access, CqlError


def test_files_are_read_anew_each_time(tmp_path: Path) -> None:
    user, password = tmp_path / "username", tmp_path / "password"
    user.write_text("ring\n")
    password.write_text("old\n")
    access = Access(user_file=user, password_file=password)
    before = access.login()
    password.write_text("new\n")

    assert before == ("ring", "old")
    assert access.login() == ("ring", "new")


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_text("not a certificate")
    with pytest.raises(CqlError, match=f"TLS with {file}: "):
        Access(ca_file=file).tls()
