package io.k8s.cassandra;

import static io.k8s.cassandra.StubSidecar.OTHER_RING;
import static io.k8s.cassandra.StubSidecar.RING;
import static io.k8s.cassandra.StubSidecar.list;
import static io.k8s.cassandra.StubSidecar.seeds;
import static io.k8s.cassandra.StubSidecar.status;
import static io.k8s.cassandra.StubSidecar.withheld;
import static io.k8s.cassandra.StubSidecar.withheldBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FirstAnswerTest {
    @TempDir
    Path temporary;
    private final SkippingTiming timing = new SkippingTiming();
    private StubSidecar stub;
    private DataDirectory data;
    private LogLines log;

    @BeforeEach
    void start() throws IOException {
        stub = new StubSidecar();
        data = new DataDirectory(temporary.resolve("data"));
        log = new LogLines();
    }

    @AfterEach
    void stop() throws IOException {
        stub.close();
        log.close();
        System.clearProperty(FirstAnswer.REPLACE);
        System.clearProperty(FirstAnswer.REPLACE_FIRST_BOOT);
    }

    private List<String> get() throws InterruptedException {
        Map<String, String> parameters = new HashMap<>();
        parameters.put("silence_bound", "60");
        parameters.put("seeds", "10.9.9.9");
        return new FirstAnswer(new Sidecar(stub.address()), data.disk(), Settings.of(parameters), "10.0.0.7", timing).get();
    }

    private String failure() {
        return assertThrows(IllegalStateException.class, this::get).getMessage();
    }

    /** One reply after the other, the last for ever. */
    private static StubSidecar.Reply script(StubSidecar.Reply... replies) {
        Iterator<StubSidecar.Reply> rest = Arrays.asList(replies).iterator();
        StubSidecar.Reply[] last = {null};
        return connection -> {
            StubSidecar.Reply next;
            synchronized (last) {
                last[0] = rest.hasNext() ? rest.next() : last[0];
                next = last[0];
            }
            next.to(connection);
        };
    }

    @Test
    void anEmptyDiskIsMarkedAsJoiningByTheTimeTheSeedsAreThere() throws Exception {
        assertEquals(Collections.singletonList("10.0.0.1"), get());

        assertEquals("version=1\nstate=joining\nring-id=" + RING + "\npvc-uid=pvc-1\n", data.mark());
        assertTrue(stub.questions.get(0).line.contains("disk=empty&address=10.0.0.7&configured=10.9.9.9 "));
    }

    @Test
    void theMarkIsThereBeforeAnybodySeesTheSeedsAndWithoutItTheyAreNotGivenOut() throws Exception {
        Files.write(data.path, new byte[0]); // a file where the directory should be: nothing can be written

        assertTrue(failure().contains("data directory cannot be read") || failure().contains("cannot be marked"));
    }

    @Test
    void aMembersMarkIsNotTouchedAtTheStart() throws Exception {
        String before = data.member().mark();

        assertEquals(Collections.singletonList("10.0.0.1"), get());
        assertEquals(before, data.mark());
        assertTrue(stub.questions.get(0).line.contains("disk=member&ring=" + RING + "&host=" + DataDirectory.HOST
                + "&pvc=pvc-1"));
    }

    @Test
    void adoptionNeedsNoRingButANewDiskDoes() throws Exception {
        stub.onQuestion = list("", "10.0.0.1\n");
        data.withData();
        assertEquals(Collections.singletonList("10.0.0.1"), get());
        assertEquals("", data.mark());

        data = new DataDirectory(temporary.resolve("empty"));
        assertTrue(failure().contains("without X-Ring-Id"));
        assertEquals("", data.mark());
    }

    @Test
    void withholdingMayGoOnForAnyTimeAndIsAskedForAtThePaceThatTheSidecarNames() throws Exception {
        StubSidecar.Reply[] replies = new StubSidecar.Reply[12];
        Arrays.fill(replies, withheld(20, "cassandra-1 has the turn"));
        replies[10] = withheld(4000, "cassandra-1 has the turn");
        replies[11] = seeds("10.0.0.1");
        stub.onQuestion = script(replies);

        assertEquals(Collections.singletonList("10.0.0.1"), get());
        assertEquals(11, timing.pauses.size());
        assertEquals(22_000L, timing.pauses.get(0));
        assertEquals(33_000L, timing.pauses.get(10));
    }

    @Test
    void aReasonIsLoggedAtFirstWhenItChangesAndOnceAMinute() throws Exception {
        StubSidecar.Reply[] replies = new StubSidecar.Reply[15];
        Arrays.fill(replies, withheld(10, "first reason"));
        replies[0] = withheld(10, "other reason");
        replies[14] = seeds("10.0.0.1");
        stub.onQuestion = script(replies);

        get();

        assertEquals(1, log.count("other reason"));
        assertEquals(3, log.count("first reason")); // 13 asks, 11 s apart
    }

    @Test
    void eachWithheldAnswerMakesTheSilenceBeforeItForgotten() throws Exception {
        StubSidecar.Reply[] replies = new StubSidecar.Reply[200];
        for (int i = 0; i < replies.length; i++) {
            replies[i] = i % 20 == 19 ? withheld(1, "patience") : raw();
        }
        replies[199] = seeds("10.0.0.1");
        stub.onQuestion = script(replies);

        assertEquals(Collections.singletonList("10.0.0.1"), get());
    }

    private static StubSidecar.Reply raw() {
        return StubSidecar.raw("garbage\r\n\r\n");
    }

    @Test
    void refusedIsFinalAtOnceWithTheSidecarsReason() {
        stub.onQuestion = status(409, "", "this disk belongs to ring B\n");

        assertTrue(failure().contains("this disk belongs to ring B"));
        assertEquals(1, stub.questions.size());
    }

    @Test
    void silenceEndsTheStartOfANewDiskAndSaysWhatToCheck() throws Exception {
        stub.onQuestion = script(withheld(1, "waiting for cassandra-0"), raw());

        String message = failure();

        assertTrue(message.contains("for 60 s") && message.contains("waiting for cassandra-0")
                && message.contains("sidecar_url") && message.contains("disk, which is empty"), message);
        assertEquals("", data.mark());
    }

    @ParameterizedTest
    @ValueSource(strings = {"refused", "hang", "500", "400", "foreign"})
    void everyKindOfSilenceEndsTheSameWay(String kind) throws Exception {
        data.member();
        switch (kind) {
            case "refused":
                stub.close();
                break;
            case "hang":
                timing.questionBound = Duration.ofMillis(50);
                stub.onQuestion = StubSidecar.hang();
                break;
            case "foreign":
                stub.onQuestion = list("X-Ring-Id: " + OTHER_RING + "\r\n", "10.6.6.6\n");
                break;
            default:
                stub.onQuestion = status(Integer.parseInt(kind), "", "no");
        }

        assertEquals(Arrays.asList("10.0.0.8", "10.0.0.9"), get());
        assertEquals(1, log.count("ERROR No answer from"));
        assertTrue(timing.pauses.stream().mapToLong(Long::longValue).sum() <= 60_000);
        assertTrue(timing.pauses.stream().allMatch(pause -> pause <= 3_000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"api-away", "disk-unknown"})
    void aMemberThatWasToWaitOnlyForWhatNobodyKnewStartsInTheSilenceAfterIt(String rule) throws Exception {
        data.member();
        stub.onQuestion = script(withheldBy("member-removed"), withheldBy(rule), raw());

        assertEquals(Arrays.asList("10.0.0.8", "10.0.0.9"), get());
    }

    @ParameterizedTest
    @ValueSource(strings = {"member-removed", "member-replaced", "member-cloned", "member-in-doubt", "to-come"})
    void aMemberThatWasObjectedToDoesNotStartInTheSilenceAfterIt(String rule) throws Exception {
        data.member();
        stub.onQuestion = script(withheldBy("api-away"), withheldBy(rule), raw());

        String message = failure();

        assertTrue(message.contains("was to wait") && message.contains("a reason by rule " + rule), message);
    }

    @Test
    void aMemberThatWasToWaitForNoRuleThatIsNamedDoesNotStartInSilence() throws Exception {
        data.member();
        stub.onQuestion = script(withheld(1, "wait"), raw());

        assertTrue(failure().contains("was to wait"));
    }

    @Test
    void aMemberWithoutRememberedSeedsDoesNotStartInSilenceNorDoesADiskThatWasJoining() throws Exception {
        stub.close();
        data.withData().withMark("version=1", "state=member", "ring-id=" + RING, "host-id=" + DataDirectory.HOST);
        assertTrue(failure().contains("disk, which is member, remembers no seeds"));

        data.withMark("version=1", "state=joining", "ring-id=" + RING, "seeds=10.0.0.1");
        assertTrue(failure().contains("disk, which is joining, remembers no seeds"));
    }

    @Test
    void theDiskIsReadAnewBeforeEveryQuestion() throws Exception {
        stub.onQuestion = script(connection -> {
            data.member();
            withheld(1, "later").to(connection);
        }, seeds("10.0.0.1"));

        get();

        assertTrue(stub.questions.get(0).line.contains("disk=empty"));
        assertTrue(stub.questions.get(1).line.contains("disk=member"));
    }

    @Test
    void aDiskThatCannotBeReadEndsTheStartAndNobodyIsAsked() throws Exception {
        Files.createDirectories(data.path);
        Files.write(data.path.resolve("system"), new byte[0]);

        assertTrue(failure().contains("cannot be read"));
        assertTrue(stub.questions.isEmpty());
    }

    @Test
    void aLostDiskIsReplacedByThePropertyThatCassandraReadsOnItsFirstBoot() throws Exception {
        stub.onQuestion = list("X-Ring-Id: " + RING + "\r\nX-Replace: 10.0.0.3\r\n", "10.0.0.1\n");

        get();

        assertEquals("10.0.0.3", System.getProperty(FirstAnswer.REPLACE_FIRST_BOOT));
    }

    @Test
    void aMemberIsNeverMadeToReplaceAnybody() throws Exception {
        data.member();
        stub.onQuestion = list("X-Ring-Id: " + RING + "\r\nX-Replace: 10.0.0.3\r\n", "10.0.0.1\n");

        get();

        assertNull(System.getProperty(FirstAnswer.REPLACE_FIRST_BOOT));
        assertEquals(1, log.count("X-Replace: 10.0.0.3 has no effect"));
    }

    @ParameterizedTest
    @ValueSource(strings = {FirstAnswer.REPLACE, FirstAnswer.REPLACE_FIRST_BOOT})
    void anOperatorsFlagThatNamesAnotherNodeStopsTheStartAndOneThatAgreesDoesNot(String property) throws Exception {
        stub.onQuestion = list("X-Ring-Id: " + RING + "\r\nX-Replace: 10.0.0.3\r\n", "10.0.0.1\n");
        System.setProperty(property, "10.0.0.4");
        assertTrue(failure().contains("-D" + property + "=10.0.0.4"));
        assertEquals("", data.mark());

        System.setProperty(property, "10.0.0.3");
        assertEquals(Collections.singletonList("10.0.0.1"), get());
    }

    @Test
    void anInterruptEndsTheWait() {
        stub.onQuestion = withheld(1, "later");
        Thread.currentThread().interrupt();

        assertThrows(InterruptedException.class, this::get);
    }
}
