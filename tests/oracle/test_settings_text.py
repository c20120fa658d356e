"""Files that install has edited, read by Cassandra's own loader."""

import asyncio
import subprocess
from pathlib import Path

from localring.cache import cache_folder
from localring.jars import fetch_jars
from localring.java import MODULES, find_java, java_environment
from seedprovider.install.parameters import CLASS, wanted
from seedprovider.install.yamledit import with_provider
from seedprovider.install.yamltext import parse, provider_of
from tests.fakes.cassandrayaml import SHAPE_4_1, SHAPE_5_0

SOURCE = Path(__file__).with_name("Provider.java")
PATIENCE = 60.0  # seconds; it takes two
URL = "http://127.0.0.1:8078"
READ = f"read {CLASS} {{seeds=10.0.0.1, sidecar_url={URL}}} 16"
SHAPES = (
    SHAPE_4_1,
    SHAPE_5_0,
    "\ufeff" + SHAPE_5_0.replace("\n", "\r\n"),
    "num_tokens: 16",
    "{num_tokens: 16, # few\n}",
    "? seed_provider\n: class_name: X\nnum_tokens: 16\n",
    '{"num_tokens": 16, "seed_provider": [{"class_name": "X"} # why\n]}',
)


def test_cassandra_reads_the_provider_from_every_shape(tmp_path: Path) -> None:
    files = []
    for number, text in enumerate(SHAPES):
        document = parse(text)
        provider = wanted(provider_of(document), "10.0.0.1", URL).provider
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_bytes(with_provider(document, provider).encode())
    jars = asyncio.run(fetch_jars(cache_folder(), lambda _: None))
    java = asyncio.run(find_java())

    done = subprocess.run(  # noqa: S603 -- our own program
        [
            *(str(java.executable), *MODULES, "-cp", jars.class_path(), str(SOURCE)),
            *(file.as_uri() for file in files),
        ],
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
        env=java_environment(),
    )

    read = [line for line in done.stdout.splitlines() if line.startswith("read ")]
    assert (done.returncode, read) == (0, [READ] * len(SHAPES)), done.stdout + done.stderr
