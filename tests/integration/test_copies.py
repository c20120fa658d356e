"""Two disks with one host ID: a volume was cloned, and a second pod got the copy."""

import shutil
from pathlib import Path

from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import (
    delete_entry,
    hosts,
    known,
    until_disk,
    until_reason,
    until_told,
)


@provokes(Rule.MEMBER_CLONED)
async def test_a_cloned_volume_is_refused_while_its_original_serves(
    ring: LocalRing, tmp_path: Path
) -> None:
    await write(ring, "cloned")
    before = await hosts(ring)
    await ring.stop(2)
    shutil.copytree(ring.disks.of("cassandra-2"), tmp_path / "clone")
    ring.start(2)
    await ring.wait_until_whole()
    await ring.insert_disk(3, tmp_path / "clone")
    ring.start(3)
    try:
        told = await until_told(ring, 3, Rule.MEMBER_CLONED)
        assert told.outcome == "refused"
        assert "cassandra-2" in told.reason
        assert (await known(ring))["cassandra-3"].mode in {None, "STARTING"}
    finally:
        await ring.lose(3)
        await ring.replace_volume(3)
    await ring.wait_until_whole()

    assert await hosts(ring) == before
    assert await read(ring, 2) == {"cloned"}


@provokes(Rule.MEMBER_CLONED)
async def test_a_copy_that_nobody_can_tell_from_its_original_keeps_both_out_until_one_is_empty(
    ring: LocalRing, tmp_path: Path
) -> None:
    await write(ring, "copied")
    before = await hosts(ring)
    await ring.stop(2)
    shutil.copytree(ring.disks.of("cassandra-2"), tmp_path / "copy")
    await ring.insert_disk(3, tmp_path / "copy")
    ring.start(3)
    try:
        silent = await until_told(ring, 3, Rule.MEMBER_CLONED)
        assert "cassandra-2, which is silent" in silent.reason
        ring.start(2)
        async with ring.pod(2).cassandra.held():  # or it would run, and so be the original
            await until_disk(ring, 2, "member")
            delete_entry(ring, 2)
            await until_reason(ring, 3, "the ledger knows neither")
        told = await until_told(ring, 2, Rule.MEMBER_CLONED)
        assert (told.outcome, silent.outcome) == ("withheld", "withheld")
        assert "cassandra-3" in told.reason
    finally:
        await ring.lose(3)
        await ring.replace_volume(3)
    await ring.wait_until_whole()

    assert await hosts(ring) == before
    assert await read(ring, 2) == {"copied"}
