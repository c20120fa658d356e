"""`ring watch` and `ring gate --wait`: what goes on for long, and how it ends."""

import asyncio
import contextlib
import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from localring.apiserver import Fault, Kind
from ring.client.following import Follower
from ring.client.manager import Manager, Reply, direct
from ring.commands.watching import _Feed
from ring.render_live import Look
from ring.render_watch import news, screen
from ring.status import status
from tests.unit.ring.live import PATIENCE, Live, environment, live
from tests.unit.ring.serving import Stage
from tests.unit.ring.worlds import World

WATCH = [sys.executable, "-m", "ring"]


class Process:
    """A command that goes on; what it writes is read as it comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def until(self, words: str, *, err: bool = False) -> str:
        """Return the first line with these words."""
        stream = self.process.stderr if err else self.process.stdout
        assert stream is not None
        async with asyncio.timeout(PATIENCE):
            while line := await stream.readline():
                if words.encode() in line:
                    return line.decode()
        raise AssertionError(f"it ended without {words!r}")

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


@asynccontextmanager
async def going_on(there: Live, *words: str) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        *WATCH,
        *words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(KUBECONFIG=str(there.kubeconfig)),
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_in_a_pipe_there_is_a_line_for_every_change(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with live(tmp_path, World(3)) as there, going_on(there, "watch") as watch:
        first = await watch.until("up")
        there.stage.world.down(1)
        there.stage.show()
        down = await watch.until("went down")
        found = await watch.until("member-down")
        there.stage.world = World(3)
        there.stage.show()
        back = await watch.until("came back")
        over = await watch.until("over:")
        watch.process.send_signal(number)
        code = await watch.ended()

    assert first == "2026-01-01T00:00:00Z  cassandra in shop: 3 up, 0 down, 0 unknown\n"
    assert down == "2026-01-01T00:00:01Z  cassandra-1  went down\n"
    assert "WARNING member-down: cassandra-1 is down" in found
    assert "came back after 1 s" in back
    assert "over: member-down" in over
    assert code == 0


async def test_a_watch_outlives_an_api_server_that_goes_away_and_comes_back(
    tmp_path: Path,
) -> None:
    async with live(tmp_path, World(3)) as there, going_on(there, "watch") as watch:
        await watch.until("3 up")
        await there.api.refuse()
        await watch.until(there.api.url, err=True)
        there.stage.world.down(2)
        there.stage.show()
        await there.api.accept()
        line = await watch.until("cassandra-2")
        watch.process.send_signal(signal.SIGINT)
        code = await watch.ended()

    assert "went down" in line
    assert code == 0


async def test_a_watch_ends_when_nobody_reads_on(tmp_path: Path) -> None:
    async with live(tmp_path, World(3)) as there:
        command = [*WATCH, "watch"]
        process = await asyncio.create_subprocess_shell(
            f"{shlex.join(command)} | head -n 1; echo ${{PIPESTATUS[0]}}",
            stdout=subprocess.PIPE,
            executable="/bin/bash",
            env=environment(KUBECONFIG=str(there.kubeconfig)),
        )
        ends = asyncio.ensure_future(process.communicate())
        async with asyncio.timeout(PATIENCE):
            while not ends.done():  # it notices when it has something to say
                there.stage.world.down(1)
                there.stage.show()
                await asyncio.wait([ends], timeout=0.2)
                there.stage.world = World(3)
                there.stage.show()
                await asyncio.wait([ends], timeout=0.2)
        out, _ = await ends

    assert out.decode().splitlines()[-1] == "0"


async def test_what_is_wrong_from_the_start_ends_a_watch_with_its_reason(
    tmp_path: Path,
) -> None:
    async with live(tmp_path) as there:
        done = await there.ring("watch", "--service", "other")

    assert (done.code, done.out) == (2, "")
    assert "there is no ring manager" in done.err


@pytest.mark.parametrize("key", [b"q", b"\x03"])
async def test_on_a_terminal_it_is_drawn_in_place_and_the_terminal_is_put_right(
    tmp_path: Path, key: bytes
) -> None:
    async with live(tmp_path, World(3)) as there:
        shown = await asyncio.to_thread(on_terminal, there, key)

    assert b"3 up" in shown
    assert b"\x1b[?1049h" in shown  # the other screen
    assert shown.rindex(b"\x1b[?1049l") > shown.rindex(b"3 up")
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"3 up")  # the cursor is back


def on_terminal(there: Live, key: bytes) -> bytes:
    """Watch on a terminal, press a key when it is drawn; return all that was drawn."""
    process, terminal = pty.fork()
    if process == 0:  # pragma: no cover -- another program
        env = environment(KUBECONFIG=str(there.kubeconfig), TERM="xterm", LINES="24")
        os.execve(sys.executable, [*WATCH, "watch"], env)  # noqa: S606
    shown, pressed = b"", False
    with contextlib.suppress(OSError):  # how a terminal ends
        while part := os.read(terminal, 1 << 16):
            shown += part
            if b"q to quit" in shown and not pressed:
                pressed = bool(os.write(terminal, key))
    os.close(terminal)
    _, code = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(code) == 0
    return shown


async def test_the_gate_waits_until_yes_and_tells_why_it_waits(tmp_path: Path) -> None:
    world = World(3)
    world.down(1)
    async with (
        live(tmp_path, world) as there,
        going_on(there, "gate", "cassandra-0", "--wait") as gate,
    ):
        why = await gate.until("waiting", err=True)
        there.stage.world = World(3)
        there.stage.show()
        answer = await gate.until("may stop now")
        code = await gate.ended()

    assert "shop: QUORUM read would fail" in why
    assert answer.startswith("yes: cassandra-0")
    assert code == 0


async def test_the_gate_waits_for_a_manager_that_is_away_but_not_for_one_that_forbids(
    tmp_path: Path,
) -> None:
    async with live(tmp_path, World(3)) as there:
        await there.api.refuse()
        async with going_on(there, "gate", "cassandra-0", "--wait") as gate:
            await gate.until("Connection refused", err=True)
            await there.api.accept()
            await gate.until("may stop now")
            assert await gate.ended() == 0
        there.api.faults.add(Fault(kind=Kind.FORBID, resource="services/proxy"))
        forbidden = await there.ring("gate", "cassandra-0", "--wait")
        await there.api.refuse()
        never = await there.ring("gate", "cassandra-0", "--wait", "--timeout", "0.1")

    assert (forbidden.code, never.code) == (2, 2)
    assert "Connection refused" in never.err


async def test_the_gate_stops_waiting_with_no(tmp_path: Path) -> None:
    world = World(3)
    world.down(1)
    async with live(tmp_path, world) as there:
        done = await there.ring("gate", "cassandra-0", "--wait", "--timeout", "0.1")

    assert done.code == 1
    assert done.out.startswith("no: cassandra-0 should not stop now")


async def happens(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 -- another thread tells nobody
            await asyncio.sleep(0.01)


async def test_a_stream_is_asked_for_again_with_what_was_seen_last(tmp_path: Path) -> None:
    made = 0

    async with live(tmp_path, World(3)) as there:

        def connect() -> Manager:
            nonlocal made
            made += 1
            return Manager(*direct(there.manager))

        follower = Follower(connect, jitter=lambda: 0.0, first_pause=0.01)
        follower.start()
        try:
            await happens(follower.news.is_set)
            follower.news.clear()
            there.stage.latest._judged = None  # the manager begins anew: no picture, no stream
            await there.streams.close()
            await happens(lambda: made > 1)
            there.stage.show()
            await happens(lambda: follower.news.is_set() and not follower.problem)
        finally:
            await asyncio.to_thread(follower.stop)

    assert not follower._thread.is_alive()


def shown(world: World) -> dict[str, object]:
    stage = Stage(world)
    picture = {**stage.show().document, "stale": False}
    return status(picture, None, {})


def test_a_screen_fits_and_shows_first_who_is_not_well() -> None:
    world = World(30)
    world.down(17)
    lines = screen(shown(world), [], 2.0, "", 20, Look(80))

    assert len(lines) <= 20
    assert lines[0] == "cassandra in shop: 29 up, 1 down, 0 unknown (2 s old)"
    assert lines[1] == "WARNING member-down: cassandra-17 is down"
    assert lines[4].startswith("DN  10.0.0.17")
    assert lines[-3] == "… and 17 more, none of them not UN"
    assert all(len(line) <= 80 for line in lines)


def test_a_screen_says_that_it_is_not_followed_or_stale() -> None:
    answer = shown(World(3))
    cut = screen(answer, [], 65.0, "Connection refused", 40, Look(80))
    stale = screen({**answer, "stale": True}, [], 300.0, "", 40, Look(80))

    assert cut[1] == "not followed: Connection refused"
    assert stale[0].endswith("(5 min old)")
    assert stale[1].startswith("STALE")


def test_news_tell_when_a_picture_goes_stale_and_is_renewed() -> None:
    fresh = shown(World(3))
    stale = {**fresh, "stale": True}

    assert [line.split("  ")[1] for line in news(fresh, stale, [], "")] == [
        "the picture is stale"
    ]
    assert [line.split("  ")[1] for line in news(stale, fresh, [], "")] == [
        "the picture is renewed again"
    ]
    assert list(news(fresh, fresh, [], "")) == []


class Replicas:
    """Two managers behind one address; whoever is next answers."""

    def __init__(self, *order: str) -> None:
        self.order = list(order)
        self.picture = {**Stage(World(3)).show().document, "stale": False}

    def get(self, path: str, _params: object = ()) -> Reply:
        if path != "/v1/ring":
            return Reply({"ownership": {}})
        replica = self.order.pop(0)
        return Reply({**self.picture, "history": [replica]}, 1.0, version=f"{replica}-7")


@pytest.mark.parametrize(
    ("order", "last"),
    [("aa", "a"), ("aba", "a"), ("abba", "a"), ("abbbb", "b")],
    ids=["the same", "the other between", "twice", "it is gone"],
)
def test_a_watch_stays_with_one_replica_as_long_as_that_answers(order: str, last: str) -> None:
    replicas = Replicas(*order)
    feed = _Feed(cast("Manager", replicas), "")
    feed.refresh()
    feed.refresh()

    assert feed.log == [last]
    assert replicas.order == []
