"""What every node is started from: Java, Cassandra's jars, and the class-data archives."""

from dataclasses import dataclass

from localring.archive import Archive
from localring.jars import Jars
from localring.java import Java


@dataclass(frozen=True, slots=True)
class Kit:
    """The same for all nodes of a ring."""

    java: Java
    jars: Jars
    archive: Archive
