"""Cassandra's own classes as a process that answers questions (see `Oracle.java`)."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from localring.cache import cache_folder
from localring.jars import fetch_jars
from localring.java import MODULES, find_java, java_environment
from ring.model import Everywhere, Keyspace, Local, Mode, Node, Simple

SOURCE = Path(__file__).with_name("Oracle.java")
STOP_PATIENCE = 10.0  # seconds; it ends with its input
STATES = {Mode.NORMAL: "normal", Mode.LEAVING: "leaving", Mode.MOVING: "moving"}

Ranges = list[tuple[int, list[tuple[int, bool]]]]  # token, (node, whether transient) in order


class OracleError(Exception):
    """Cassandra's classes refused."""


@dataclass(frozen=True)
class Oracle:
    """Questions about one ring at a time; nodes are numbers, from 0."""

    asks: IO[str]
    answers: IO[str]

    def ask(self, *words: object) -> list[str]:
        """Send one command; return its answer's lines."""
        self.asks.write(" ".join(map(str, words)) + "\n")
        self.asks.flush()
        lines = []
        for line in self.answers:
            text = line.rstrip("\n")
            if text == ".":
                return lines
            if text.startswith("! "):
                raise OracleError(text[2:])
            lines.append(text)
        raise OracleError("the oracle ended")

    def load(self, nodes: list[Node], keyspaces: list[Keyspace]) -> None:
        """Forget the last ring, take this one."""
        self.ask("clear")
        for number, node in enumerate(nodes):
            if node.tokens:
                self.ask(*_node_words(number, node, nodes))
        for keyspace in keyspaces:
            self.ask("keyspace", keyspace.name, *_options(keyspace))

    def replicas(self, keyspace: str) -> Ranges:
        """Return all ranges by their last token, with their natural replicas."""
        return [_range(line) for line in self.ask("replicas", keyspace)]

    def pending(self, keyspace: str, tokens: list[int]) -> list[set[int] | None]:
        """Return, for each token, the nodes that its ranges are pending for.

        None is where Cassandra itself fails, as it does where a node is pending twice.
        """
        answer = [
            line.partition(" ")[2] for line in self.ask("pending", keyspace, _joined(tokens))
        ]
        return [None if names == "?" else _nodes(names) for names in answer]

    def shares(self, keyspace: str | None) -> dict[int, tuple[str, str]]:
        """Return each node's share as a Java float and as nodetool prints it."""
        lines = self.ask("owns", keyspace) if keyspace else self.ask("primary")
        return {int(n): (share, text) for n, share, text in (line.split() for line in lines)}

    def able(
        self, keyspace: str, dc: str, tokens: list[int], alive: list[int]
    ) -> list[set[str]] | None:
        """Return, for each token, what a coordinator in ``dc`` can do, as `Check` names it.

        None is where Cassandra itself fails over a node that is pending twice.
        """
        words = _joined(tokens), _joined(alive) or "-"
        try:
            lines = self.ask("able", keyspace, dc, *words)
        except OracleError as error:
            if "Conflicting replica" in str(error):
                return None
            raise
        return [set(line.partition(" ")[2].split(",")) for line in lines]

    def times(self, keyspace: str, rounds: int) -> list[tuple[float, float]]:
        """Return seconds for all natural replicas, and for effective ownership, a round."""
        lines = [line.split() for line in self.ask("time", keyspace, rounds)]
        return [(int(line[0]) / 1e9, int(line[1]) / 1e9) for line in lines]


@contextmanager
def oracle(*flags: str) -> Iterator[Oracle]:
    """Run the oracle; its process is gone when the context ends."""
    jars = asyncio.run(fetch_jars(cache_folder(), lambda _: None))
    java = asyncio.run(find_java())
    # ruff: noqa: S603 -- our own program
    with subprocess.Popen(
        [str(java.executable), *MODULES, *flags, "-cp", jars.class_path(), str(SOURCE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=java_environment(),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Oracle(process.stdin, process.stdout)
            process.stdin.close()
            process.wait(STOP_PATIENCE)
        finally:
            process.kill()


def _node_words(number: int, node: Node, nodes: list[Node]) -> list[object]:
    words: list[object] = ["node", number, node.dc, node.rack]
    if node.mode is not Mode.JOINING:
        words += [STATES[node.mode], _joined(node.tokens)]
        return [*words, node.moving_to] if node.moving_to is not None else words
    if node.replaces is None:
        return [*words, "joining", _joined(node.tokens)]
    old = next(i for i, other in enumerate(nodes) if other.host_id == node.replaces)
    return [*words, "replacing", _joined(node.tokens), old]


def _options(keyspace: Keyspace) -> list[str]:
    match keyspace.replication:
        case Simple(factor):
            return ["class=SimpleStrategy", f"replication_factor={factor}"]
        case Everywhere() | Local():
            raise OracleError("Apache Cassandra does not place this one on the ring")
        case topology:
            given = [f"{dc}={factor}" for dc, factor in topology.factors]
            return ["class=NetworkTopologyStrategy", *given]


def _joined(tokens: list[int] | tuple[int, ...]) -> str:
    return ",".join(map(str, tokens))


def _range(line: str) -> tuple[int, list[tuple[int, bool]]]:
    token, _, names = line.partition(" ")
    found = [(int(name.lstrip("*")), name.startswith("*")) for name in names.split(",") if name]
    return int(token), found


def _nodes(names: str) -> set[int]:
    return {int(name.lstrip("*")) for name in names.split(",") if name}
