package io.k8s.cassandra;

import java.util.Collections;

/** Decides, without doing it, when the disk's mark changes: the table "The mark is written" of docs/contracts.md. */
final class MarkRules {
    private static final String NORMAL = "NORMAL";
    private static final String DECOMMISSIONED = "DECOMMISSIONED";

    private MarkRules() {}

    /**
     * Before the first answer is used on a disk that is new to the ring.
     *
     * @return the mark to write, or null where there is nothing to write
     */
    static Mark onFirstAnswer(Disk.Reading disk, Answer answer) {
        if (!disk.isNewcomer()) {
            return null;
        }
        boolean again = disk.mark != null && disk.mark.ringId.equals(answer.ringId);
        Mark mark = new Mark(Mark.State.JOINING, answer.ringId, again ? disk.mark.hostId : null, answer.pvcUid,
                Collections.<String>emptyList());
        return mark.saysTheSameAs(disk.mark) ? null : mark;
    }

    /**
     * After a heartbeat, answered or not.
     *
     * @param mode StorageService's operation mode
     * @param hostId the node's own, null while not known
     * @param answer null where the heartbeat got none
     * @return the mark to write, or null where there is nothing to write
     */
    static Mark onHeartbeat(Disk.Reading disk, String mode, String hostId, Answer answer) {
        if (disk.state == Disk.State.EMPTY || disk.state == Disk.State.LEFT) {
            return null;
        }
        Mark next = disk.mark;
        if (mode.equals(DECOMMISSIONED)) {
            next = left(disk, hostId, answer);
        } else if (mode.equals(NORMAL) && answer != null && answer.ringId != null && !contradicts(disk, answer)) {
            next = member(disk, hostId, answer);
        } else if (disk.state == Disk.State.JOINING && hostId != null) {
            next = disk.mark.withHostId(hostId);
        }
        return next == null || next.saysTheSameAs(disk.mark) ? null : next;
    }

    /** @return whether the answer names another ring than the one that this disk is a member of, or was */
    static boolean contradicts(Disk.Reading disk, Answer answer) {
        boolean settled = disk.state == Disk.State.MEMBER || disk.state == Disk.State.LEFT;
        return settled && answer.ringId != null && !answer.ringId.equals(disk.mark.ringId);
    }

    private static Mark left(Disk.Reading disk, String hostId, Answer answer) {
        if (disk.mark != null) {
            return disk.mark.withState(Mark.State.LEFT);
        }
        return answer == null || answer.ringId == null ? null
                : new Mark(Mark.State.LEFT, answer.ringId, hostId, answer.pvcUid, answer.seeds);
    }

    private static Mark member(Disk.Reading disk, String hostId, Answer answer) {
        Mark old = disk.mark;
        String host = hostId == null && old != null ? old.hostId : hostId;
        if (host == null) {
            return old; // a member without a name helps nobody; the next second will know it
        }
        boolean same = old != null && old.ringId.equals(answer.ringId);
        return new Mark(Mark.State.MEMBER, answer.ringId, host,
                answer.pvcUid == null && same ? old.pvcUid : answer.pvcUid,
                answer.seeds.isEmpty() && same ? old.seeds : answer.seeds);
    }
}
