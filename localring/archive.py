"""Class-data archives: Cassandra's classes ready to map, which takes a third off every start.

One dump of the server and one of nodetool per Java build, set of jars and version of Cassandra;
without them everything runs, only slower.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from localring.jars import Jars
from localring.java import Java

# Cassandra runs with a Java agent, which the JVM refuses to archive or map without these two;
# they are needed at both times.
WITH_AGENT = ("-XX:+UnlockDiagnosticVMOptions", "-XX:+AllowArchivingWithJavaAgent")
DUMPABLE = 13  # the first release that dumps a dynamic archive (JEP 350)


@dataclass(frozen=True, slots=True)
class Archive:
    """Which archives to map or dump.

    Attributes:
        folder: where they are, or None to do without.
        dump: whether to write them at exit instead of mapping them.

    """

    folder: Path | None
    dump: bool = False

    def flags(self) -> list[str]:
        """Return the JVM flags for the server."""
        return self._flags("cassandra.jsa", WITH_AGENT)

    def nodetool_flags(self) -> list[str]:
        """Return the JVM flags for nodetool."""
        return self._flags("nodetool.jsa", ())

    def _flags(self, name: str, more: tuple[str, ...]) -> list[str]:
        if self.folder is None:
            return []
        option = "ArchiveClassesAtExit" if self.dump else "SharedArchiveFile"
        # auto: one that does not fit any more (another build of Java) is passed over in silence
        return [f"-XX:{option}={self.folder / name}", "-Xshare:auto", *more]


NO_ARCHIVE = Archive(None)


def archive_folder(cache: Path, java: Java, jars: Jars) -> Path:
    """Name the folder of the archives that fit exactly this Java and these jars."""
    parts = [str(java.executable), java.identity, *map(str, jars.paths)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    return cache / f"classes-{jars.version}-{digest}"
