"""What every node is started from: Java, Cassandra's jars, an agent, class-data archives."""

from dataclasses import dataclass
from pathlib import Path

from localring.archive import Archive
from localring.jars import Jars
from localring.java import Java


@dataclass(frozen=True, slots=True)
class Kit:
    """The same for all nodes of a ring.

    Attributes:
        agent: the jar with which nodes can be cut off (`localring.cutting`).

    """

    java: Java
    jars: Jars
    agent: Path
    archive: Archive
