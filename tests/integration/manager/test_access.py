"""A ring that wants a login and TLS: the manager with wrong, right and renewed secrets."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from localring.certificates import make_identity
from localring.cql import connect
from localring.errors import StageError
from localring.kit import Kit
from localring.options import Options
from localring.ring import LocalRing
from ring.finding import Finding, Kind
from ring.judged import Judged
from ring.observe.access import Access, CqlError
from ring.observe.cassandra import Contact
from tests.integration.manager.conftest import is_whole, watched

PATIENCE = 60.0  # seconds
USER, PASSWORD = "ring_manager", "correct horse"


@dataclass(frozen=True, slots=True)
class Secured:
    """A ring of one node, and the files of a user without any grants."""

    ring: LocalRing
    access: Access
    stranger: Path  # a certificate that no node has


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def secured(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    folder = tmp_path_factory.mktemp("secrets")
    stranger = (await make_identity(kit.java, folder, "stranger")).certificate
    async with LocalRing(kit, Options(secured=True), print) as ring:
        ring.cluster.scale(1)
        ring.start(0)
        await ring.wait_until_whole()
        assert ring.identity_of_nodes is not None
        ca = ring.identity_of_nodes.certificate
        await make_user(ring, ca)
        texts = {"username": USER, "password": PASSWORD, "ca.crt": ca.read_text()}
        for name, text in texts.items():
            (folder / name).write_text(text)
        access = Access(
            user_file=folder / "username",
            password_file=folder / "password",
            ca_file=folder / "ca.crt",
        )
        yield Secured(ring, access, stranger)


async def make_user(ring: LocalRing, ca: Path) -> None:
    tls = ssl.create_default_context(cafile=ca)
    tls.check_hostname = False
    statement = f"CREATE ROLE {USER} WITH LOGIN = true AND PASSWORD = '{PASSWORD}'"

    async def missing() -> str | None:
        """Try until Cassandra has made its own first user, which it does a while after."""
        try:
            async with connect(ring.pod(0).address, ("cassandra", "cassandra"), tls) as session:
                await session.execute(statement, "ONE")
        except (OSError, StageError) as error:
            return str(error)
        return None

    await ring.wait_until("a user", missing, PATIENCE)


def unreadable(judged: Judged) -> Finding | None:
    return next((each for each in judged.found if each.kind is Kind.CQL_UNREADABLE), None)


@pytest.mark.parametrize("name", ["password", "ca.crt"])
async def test_a_wrong_secret_is_named_and_a_right_one_taken_without_a_restart(
    secured: Secured, name: str
) -> None:
    assert secured.access.ca_file is not None
    file = secured.access.ca_file.with_name(name)
    right = file.read_text()
    file.write_text(secured.stranger.read_text())  # no password either
    said = {"password": f"{USER} and/or password are incorrect", "ca.crt": "verify failed"}
    async with watched(secured.ring, access=secured.access) as manager:
        try:
            await manager.until(
                "a member whose CQL is refused",
                lambda judged: (
                    (told := unreadable(judged)) is not None and bool(told.evidence["contacts"])
                ),
            )
            told = unreadable(manager.judged)
            assert told is not None
            assert str(file) in told.what
            assert said[name] in told.what
            assert manager.states == {"cassandra-0": "UN"}
            body = await manager.get("/v1/members")
            assert [each["tokens"] for each in body["members"]] == [[]]
            refusal = await manager.get("/v1/keyspaces", status=503)
            assert "CQL" in refusal["error"] + refusal["hint"]
        finally:
            file.write_text(right)
        await manager.until("a picture of the whole ring", is_whole)
        assert manager.kinds == {"rf-above-nodes"}  # Cassandra's own keyspaces


async def test_who_may_not_read_the_history_of_repairs_is_told_so(secured: Secured) -> None:
    contact = Contact(str(secured.ring.pod(0).address), secured.access)
    with pytest.raises(CqlError, match="has no SELECT permission"):
        await asyncio.to_thread(contact.repairs, 0.0)
    contact.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"user_file": None, "password_file": None}, "login: none is set"),
        ({"ca_file": None}, "no TLS is set"),
        ({"password_file": Path("gone")}, "No such file or directory: 'gone'"),
        ({"ca_file": Path("gone")}, "TLS with gone: "),
        ({"verify_name": True}, "IP address mismatch"),
    ],
)
async def test_what_is_missing_is_said(
    secured: Secured, change: dict[str, Path | bool | None], said: str
) -> None:
    access = replace(secured.access, **change)  # type: ignore[arg-type]
    contact = Contact(str(secured.ring.pod(0).address), access)
    with pytest.raises(CqlError) as told:
        await asyncio.to_thread(contact.read, whole=True)

    assert said in str(told.value)
    assert "\n" not in str(told.value)
