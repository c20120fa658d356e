"""Guards that change nothing that matters when they are off, each with the reason.

A guard neither here nor in `held.HELD` has to break a law; `make model-mutants` looks, and a
test holds that none is forgotten.
"""

# ruff: noqa: E501 -- sentences that stand alone

EQUIVALENT: dict[str, str] = {
    "admission._replace: if address == asker.address": "only the words of the reason",
    "protocol._way_out_for_old: … and host is not None": "equivalent: a member's disk without a host ID is unknown; the condition is there for the types",
    "protocol._is_member_unawares: if host is None or ring is None": "equivalent: no member has a host without an ID in its ring, and nobody is a confirmed member of no ring; the condition is there for the types",
    "protocol._is_member_unawares: … or host is None": "equivalent: no member has a host without an ID in its ring; the condition is there for the types",
    "protocol._is_member_unawares: … or ring is None": "equivalent: nobody is a confirmed member of no ring; the condition is there for the types",
    "admission._hears_unheard: … or ()": "equivalent: a member that has not said whom it sees has objected before; the condition is there for the types",
    "protocol._from_confirmed: if silent": "only the words of the reason",
    "admission._admit: … and entry.host_id is not None": "equivalent: `ledger_members` gives entries with a host ID alone; the condition is there for the types",
    "admission._unsettled: if ledger": "only the words of the reason",
    "admission._is_gone: … or host is None": "equivalent: `ledger_members` gives entries with a host ID alone; the condition is there for the types",
    'admission._doubt_of: … or "its host ID is not the ledger\'s"': "only the words of the reason",
    "admission._restless: … and pod is not None": "only the words of the reason",
    "admission._restless: … and not evidence.proven_stopped(case.view, pod)": "only the words of the reason",
    "admission._rack_before: … or pod in ledger": "equivalent: a pod of the ledger is confirmed by then, or gone with its volume, or `_unsettled` has spoken before; a confirmed one is not coming",
    "founding._blocker: if state is DiskState.UNKNOWN": "only the words of the reason",
    "founding.waiting_for: if record.founder_pvc_uid is None": "only the words of the reason",
    "founding.waiting_for: if founds or record.founder_pvc_uid not in live.volumes.values()": "only the words of the reason",
    "founding.waiting_for: … or founds": "only the words of the reason",
    "founding.waiting_for: … or record.founder_pvc_uid not in live.volumes.values()": "only the words of the reason",
    "founding.waiting_for: if reason is not None": "only the words of the reason",
    "founding.rebuild: … or ring is None": "equivalent: no ring has no carriers, which is never more than half; the condition is there for the types",
    "founding.rebuild: … and disk.ring_id is not None": "equivalent: a ring that more than half of the disks carry has more carriers than marks that name none; the condition is there for the types",
    "evidence.doubt: … and report.disk.ring_id is not None": "only the words of the reason: the mark of a member always names a ring (`disk.parse_mark`)",
    "evidence.doubt: if stranger": "only the words of the reason",
    "evidence.confirmed: … and endpoint.pod in view.reports": "equivalent: of a pod without a report `doubt` says that its sidecar is silent; the condition only spares it the question",
    "evidence._at_broadcast_address: … or beat.address == endpoint.address": "equivalent: an endpoint that gets the address it has is the same value",
    "evidence.other_disks: for … if uid is not None": "equivalent: a pod whose claim is not bound is passed over when it comes to its disk",
    "duties._not_adoptable: if view.live is None": "equivalent: `record_step` has sent away whoever has no live read; the condition is there for the types",
    "duties._not_adoptable: … or report is None": "equivalent: without a report there is no heartbeat, which is asked for next; the condition is there for the types",
}
"""Nothing that harms a ring can come of these."""
