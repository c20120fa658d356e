package io.k8s.cassandra;

import static io.k8s.cassandra.StubSidecar.OTHER_RING;
import static io.k8s.cassandra.StubSidecar.RING;
import static io.k8s.cassandra.StubSidecar.hang;
import static io.k8s.cassandra.StubSidecar.list;
import static io.k8s.cassandra.StubSidecar.seeds;
import static io.k8s.cassandra.StubSidecar.status;
import static io.k8s.cassandra.StubSidecar.withheld;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;

import org.apache.cassandra.locator.InetAddressAndPort;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KubernetesSeedProviderTest {
    @TempDir
    Path temporary;
    private final FastTiming timing = new FastTiming();
    private StubSidecar stub;
    private DataDirectory data;
    private FakeBeans beans;
    private LogLines log;
    private KubernetesSeedProvider provider;

    @BeforeEach
    void start() throws Exception {
        stub = new StubSidecar();
        data = new DataDirectory(temporary.resolve("data"));
        beans = new FakeBeans();
        log = new LogLines();
    }

    @AfterEach
    void stop() throws Exception {
        if (provider != null) {
            provider.close();
        }
        stub.close();
        beans.close();
        log.close();
        Eventually.holds("the heartbeat's thread has ended", () -> heartbeatThreads().isEmpty());
    }

    private static List<Thread> heartbeatThreads() {
        List<Thread> found = new ArrayList<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals(Heartbeat.THREAD)) {
                found.add(thread);
            }
        }
        return found;
    }

    private KubernetesSeedProvider provider() {
        Map<String, String> parameters = new HashMap<>();
        parameters.put("sidecar_url", stub.url());
        parameters.put("data_directory", data.path.toString());
        provider = new KubernetesSeedProvider(parameters, timing);
        return provider;
    }

    private List<String> seedsNow() {
        List<String> literals = new ArrayList<>();
        for (Object seed : provider.getSeeds()) {
            literals.add(((InetAddressAndPort) seed).getHostAddress(false));
        }
        return literals;
    }

    private void beats(int more) throws Exception {
        int from = stub.heartbeats.size();
        Eventually.holds(more + " more heartbeats", () -> stub.heartbeats.size() >= from + more);
    }

    private void heartbeatSays(String part) throws Exception {
        Eventually.holds("a heartbeat with " + part,
                () -> !stub.heartbeats.isEmpty() && stub.lastHeartbeat().contains(part));
    }

    @Test
    void seedsCarryTheDefaultStoragePort() {
        InetAddressAndPort seed = (InetAddressAndPort) provider().getSeeds().get(0);

        assertEquals(7000, seed.getPort());
    }

    @Test
    void heartbeatsAreSentWhileTheFirstQuestionStillWaits() throws Exception {
        stub.onQuestion = withheld(1, "later");
        Thread main = new Thread(() -> provider().getSeeds());
        main.start();
        heartbeatSays("\"mode\":\"STARTING\"");
        heartbeatSays("\"state\":\"empty\"");
        stub.onQuestion = seeds("10.0.0.1");
        main.join();

        assertEquals(Collections.singletonList("10.0.0.1"), seedsNow());
    }

    @Test
    void theFirstAnswerHoldsForTheWholeStartAndTheNewestFromNormalOn() throws Exception {
        stub.onHeartbeat = list("X-Ring-Id: " + RING + "\r\nX-Actions: reload-seeds\r\n", "10.0.0.5\n10.0.0.6\n");
        beans.gossip.operation("reloadSeeds", Collections::emptyList);
        assertEquals(Collections.singletonList("10.0.0.1"), seedsAtFirst());
        beans.node("JOINING");
        beats(20);
        stub.onQuestion = seeds("10.6.6.6");
        assertEquals(Collections.singletonList("10.0.0.1"), seedsNow());
        assertTrue(beans.gossip.invoked.isEmpty());

        beans.mode("NORMAL");

        Eventually.holds("the newest list", () -> seedsNow().equals(Arrays.asList("10.0.0.5", "10.0.0.6")));
        beans.mode("MOVING");
        beats(3);
        assertEquals(Arrays.asList("10.0.0.5", "10.0.0.6"), seedsNow());
        assertEquals(1, stub.questions.size());
    }

    private List<String> seedsAtFirst() {
        provider();
        return seedsNow();
    }

    @Test
    void reloadingClosesTheLoopGossipAsksOnTheHeartbeatsThreadAndTheNextHeartbeatShowsIt() throws Exception {
        AtomicReference<List<String>> seen = new AtomicReference<>();
        beans.gossip.operation("reloadSeeds", () -> {
            seen.set(seedsNow());
            beans.gossip.set("Seeds", Arrays.asList("/10.0.0.5:7000"));
            return null;
        });
        data.member();
        seedsAtFirst();
        beans.node("NORMAL");
        stub.onHeartbeat = connection -> {
            boolean done = stub.lastHeartbeat().contains("\"seeds\":[\"10.0.0.5\"]");
            list("X-Ring-Id: " + RING + "\r\n" + (done ? "" : "X-Actions: unknown reload-seeds\r\n"), "10.0.0.5\n")
                    .to(connection);
        };

        heartbeatSays("\"seeds\":[\"10.0.0.5\"]");
        assertEquals(Collections.singletonList("10.0.0.5"), seen.get());
        assertEquals(Collections.singletonList("reloadSeeds"), beans.gossip.invoked);
    }

    @Test
    void aReloadThatFailsLeavesTheHeartGoingOn() throws Exception {
        beans.gossip.operation("reloadSeeds", () -> {
            throw new IllegalStateException("no");
        });
        beans.node("NORMAL");
        stub.onHeartbeat = list("X-Actions: reload-seeds\r\n", "10.0.0.5\n");
        seedsAtFirst();

        Eventually.holds("reload was tried", () -> beans.gossip.invoked.size() > 2);
        beats(2);
    }

    @Test
    void theMarkFollowsTheNodeFromJoiningToMemberToLeft() throws Exception {
        seedsAtFirst();
        assertEquals("version=1\nstate=joining\nring-id=" + RING + "\npvc-uid=pvc-1\n", data.mark());
        heartbeatSays("\"disk\":{\"state\":\"empty\",\"ringId\":\"" + RING + "\",\"hostId\":null");
        data.withData();
        beans.node("JOINING");
        Eventually.holds("the host ID is noted", () -> data.mark().contains("host-id=" + FakeBeans.HOST));
        assertTrue(data.mark().contains("state=joining"));
        stub.onHeartbeat = list("X-Ring-Id: " + RING + "\r\nX-Pvc-Uid: pvc-1\r\n", "10.0.0.5\n");
        beans.mode("NORMAL");
        Eventually.holds("member", () -> data.mark().equals("version=1\nstate=member\nring-id=" + RING + "\nhost-id="
                + FakeBeans.HOST + "\npvc-uid=pvc-1\nseeds=10.0.0.5\n"));
        heartbeatSays("\"disk\":{\"state\":\"member\",\"ringId\":\"" + RING + "\",\"hostId\":\"" + FakeBeans.HOST
                + "\",\"pvcUid\":\"pvc-1\"}");
        stub.onHeartbeat = list("X-Ring-Id: " + RING + "\r\nX-Pvc-Uid: pvc-2\r\n", "10.0.0.5\n");
        Eventually.holds("the new volume is noted", () -> data.mark().contains("pvc-uid=pvc-2"));
        stub.close();
        beans.mode("DECOMMISSIONED");
        Eventually.holds("left, without a sidecar", () -> data.mark().contains("state=left"));
    }

    @Test
    void aMarkThatSaysItAllIsNotWrittenAgain() throws Exception {
        data.member();
        beans.node("NORMAL");
        stub.onHeartbeat = list("X-Ring-Id: " + RING + "\r\nX-Pvc-Uid: pvc-1\r\n", "10.0.0.9\n10.0.0.8\n");
        seedsAtFirst();
        Object before = Files.getAttribute(data.file(), "unix:ino");
        beats(10);

        assertEquals(before, Files.getAttribute(data.file(), "unix:ino"));
    }

    @Test
    void seedsOfAnotherRingAreNeverUsedByAMember() throws Exception {
        data.member();
        beans.node("NORMAL");
        beans.gossip.operation("reloadSeeds", Collections::emptyList);
        stub.onHeartbeat = list("X-Ring-Id: " + OTHER_RING + "\r\nX-Actions: reload-seeds\r\n", "10.6.6.6\n");
        String before = data.mark();
        assertEquals(Collections.singletonList("10.0.0.1"), seedsAtFirst());
        beats(10);

        assertEquals(Collections.singletonList("10.0.0.1"), seedsNow());
        assertEquals(before, data.mark());
        assertTrue(beans.gossip.invoked.isEmpty());
        assertEquals(1, log.count("its seeds are not used"));
    }

    @Test
    void aNormalNodeWhoseDataAreElsewhereIsToldOfAndLeavesNoMark() throws Exception {
        seedsAtFirst();
        beans.node("NORMAL");

        Eventually.holds("a warning", () -> log.count("data_directory must be wrong") == 1);
        assertTrue(data.mark().contains("state=joining"));
    }

    @Test
    void whateverASidecarAnswersToAHeartbeatTheListStaysAndTheHeartGoesOn() throws Exception {
        data.member();
        beans.node("NORMAL");
        stub.onHeartbeat = seeds("10.0.0.5");
        seedsAtFirst();
        Eventually.holds("the list", () -> seedsNow().equals(Collections.singletonList("10.0.0.5")));
        for (StubSidecar.Reply reply : Arrays.asList(status(204, "", ""), withheld(1, "later"), status(409, "", "no\n"),
                status(413, "", "big\n"), list("", ""), list("", "localhost\n"), StubSidecar.raw("garbage"),
                StubSidecar.reset(), hang())) {
            timing.heartbeatBound = Duration.ofMillis(200);
            stub.onHeartbeat = reply;
            beats(2);
            assertEquals(Collections.singletonList("10.0.0.5"), seedsNow());
        }
        timing.heartbeatBound = Duration.ofSeconds(20);
        stub.onHeartbeat = seeds("10.0.0.6");
        Eventually.holds("the next good list", () -> seedsNow().equals(Collections.singletonList("10.0.0.6")));
    }

    @Test
    void aBeanThatBlowsUpDoesNotStopTheHeart() throws Exception {
        beans.node("NORMAL");
        beans.storage.set("EndpointWithPortToHostId", new HashMap<String, String>() {
            private static final long serialVersionUID = 1L;

            @Override
            public void forEach(java.util.function.BiConsumer<? super String, ? super String> action) {
                throw new StackOverflowError("bean");
            }
        });
        seedsAtFirst();
        Eventually.holds("it is logged", () -> log.count("The heartbeat failed and goes on") == 1);
        beans.peers("10.0.0.2:7000", FakeBeans.PEER);

        heartbeatSays(FakeBeans.PEER);
    }

    @Test
    void peersAreSentWholeUntilAcknowledgedThenWhenTheyChangeAndWhenAskedFor() throws Exception {
        stub.onHeartbeat = withheld(1, "no");
        beans.node("NORMAL");
        provider();
        heartbeatSays("\"peers\":[");
        beats(2);
        assertTrue(stub.lastHeartbeat().contains("\"peers\":["));
        stub.onHeartbeat = status(204, "", "");
        Eventually.holds("the hash only", () -> !stub.lastHeartbeat().contains("\"peers\":"));
        assertTrue(stub.lastHeartbeat().contains("\"peersHash\":\""));

        beans.peers("10.0.0.3:7000", FakeBeans.PEER);
        Eventually.holds("the change", () -> sent("\"address\":\"10.0.0.3\"") == 1);
        beats(3);
        assertEquals(1, sent("\"address\":\"10.0.0.3\""));

        stub.onHeartbeat = connection -> {
            boolean has = stub.lastHeartbeat().contains("\"peers\":");
            status(204, has ? "" : "X-Actions: send-peers\r\n", "").to(connection);
        };
        Eventually.holds("asked for", () -> sent("\"address\":\"10.0.0.3\"") > 1);
    }

    private long sent(String part) {
        return stub.heartbeats.stream().filter(beat -> beat.body.contains(part)).count();
    }

    @Test
    void actionsWithoutEndAreCarriedOutEightTimesInARowAtMost() throws Exception {
        List<Integer> atPause = Collections.synchronizedList(new ArrayList<>());
        stub.onHeartbeat = status(204, "X-Actions: send-peers\r\n", "");
        Map<String, String> parameters = new HashMap<>();
        parameters.put("sidecar_url", stub.url());
        parameters.put("data_directory", data.path.toString());
        provider = new KubernetesSeedProvider(parameters, new FastTiming() {
            @Override
            void sleep(long millis) throws InterruptedException {
                atPause.add(stub.heartbeats.size());
                super.sleep(millis);
            }
        });

        Eventually.holds("two pauses", () -> atPause.size() >= 2);
        assertEquals(Arrays.asList(8, 16), atPause.subList(0, 2));
    }

    @Test
    void manyThreadsThatAskAtOnceGetOneAnswerFromOneQuestion() throws Exception {
        stub.onQuestion = connection -> {
            Thread.sleep(50);
            seeds("10.0.0.1").to(connection);
        };
        provider();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<List<String>>> answers = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                answers.add(threads.submit(this::seedsNow));
            }
            for (Future<List<String>> answer : answers) {
                assertEquals(Collections.singletonList("10.0.0.1"), answer.get());
            }
        } finally {
            threads.shutdownNow();
        }
        assertEquals(1, stub.questions.size());
    }

    @Test
    void onceThereIsAnAnswerNothingThatTheSidecarDoesCanHoldACallerUp() throws IOException {
        seedsAtFirst();
        stub.onQuestion = hang();
        stub.onHeartbeat = hang();
        for (int i = 0; i < 1_000; i++) {
            assertEquals(Collections.singletonList("10.0.0.1"), seedsNow());
        }
        assertEquals(1, stub.questions.size());
    }

    @Test
    void anInterruptedStartThrowsAndKeepsTheInterrupt() {
        stub.onQuestion = hang();
        provider();
        Thread.currentThread().interrupt();

        assertThrows(IllegalStateException.class, () -> provider.getSeeds());
        assertTrue(Thread.interrupted());
    }

    @Test
    void theOnlyThreadIsADaemonAndAWrongParameterLeavesNone() {
        provider();
        assertEquals(1, heartbeatThreads().size());
        assertTrue(heartbeatThreads().get(0).isDaemon());

        assertThrows(IllegalArgumentException.class,
                () -> new KubernetesSeedProvider(Collections.singletonMap("silence_bound", "soon")));
        assertEquals(1, heartbeatThreads().size());
    }

    @Test
    void withoutCassandraTheDataDirectoryHasToBeNamed() {
        String message = assertThrows(IllegalStateException.class, () -> new KubernetesSeedProvider(null)).getMessage();

        assertTrue(message.contains("data_directory"), message);
        assertFalse(heartbeatThreads().iterator().hasNext());
    }
}
