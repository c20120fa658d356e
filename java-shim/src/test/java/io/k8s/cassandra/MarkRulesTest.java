package io.k8s.cassandra;

import static io.k8s.cassandra.DataDirectory.HOST;
import static io.k8s.cassandra.StubSidecar.OTHER_RING;
import static io.k8s.cassandra.StubSidecar.RING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class MarkRulesTest {
    private static final Disk.Reading EMPTY = new Disk.Reading(Disk.State.EMPTY, null);
    private static final Disk.Reading UNMARKED = new Disk.Reading(Disk.State.UNMARKED, null);

    private static Disk.Reading disk(Mark.State state, String ring, String host, String pvc, String... seeds) {
        return new Disk.Reading(Disk.State.valueOf(state.name()), new Mark(state, ring, host, pvc, Arrays.asList(seeds)));
    }

    private static Answer answer(String ring, String pvc, String... seeds) throws SidecarException {
        String body = seeds.length == 0 ? "" : String.join("\n", seeds) + "\n";
        Map<String, String> headers = new HashMap<>();
        headers.put("content-type", "text/plain");
        headers.put("content-length", String.valueOf(body.length()));
        headers.put("x-ring-id", ring);
        headers.put("x-pvc-uid", pvc);
        return Answer.toHeartbeat(new Http.Response(seeds.length == 0 ? 204 : 200, headers,
                body.getBytes(StandardCharsets.US_ASCII)));
    }

    private static void assertMark(String text, Mark mark) {
        assertEquals(text, mark == null ? null : mark.toString().replace("version=1 ", ""));
    }

    @Test
    void anEmptyDiskIsMarkedAsJoiningBeforeTheFirstAnswerIsUsed() throws SidecarException {
        assertMark("state=joining ring-id=" + RING + " pvc-uid=p",
                MarkRules.onFirstAnswer(EMPTY, answer(RING, "p", "10.0.0.1")));
    }

    @Test
    void aJoiningDiskKeepsItsHostIdInTheSameRingAndLosesItInAnother() throws SidecarException {
        Disk.Reading joining = disk(Mark.State.JOINING, RING, HOST, "p");

        assertNull(MarkRules.onFirstAnswer(joining, answer(RING, "p", "10.0.0.1")));
        assertMark("state=joining ring-id=" + RING + " host-id=" + HOST + " pvc-uid=q",
                MarkRules.onFirstAnswer(joining, answer(RING, "q", "10.0.0.1")));
        assertMark("state=joining ring-id=" + OTHER_RING,
                MarkRules.onFirstAnswer(joining, answer(OTHER_RING, null, "10.0.0.1")));
    }

    @ParameterizedTest
    @EnumSource(Mark.State.class)
    void theFirstAnswerChangesNoMarkOfADiskThatIsNotNew(Mark.State state) throws SidecarException {
        if (state != Mark.State.JOINING) {
            assertNull(MarkRules.onFirstAnswer(disk(state, RING, HOST, "p"), answer(OTHER_RING, "q", "10.0.0.1")));
        }
        assertNull(MarkRules.onFirstAnswer(UNMARKED, answer(null, "q", "10.0.0.1")));
    }

    @Test
    void theHostIdIsNotedWhileTheNodeJoinsAnswerOrNot() {
        assertMark("state=joining ring-id=" + RING + " host-id=" + HOST + " pvc-uid=p",
                MarkRules.onHeartbeat(disk(Mark.State.JOINING, RING, null, "p"), "JOINING", HOST, null));
        assertNull(MarkRules.onHeartbeat(disk(Mark.State.JOINING, RING, HOST, "p"), "JOINING", HOST, null));
        assertNull(MarkRules.onHeartbeat(disk(Mark.State.JOINING, RING, null, "p"), "STARTING", null, null));
    }

    @ParameterizedTest
    @ValueSource(strings = {RING, OTHER_RING})
    void aNormalNodeThatWasJoiningBecomesAMemberOfTheRingThatTheAnswerNames(String ring) throws SidecarException {
        assertMark("state=member ring-id=" + ring + " host-id=" + HOST + " pvc-uid=p seeds=10.0.0.1",
                MarkRules.onHeartbeat(disk(Mark.State.JOINING, RING, HOST, "p"), "NORMAL", HOST,
                        answer(ring, "p", "10.0.0.1")));
    }

    @Test
    void anUnmarkedDiskIsAdoptedOnceTheNodeIsNormalAndARingIsNamed() throws SidecarException {
        assertNull(MarkRules.onHeartbeat(UNMARKED, "NORMAL", HOST, answer(null, "p", "10.0.0.1")));
        assertNull(MarkRules.onHeartbeat(UNMARKED, "JOINING", HOST, answer(RING, "p", "10.0.0.1")));
        assertNull(MarkRules.onHeartbeat(UNMARKED, "NORMAL", null, answer(RING, "p", "10.0.0.1")));
        assertNull(MarkRules.onHeartbeat(UNMARKED, "NORMAL", HOST, null));
        assertMark("state=member ring-id=" + RING + " host-id=" + HOST,
                MarkRules.onHeartbeat(UNMARKED, "NORMAL", HOST, answer(RING, null)));
    }

    @Test
    void aMembersMarkFollowsItsVolumeItsHostIdAndItsSeeds() throws SidecarException {
        Disk.Reading member = disk(Mark.State.MEMBER, RING, HOST, "p", "10.0.0.1", "10.0.0.2");

        assertMark("state=member ring-id=" + RING + " host-id=" + HOST + " pvc-uid=q seeds=10.0.0.3",
                MarkRules.onHeartbeat(member, "NORMAL", HOST, answer(RING, "q", "10.0.0.3")));
        assertMark("state=member ring-id=" + RING + " host-id=" + OTHER_RING + " pvc-uid=p seeds=10.0.0.1,10.0.0.2",
                MarkRules.onHeartbeat(member, "NORMAL", OTHER_RING, answer(RING, null)));
    }

    @Test
    void nothingIsWrittenWhereNothingNewIsSaid() throws SidecarException {
        Disk.Reading member = disk(Mark.State.MEMBER, RING, HOST, "p", "10.0.0.1", "10.0.0.2");

        assertNull(MarkRules.onHeartbeat(member, "NORMAL", HOST, answer(RING, "p", "10.0.0.2", "10.0.0.1")));
        assertNull(MarkRules.onHeartbeat(member, "NORMAL", HOST, answer(RING, null)));
        assertNull(MarkRules.onHeartbeat(member, "NORMAL", HOST, null));
        assertNull(MarkRules.onHeartbeat(member, "DRAINED", HOST, answer(RING, "q", "10.0.0.9")));
        assertNull(MarkRules.onHeartbeat(EMPTY, "NORMAL", HOST, answer(RING, "q", "10.0.0.9")));
    }

    @Test
    void aMemberOfOneRingIsNeverMarkedForAnother() throws SidecarException {
        for (Mark.State state : new Mark.State[] {Mark.State.MEMBER, Mark.State.LEFT}) {
            Disk.Reading disk = disk(state, RING, HOST, "p");
            assertNull(MarkRules.onHeartbeat(disk, "NORMAL", HOST, answer(OTHER_RING, "p", "10.0.0.1")));
            assertTrue(MarkRules.contradicts(disk, answer(OTHER_RING, "p", "10.0.0.1")));
            assertFalse(MarkRules.contradicts(disk, answer(null, "p", "10.0.0.1")));
        }
        assertFalse(MarkRules.contradicts(disk(Mark.State.JOINING, RING, HOST, "p"), answer(OTHER_RING, "p", "10.0.0.1")));
    }

    @Test
    void aDecommissionedNodesDiskHasLeftWithOrWithoutASidecar() throws SidecarException {
        Disk.Reading member = disk(Mark.State.MEMBER, RING, HOST, "p", "10.0.0.1");

        assertMark("state=left ring-id=" + RING + " host-id=" + HOST + " pvc-uid=p seeds=10.0.0.1",
                MarkRules.onHeartbeat(member, "DECOMMISSIONED", HOST, null));
        assertNull(MarkRules.onHeartbeat(disk(Mark.State.LEFT, RING, HOST, "p"), "DECOMMISSIONED", HOST, null));
        assertNull(MarkRules.onHeartbeat(UNMARKED, "DECOMMISSIONED", HOST, null));
        assertMark("state=left ring-id=" + RING + " host-id=" + HOST,
                MarkRules.onHeartbeat(UNMARKED, "DECOMMISSIONED", HOST, answer(RING, null)));
        assertEquals(Collections.emptyList(), answer(RING, null).seeds);
    }
}
