"""The line of ``cassandra-env.sh`` that puts our jar on Cassandra's class path.  Pure.

``bin/cassandra`` sources that file after ``cassandra.in.sh`` has set CLASSPATH and before it
hands CLASSPATH to Java, in every version since 3.11.
"""

import re
from typing import Final

FILE: Final = "cassandra-env.sh"
JAR: Final = "cassandra-k8s-seeds.jar"
MARK: Final = b"# written by seedprovider install"
LINE: Final = b'CLASSPATH="$CLASSPATH:$CASSANDRA_CONF/' + JAR.encode() + b'"  ' + MARK + b"\n"

_MARKED: Final = re.compile(rb"^.*" + re.escape(MARK) + rb"[^\n]*(?:\n|\Z)", re.MULTILINE)


def with_class_path(script: bytes) -> bytes:
    """Return the script with our line in it once; every other byte stays."""
    found = _MARKED.findall(script)
    if found == [LINE]:
        return script
    rest = _MARKED.sub(b"", script)
    return rest + (b"\n" if rest and not rest.endswith(b"\n") else b"") + LINE
