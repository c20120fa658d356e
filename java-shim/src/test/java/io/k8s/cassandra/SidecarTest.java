package io.k8s.cassandra;

import static io.k8s.cassandra.StubSidecar.RING;
import static io.k8s.cassandra.StubSidecar.list;
import static io.k8s.cassandra.StubSidecar.raw;
import static io.k8s.cassandra.StubSidecar.status;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SidecarTest {
    private static final Disk.Reading EMPTY = new Disk.Reading(Disk.State.EMPTY, null);
    private static final Duration AMPLE = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(150);
    private StubSidecar stub;
    private Sidecar sidecar;

    @BeforeEach
    void start() throws IOException {
        stub = new StubSidecar();
        sidecar = new Sidecar(stub.address());
    }

    @AfterEach
    void stop() throws IOException {
        stub.close();
    }

    private Answer ask(Duration bound) throws Exception {
        return sidecar.ask(EMPTY, "10.0.0.7", Collections.<String>emptyList(), bound);
    }

    @Test
    void theQuestionCarriesWhatTheDiskSaysAndNamesAreEncoded() throws Exception {
        Mark mark = new Mark(Mark.State.MEMBER, RING, DataDirectory.HOST, "pvc-1", Collections.<String>emptyList());
        sidecar.ask(new Disk.Reading(Disk.State.MEMBER, mark), "fd00::7", Arrays.asList("a", "fd00::1"), AMPLE);
        ask(AMPLE);

        assertEquals("GET /v1/seeds?disk=member&ring=" + RING + "&host=" + DataDirectory.HOST
                + "&pvc=pvc-1&address=fd00%3A%3A7&configured=a%2Cfd00%3A%3A1 HTTP/1.1", stub.questions.get(0).line);
        assertEquals("GET /v1/seeds?disk=empty&address=10.0.0.7 HTTP/1.1", stub.questions.get(1).line);
    }

    @Test
    void aGoodAnswerIsReadWithAllItsHeaders() throws Exception {
        stub.onQuestion = list("x-ring-id: " + RING.toUpperCase(java.util.Locale.ROOT) + "\r\nX-PVC-UID: p\r\nX-Replace: FD00::9\r\n"
                + "X-Actions: reload-seeds  dance\r\n", "10.0.0.1\nfd00:0::1\n10.0.0.1\n");

        Answer answer = ask(AMPLE);

        assertEquals(Arrays.asList("10.0.0.1", "fd00::1"), answer.seeds);
        assertEquals(Arrays.asList(RING, "p", "fd00::9"), Arrays.asList(answer.ringId, answer.pvcUid, answer.replace));
        assertTrue(answer.actions.contains("reload-seeds"));
    }

    @Test
    void anAnswerThatComesByteByByteIsReadWhole() throws Exception {
        String text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n10.0.0.1\n";
        stub.onQuestion = connection -> {
            for (char c : text.toCharArray()) {
                StubSidecar.write(connection, String.valueOf(c));
            }
        };

        assertEquals(Collections.singletonList("10.0.0.1"), ask(AMPLE).seeds);
    }

    @Test
    void withheldAndRefusedComeWithTheSidecarsOwnReasonMadeSafeToShow() throws Exception {
        stub.onQuestion = StubSidecar.withheld(7, "waiting for\u001b[31m cassandra-0");
        Answer withheld = ask(AMPLE);
        stub.onQuestion = status(409, "", "foreign disk\n");
        Answer refused = ask(AMPLE);

        assertEquals(Answer.Outcome.WITHHELD, withheld.outcome);
        assertEquals("waiting for [31m cassandra-0", withheld.reason);
        assertEquals(7, withheld.retryAfterSeconds);
        assertEquals(Answer.Outcome.REFUSED, refused.outcome);
        assertEquals("foreign disk", refused.reason);
    }

    static Stream<Arguments> brokenAnswers() {
        String manyLines = String.join("", Collections.nCopies(257, "10.0.0.1\n"));
        String huge = String.join("", Collections.nCopies(8_000, "10.0.0.1\n"));
        String type = "Content-Type: text/plain\r\n";
        return Stream.of(
                Arguments.of("an empty list", list("", ""), "empty"),
                Arguments.of("an empty line", list("", "\n"), "not an IP literal"),
                Arguments.of("a name", list("", "localhost\n"), "not an IP literal"),
                Arguments.of("a blank after an address", list("", "10.0.0.1 \n"), "not an IP literal"),
                Arguments.of("carriage returns", list("", "10.0.0.1\r\n"), "not an IP literal"),
                Arguments.of("a port", list("", "10.0.0.1:7000\n"), "not an IP literal"),
                Arguments.of("no node's address", list("", "0.0.0.0\n"), "not the address of one node"),
                Arguments.of("a group's address", list("", "ff02::1\n"), "not the address of one node"),
                Arguments.of("half a line", list("", "10.0.0.1\n10.0.0.2"), "cut off"),
                Arguments.of("too many lines", list("", manyLines), "257 lines"),
                Arguments.of("a huge answer", list("", huge), "larger than"),
                Arguments.of("a huge answer without a length", raw("HTTP/1.1 200 OK\r\n" + type + "\r\n" + huge), "larger than"),
                Arguments.of("huge headers", raw("HTTP/1.1 200 OK\r\nX: " + huge.replace('\n', ' ')), "headers are larger"),
                Arguments.of("another content type", status(200, "Content-Type: text/html\r\n", "10.0.0.1\n"), "text/html"),
                Arguments.of("no content type", status(200, "", "10.0.0.1\n"), "Content-Type is missing"),
                Arguments.of("no length", raw("HTTP/1.1 200 OK\r\n" + type + "\r\n10.0.0.1\n"), "Content-Length is missing"),
                Arguments.of("a strange length", raw("HTTP/1.1 200 OK\r\n" + type + "Content-Length: x\r\n\r\n"), "Content-Length is"),
                Arguments.of("two lengths", raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 9\r\n\r\n"), "Content-Length is"),
                Arguments.of("chunks", raw("HTTP/1.1 200 OK\r\n" + type + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "Transfer-Encoding"),
                Arguments.of("less than was promised", raw("HTTP/1.1 200 OK\r\n" + type + "Content-Length: 18\r\n\r\n10.0.0.1\n"), "before it is whole"),
                Arguments.of("a head without an end", raw("HTTP/1.1 200 OK\r\n"), "before it is whole"),
                Arguments.of("no HTTP", raw("SSH-2.0-OpenSSH\r\n\r\n"), "no HTTP"),
                Arguments.of("a header without a colon", raw("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), "no HTTP header"),
                Arguments.of("nothing at all", raw(""), "before it is whole"),
                Arguments.of("a redirect", status(302, "Location: http://127.0.0.1/\r\n", ""), "status 302"),
                Arguments.of("an unexpected success", status(204, "", ""), "status 204"),
                Arguments.of("a malformed question", status(400, "", "disk is missing\n"), "status 400: disk is missing"),
                Arguments.of("a server's error", status(500, "", "oops"), "status 500: oops"),
                Arguments.of("withheld for no time", status(503, "", "later"), "Retry-After"),
                Arguments.of("withheld until a date", status(503, "Retry-After: Mon\r\n", "later"), "Retry-After"),
                Arguments.of("withheld without a reason", status(503, "Retry-After: 1\r\n", ""), "without a reason"),
                Arguments.of("refused without a reason", status(409, "", "\n"), "without a reason"),
                Arguments.of("a ring that is no UUID", list("X-Ring-Id: ring\r\n", "10.0.0.1\n"), "X-Ring-Id"),
                Arguments.of("a strange volume", list("X-Pvc-Uid: a=b\r\n", "10.0.0.1\n"), "X-Pvc-Uid"),
                Arguments.of("a name to replace", list("X-Replace: cassandra-0\r\n", "10.0.0.1\n"), "X-Replace"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenAnswers")
    void whatTheContractDoesNotKnowIsAnErrorThatSaysWhatIsWrong(String what, StubSidecar.Reply reply, String said) {
        stub.onQuestion = reply;

        SidecarException error = assertThrows(SidecarException.class, () -> ask(AMPLE));

        assertTrue(error.getMessage().contains(said), error.getMessage());
    }

    static Stream<Arguments> endlessAnswers() {
        return Stream.of(
                Arguments.of("hangs", StubSidecar.hang()),
                Arguments.of("drips headers", StubSidecar.drip("HTTP/1.1 200 OK\r\nX-Drip: ")),
                Arguments.of("drips a body", StubSidecar.drip("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("endlessAnswers")
    void anAnswerThatTakesTooLongIsGivenUpHoweverItTakesItsTime(String what, StubSidecar.Reply reply) {
        stub.onQuestion = reply;

        assertThrows(IOException.class, () -> ask(SHORT));
    }

    @Test
    void aResetConnectionIsAnError() {
        stub.onQuestion = StubSidecar.reset();

        assertThrows(IOException.class, () -> ask(AMPLE));
    }

    @Test
    void nobodyThereIsAnError() throws IOException {
        stub.close();

        assertThrows(IOException.class, () -> ask(AMPLE));
    }

    @Test
    void aHeartbeatThatNobodyReadsIsGivenUpThoughItFillsEveryBuffer() throws Exception {
        // Nobody accepts either: the kernel completes the connection and buffers what it can.
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.61.201", 0))) {
            Sidecar stopped = new Sidecar((InetSocketAddress) server.getLocalAddress());
            String megabytes = new String(ByteBuffer.allocate(16 << 20).array(), java.nio.charset.StandardCharsets.US_ASCII);

            assertThrows(IOException.class, () -> stopped.tell(megabytes, SHORT));
        }
    }

    @Test
    void anInterruptEndsAnExchangeAtOnce() throws Exception {
        stub.onQuestion = StubSidecar.hang();
        Thread asker = Thread.currentThread();
        Thread interrupter = new Thread(() -> {
            try {
                Eventually.holds("the question is there", () -> !stub.questions.isEmpty());
                asker.interrupt();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        interrupter.start();

        assertThrows(InterruptedException.class, () -> ask(AMPLE));
        interrupter.join();
    }

    @Test
    void aSidecarOnIpv6IsAskedToo() throws Exception {
        try (ServerSocket probe = new ServerSocket(0, 1, IpLiteral.parse("::1"))) {
            probe.setSoTimeout(20_000);
            Thread server = new Thread(() -> {
                try (java.net.Socket connection = probe.accept()) {
                    connection.getInputStream().read();
                    StubSidecar.seeds("fd00::1").to(connection);
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            server.start();
            InetSocketAddress address = new InetSocketAddress(probe.getInetAddress(), probe.getLocalPort());

            Answer answer = new Sidecar(address).ask(EMPTY, null, Collections.<String>emptyList(), AMPLE);

            assertEquals(Collections.singletonList("fd00::1"), answer.seeds);
            server.join();
        }
    }
}
