package io.k8s.cassandra;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data directories as far as the ring is concerned: whether they hold a node's data, and the mark beside it.
 *
 * <p>What cannot be read is an {@link IOException}, never an empty disk.
 */
final class Disk {
    /** The disk states of docs/contracts.md. */
    enum State { EMPTY, JOINING, MEMBER, LEFT, UNMARKED }

    static final String MARK = "cassandra-ring.mark";
    /** A mark is some hundred bytes; what is larger was not written here. */
    private static final int MAX_MARK_BYTES = 64 * 1024;
    private static final Logger LOG = LoggerFactory.getLogger(Disk.class);

    /** What was found at one moment. */
    static final class Reading {
        final State state;
        /** Null on an unmarked disk; on an empty one there is at most the ring that its node was let into. */
        final Mark mark;

        Reading(State state, Mark mark) {
            this.state = state;
            this.mark = mark;
        }

        /** @return whether a node that starts on this disk is a new one to the ring */
        boolean isNewcomer() {
            return state == State.EMPTY || state == State.JOINING;
        }
    }

    private final List<Path> directories;
    private String unreadable = "";

    /**
     * @param directories where the {@code system} keyspace may be; a new mark goes into the first. There are several with
     *     Cassandra 3.11, which spreads that keyspace too, and on the way from it to 4.0, which gathers it in one.
     */
    Disk(List<Path> directories) {
        this.directories = Collections.unmodifiableList(new ArrayList<>(directories));
    }

    /** @throws IOException where a directory or the mark exists and cannot be read */
    synchronized Reading read() throws IOException {
        boolean data = false;
        for (Path directory : directories) {
            data |= holdsData(directory.resolve("system"));
        }
        Mark mark = readMark();
        if (!data) {
            boolean underway = mark != null && mark.state == Mark.State.JOINING;
            return new Reading(State.EMPTY, underway ? Mark.joining(mark.ringId) : null);
        }
        return mark == null ? new Reading(State.UNMARKED, null)
                : new Reading(State.valueOf(mark.state.name()), mark);
    }

    /** Replaces the mark whole: after a crash there is the old one or the new one, and nothing between. */
    synchronized void write(Mark mark) throws IOException {
        Path directory = directories.get(0);
        if (!Files.isDirectory(directory)) { // before Java 20 createDirectories() fails on a link to a directory
            Files.createDirectories(directory);
        }
        Path target = directory.resolve(MARK);
        Path fresh = directory.resolve(MARK + ".tmp");
        try (FileChannel file = FileChannel.open(fresh, StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(mark.toBytes());
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
            file.force(true);
        }
        Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel entries = FileChannel.open(directory, StandardOpenOption.READ)) {
            entries.force(true);
        }
        LOG.info("Marked the disk at {}: {}", directory, mark);
    }

    private Mark readMark() throws IOException {
        for (Path directory : directories) {
            Path file = directory.resolve(MARK);
            try {
                if (Files.size(file) > MAX_MARK_BYTES) {
                    sayUnreadable(file, "larger than " + MAX_MARK_BYTES + " bytes");
                    return null;
                }
                return Mark.parse(Files.readAllBytes(file));
            } catch (NoSuchFileException e) {
                continue;
            } catch (IllegalArgumentException e) {
                sayUnreadable(file, e.getMessage());
                return null;
            }
        }
        return null;
    }

    private void sayUnreadable(Path file, String why) {
        if (!unreadable.equals(why)) {
            LOG.error("{} cannot be understood ({}) and counts as none", file, why);
            unreadable = why;
        }
    }

    private static boolean holdsData(Path system) throws IOException {
        // "local-" and the table's ID: other tables' names begin with "local_".
        for (Path table : list(system, "local-*")) {
            if (!Files.isRegularFile(table) && !list(table, "*-Data.db").isEmpty()) {
                return true;
            }
        }
        return false;
    }

    private static List<Path> list(Path directory, String glob) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, glob)) {
            entries.forEach(found::add);
        } catch (NoSuchFileException e) {
            refuseLinkToNowhere(directory);
            return Collections.emptyList();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return found;
    }

    /** Behind such a link is a volume that is not mounted, not an empty disk. */
    private static void refuseLinkToNowhere(Path directory) throws IOException {
        for (Path at = directory; at != null; at = at.getParent()) {
            if (Files.isSymbolicLink(at) && !Files.exists(at)) {
                throw new IOException(at + " is a link that leads nowhere");
            }
        }
    }
}
