package io.k8s.cassandra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DiskTest {
    @TempDir
    Path temporary;
    private DataDirectory data;

    @BeforeEach
    void directory() {
        data = new DataDirectory(temporary.resolve("data"));
    }

    @Test
    void aDirectoryThatIsNotThereYetIsEmpty() throws IOException {
        assertEquals(Disk.State.EMPTY, data.disk().read().state);
    }

    @Test
    void aMarkWithoutDataDoesNotCountWhateverItSays() throws IOException {
        Files.createDirectories(data.path.resolve("system/local-7ad54392bcdd35a684174e047860b377/snapshots"));
        data.withMark("version=1", "state=member", "ring-id=" + StubSidecar.RING, "host-id=" + DataDirectory.HOST);

        Disk.Reading reading = data.disk().read();

        assertEquals(Disk.State.EMPTY, reading.state);
        assertNull(reading.mark);
    }

    @Test
    void withoutDataAJoiningMarkSaysOnlyWhichRingTheNodeIsOnItsWayInto() throws IOException {
        data.withMark("version=1", "state=joining", "ring-id=" + StubSidecar.RING, "host-id=" + DataDirectory.HOST,
                "pvc-uid=pvc-1");

        Disk.Reading reading = data.disk().read();

        assertEquals(Disk.State.EMPTY, reading.state);
        assertTrue(Mark.joining(StubSidecar.RING).saysTheSameAs(reading.mark));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "system", "system/local-7ad54392bcdd35a684174e047860b377"})
    void aLinkThatLeadsNowhereIsAVolumeThatIsNotThereAndNotAnEmptyDisk(String place) throws IOException {
        Path link = place.isEmpty() ? data.path : data.path.resolve(place);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, temporary.resolve("nowhere"));

        assertThrows(IOException.class, () -> data.disk().read());
    }

    @Test
    void dataBehindALinkCountAndAreMarkedThere() throws IOException {
        Path elsewhere = new DataDirectory(temporary.resolve("elsewhere")).withData().path;
        Files.createSymbolicLink(data.path, elsewhere);

        assertEquals(Disk.State.UNMARKED, data.disk().read().state);
        data.disk().write(Mark.joining(StubSidecar.RING));
        assertTrue(Files.exists(elsewhere.resolve(Disk.MARK)));
    }

    @Test
    void dataOfOtherTablesWhoseNameBeginsAlikeDoNotCount() throws IOException {
        Path table = Files.createDirectories(data.path.resolve("system/local_metadata_log-7ad54392bcdd35a684174e047860b377"));
        Files.write(table.resolve("nb-1-big-Data.db"), new byte[1]);
        Files.createDirectories(data.path.resolve("system/local-7ad54392bcdd35a684174e047860b377"));

        assertEquals(Disk.State.EMPTY, data.disk().read().state);
    }

    @ParameterizedTest
    @CsvSource({"joining,JOINING", "member,MEMBER", "left,LEFT"})
    void dataWithAMarkAreWhatTheMarkSays(String text, Disk.State state) throws IOException {
        data.withData().withMark("version=1", "state=" + text, "ring-id=" + StubSidecar.RING, "future=1");

        Disk.Reading reading = data.disk().read();

        assertEquals(state, reading.state);
        assertEquals(StubSidecar.RING, reading.mark.ringId);
    }

    @Test
    void dataWithoutAMarkAreUnmarked() throws IOException {
        assertEquals(Disk.State.UNMARKED, data.withData().disk().read().state);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "version=2|state=member|ring-id=0e0c0000-0000-4000-8000-000000000001", "version=1|state=member",
        "version=1|state=strange|ring-id=0e0c0000-0000-4000-8000-000000000001", "version=1|state=member|ring-id=x",
        "version=1|state=member|ring-id=0e0c0000-0000-4000-8000-000000000001|host-id=",
        "version=1|state=member|ring-id=0e0c0000-0000-4000-8000-000000000001|seeds=cassandra-0",
        "version=1|state=member|state=left|ring-id=0e0c0000-0000-4000-8000-000000000001", "nonsense"
    })
    void dataWithAMarkThatCannotBeUnderstoodAreUnmarked(String lines) throws IOException {
        data.withData().withMark(lines.split("\\|"));

        assertEquals(Disk.State.UNMARKED, data.disk().read().state);
    }

    @Test
    void halfAMarkIsNoMark() throws IOException {
        data.member();
        byte[] whole = Files.readAllBytes(data.file());
        for (int length = 0; length < whole.length; length++) {
            Files.write(data.file(), Arrays.copyOf(whole, length));
            Disk.Reading reading = data.disk().read();
            boolean lineEnds = length > 0 && whole[length - 1] == '\n' && reading.mark != null;
            assertTrue(reading.state == Disk.State.UNMARKED || lineEnds, "cut after " + length);
        }
    }

    @Test
    void whatCannotBeReadIsAnErrorAndNeverAnEmptyDisk() throws IOException {
        Files.createDirectories(data.path);
        Files.write(data.path.resolve("system"), new byte[1]);

        assertThrows(IOException.class, () -> data.disk().read());
    }

    @Test
    void aMarkComesBackAsItWasWrittenInTheOrderOfTheContract() throws IOException {
        Mark mark = new Mark(Mark.State.MEMBER, StubSidecar.RING, DataDirectory.HOST, "pvc-1",
                Arrays.asList("10.0.0.1", "fd00::1"));
        data.withData().disk().write(mark);

        assertEquals("version=1\nstate=member\nring-id=" + StubSidecar.RING + "\nhost-id=" + DataDirectory.HOST
                + "\npvc-uid=pvc-1\nseeds=10.0.0.1,fd00::1\n", data.mark());
        assertTrue(mark.saysTheSameAs(data.disk().read().mark));
    }

    @Test
    void writingLeavesNoOtherFileBehindAndMakesTheDirectory() throws IOException {
        data.disk().write(new Mark(Mark.State.JOINING, StubSidecar.RING, null, null, Collections.<String>emptyList()));

        assertEquals(1, Files.list(data.path).count());
    }

    @Test
    void aReaderNeverSeesAMarkInBetween() throws Exception {
        data.member();
        AtomicBoolean done = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            try {
                for (int i = 0; i < 300; i++) {
                    data.disk().write(new Mark(Mark.State.MEMBER, StubSidecar.RING, DataDirectory.HOST, "pvc-1",
                            Collections.nCopies(1 + i % 50, "10.0.0." + i % 256)));
                }
            } catch (IOException e) {
                throw new IllegalStateException(e);
            } finally {
                done.set(true);
            }
        });
        writer.start();
        while (!done.get()) {
            assertEquals(Disk.State.MEMBER, data.disk().read().state);
        }
        writer.join();
    }

    @Test
    void ofSeveralDirectoriesAnyMayHoldTheDataAndTheFirstGetsTheMark() throws IOException {
        DataDirectory second = new DataDirectory(temporary.resolve("second")).joining();
        Disk disk = new Disk(Arrays.asList(data.path, second.path));
        assertEquals(Disk.State.JOINING, disk.read().state);

        disk.write(disk.read().mark.withState(Mark.State.MEMBER));

        assertTrue(data.mark().contains("state=member"));
        assertEquals(Disk.State.MEMBER, disk.read().state);
        assertFalse(Files.exists(data.path.resolve("system")));
    }
}
