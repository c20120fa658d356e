"""Faults in answers: statuses, bodies that break, rules and whom they mean."""

import aiohttp
import pytest

from localring.apiserver import ApiServer, Fault, Kind
from tests.contract.cluster import OTHER, Cluster

pytestmark = pytest.mark.usefixtures("free_of_leftovers")


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        (Fault(kind=Kind.UNAUTHORIZED), 401, "Unauthorized"),
        (Fault(kind=Kind.FORBID, resource="leases"), 403, "Forbidden"),
        (Fault(kind=Kind.THROTTLE, seconds=3), 429, "TooManyRequests"),
        (Fault(kind=Kind.FAIL, times=1), 500, "InternalError"),
        (Fault(kind=Kind.FAIL, status=503), 503, "ServiceUnavailable"),
    ],
)
async def test_a_refusal_asked_for_is_a_status(
    server: ApiServer, stage: Cluster, fault: Fault, status: int, reason: str
) -> None:
    with server.faults.active(fault):
        answer = await stage.list("leases")

        assert (answer.status, answer.reason) == (status, reason)
        assert answer.headers.get("Retry-After") == ("3" if status == 429 else None)
    assert (await stage.list("leases")).status == 200


@pytest.mark.parametrize(
    "elsewhere",
    [
        Fault(kind=Kind.FORBID, resource="pods"),
        Fault(kind=Kind.FORBID, client="second"),
        Fault(kind=Kind.FORBID, token="else"),  # noqa: S106
        Fault(kind=Kind.FORBID, verb="watch"),
    ],
)
async def test_a_rule_strikes_nobody_but_those_it_means(
    server: ApiServer, stage: Cluster, elsewhere: Fault
) -> None:
    server.faults.add(elsewhere)

    assert (await stage.list("leases")).status == 200


async def test_a_rule_strikes_as_often_as_it_says(server: ApiServer, stage: Cluster) -> None:
    server.faults.add(Fault(kind=Kind.FAIL, times=2))
    statuses = [(await stage.list("leases")).status for _ in range(3)]

    assert statuses == [500, 500, 200]
    assert server.faults.rules() == []


def test_a_rule_that_could_not_work_is_refused() -> None:
    for bad in (
        {"kind": Kind.DELAY},
        {"kind": Kind.STALE_LIST},
        {"kind": Kind.FAIL, "times": 0},
        {"kind": Kind.FAIL, "status": 200},
        {"kind": Kind.LAG, "seconds": -1.0},
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
            Fault(**bad)


async def test_tokens_can_be_changed_while_the_server_runs(
    server: ApiServer, stage: Cluster
) -> None:
    server.tokens.update({"old", "new"})
    stage.token = "old"  # noqa: S105
    assert (await stage.list("leases")).status == 200

    server.tokens.discard("old")
    assert (await stage.list("leases")).status == 401
    stage.token = "new"  # noqa: S105
    assert (await stage.list("leases")).status == 200


async def test_lists_can_be_garbage_or_break_off(server: ApiServer, stage: Cluster) -> None:
    with server.faults.active(Fault(kind=Kind.GARBAGE_LIST)), pytest.raises(ValueError):  # noqa: PT011
        await stage.list("leases")
    server.faults.add(Fault(kind=Kind.TRUNCATED_LIST))
    with pytest.raises(aiohttp.ClientPayloadError):
        await stage.list("leases")


async def test_requests_are_counted_for_each_client(server: ApiServer, stage: Cluster) -> None:
    await stage.list("leases")
    await stage.ask("GET", stage.path("leases", "absent"), headers=OTHER)

    assert server.requests.count(client="first", verb="list", resource="leases") == 1
    assert server.requests.count(client="second", verb="get", status=404) == 1
    assert len(server.requests) == 2
