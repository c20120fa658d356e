"""Every row of the table in docs/architecture.md is told by a test on real Cassandra.

Of each rule `tests/integration/test_rows.py` holds that its story goes through it. A rule has
several rows, and rows several cases: here is which test tells which.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TABLE = (ROOT / "docs" / "architecture.md").read_text()
ROW = re.compile(
    r"^\| (?P<asker>[^|]+) \| (?P<situation>[^|]*)\| [^|]+ \| [^|]+ \|$", re.MULTILINE
)

STORIES = {
    "member: another member is confirmed": (
        "a_pod_on_another_address_is_the_same_member_and_seeds_follow_without_a_restart",
        "a_frozen_cassandra_is_unready_and_neither_restarted_nor_in_the_way_of_others",
    ),
    "member: none is": (
        "slices_that_still_name_dead_addresses_after_a_reboot_of_everything_split_no_ring",
        "a_member_whose_address_another_took_over_while_all_were_down_comes_back",
    ),
    "member: nothing was read since the sidecar started": (
        "all_come_back_at_other_addresses_while_the_api_server_is_away",
        "a_node_starts_from_the_last_good_list_while_the_api_server_is_away",
    ),
    "member: the ledger, read live, has its host as left": (
        "a_host_removed_from_the_ring_while_its_pod_was_off_stays_out_until_it_is_emptied",
    ),
    "member: the ledger, read live, has another host as this pod's member": (
        "a_wiped_node_takes_its_place_again_never_sees_itself_and_its_old_disk_stays_out",
    ),
    "member: the ledger as last heard says one of these": (
        "a_wiped_node_takes_its_place_again_never_sees_itself_and_its_old_disk_stays_out",
    ),
    "member: its host ID lives in another pod": (
        "a_cloned_volume_is_refused_while_its_original_serves",
        "a_copy_that_nobody_can_tell_from_its_original_keeps_both_out_until_one_is_empty",
    ),
    "any: the sidecar cannot read it": (
        "a_member_whose_sidecar_cannot_read_its_disk_waits_and_starts_once_it_can",
        "data_without_a_mark_on_a_volume_that_nobody_knows_stays_out_until_it_is_told",
    ),
    "left: ": ("a_decommissioned_disk_started_again_is_refused_until_it_is_emptied",),
    "any with data: its ring is not that of the record, read live": (
        "a_disk_of_another_ring_is_refused_but_not_by_a_record_that_is_only_remembered",
        "the_only_disk_of_a_ring_put_back_while_another_is_founded_is_told_how_to_go_on",
    ),
    "any with data: its ring is not that of the record as last heard": (
        "a_disk_of_another_ring_is_refused_but_not_by_a_record_that_is_only_remembered",
    ),
    "unmarked: no record": (
        "a_ring_with_data_is_adopted_by_one_rolling_restart",
        "two_rings_that_were_founded_apart_are_not_adopted_and_both_are_named",
        "a_ring_whose_record_and_marks_are_all_lost_is_adopted_anew",
    ),
    "unmarked: a record, and the ledger has this pod": (
        "a_disk_that_lost_its_mark_is_known_by_its_volume_and_marked_again",
        "members_whose_marks_are_all_lost_start_together_and_are_marked_again",
    ),
    "unmarked: a record, and its own volume claim is not known": (
        "a_disk_that_lost_its_mark_is_known_by_its_volume_and_marked_again",
    ),
    "unmarked: a record otherwise": (
        "data_without_a_mark_on_a_volume_that_nobody_knows_stays_out_until_it_is_told",
    ),
    "joining: a confirmed member has its host ID as a member": (
        "a_node_that_died_after_it_was_normal_and_before_its_mark_said_so_is_a_member",
    ),
    "blank: the API server does not answer": (
        "a_node_on_a_new_volume_waits_for_the_api_server_and_then_starts_without_it",
        "an_empty_disk_without_a_claim_or_whose_entry_cannot_be_written_comes_in_nowhere",
    ),
    "blank: the Service carries the pause annotation": (
        "a_pause_lets_nobody_in_and_serves_members_until_it_is_over",
    ),
    "blank: its own volume claim is not found": (
        "an_empty_disk_without_a_claim_or_whose_entry_cannot_be_written_comes_in_nowhere",
    ),
    "blank: no record; some disk carries a mark": (
        "a_record_deleted_by_hand_while_members_live_is_rebuilt_from_the_marks",
        "a_record_deleted_while_all_are_down_is_rebuilt_and_nobody_founds",
        "pod_0_wiped_together_with_a_lost_record_founds_nothing_and_gets_its_place_back",
    ),
    "blank: no record; a disk holds data": (
        "pod_0_wiped_together_with_a_lost_record_founds_nothing_and_gets_its_place_back",
        "a_record_deleted_while_its_founder_is_on_its_way_lets_nobody_found_beside_it",
        "an_operator_may_approve_founding_over_a_disk_that_is_given_up",
    ),
    "blank: no record, all others blank; a lower ordinal": (
        "a_pod_waits_for_a_lower_one_that_does_not_ask_yet_to_found_the_ring",
        "a_pod_0_that_never_gets_an_address_keeps_nobody_from_founding_and_joins_later",
    ),
    "blank: no record, all others blank": ("three_empty_nodes_started_at_once_form_one_ring",),
    "blank: founder of the record": (
        "three_empty_nodes_started_at_once_form_one_ring",
        "an_operator_may_approve_founding_over_a_disk_that_is_given_up",
    ),
    "blank: founder's volume gone": (
        "a_founder_whose_volume_is_lost_before_it_ever_was_normal_is_succeeded",
    ),
    "blank: the same as below, but its rack has a node": (
        "the_first_node_of_a_rack_goes_before_the_second_of_another",
    ),
    "blank: no host ID for this pod in the ledger": (
        "nodes_joined_one_after_the_other_by_their_own_logs",
        "a_pod_killed_while_joining_is_no_member_without_data_when_all_start_again",
    ),
    "blank: the ledger has a host ID for this pod": (
        "a_wiped_node_takes_its_place_again_never_sees_itself_and_its_old_disk_stays_out",
        "two_disks_lost_at_once_come_back_one_after_the_other",
    ),
    "blank: the same, but no member maps the lost host any more": (
        "a_lost_disk_whose_old_address_another_pod_uses_now_comes_in_as_a_new_member",
    ),
    "blank: anything else": (
        "a_holder_of_the_join_turn_frozen_past_its_lease_still_has_it",
        "the_join_turn_deleted_by_hand_lets_nobody_in_beside_who_is_on_the_way",
        "two_disks_lost_at_once_come_back_one_after_the_other",
    ),
}
"""Which tests tell a row, by the asker's disk and how the situation begins."""


def rows() -> list[str]:
    """Return the rows of the table, each as its asker and situation."""
    _, _, rest = TABLE.partition("| asker's disk | situation | answer | rule |\n")
    table = rest.partition("\n\n")[0]
    return [f"{row['asker']}: {row['situation']}" for row in ROW.finditer(table)]


def told_by(row: str) -> str:
    """Return the key of the stories of a row, the longest that fits, empty without one."""
    return max((key for key in STORIES if row.startswith(key)), key=len, default="")


def test_every_row_of_the_table_is_told_on_real_cassandra() -> None:
    assert [row for row in rows() if not told_by(row)] == []
    assert {told_by(row) for row in rows()} == STORIES.keys()


def test_every_story_that_is_named_exists() -> None:
    files = (ROOT / "tests" / "integration").glob("test_*.py")
    trees = [ast.walk(ast.parse(file.read_text())) for file in files]
    tests = {n.name for tree in trees for n in tree if isinstance(n, ast.AsyncFunctionDef)}
    named = {f"test_{story}" for stories in STORIES.values() for story in stories}

    assert named - tests == set()
