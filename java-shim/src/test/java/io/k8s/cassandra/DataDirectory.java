package io.k8s.cassandra;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;

/** A data directory as Cassandra leaves it. */
final class DataDirectory {
    static final String HOST = "6b1f0000-0000-4000-8000-000000000001";
    final Path path;

    DataDirectory(Path path) {
        this.path = path;
    }

    DataDirectory withData() throws IOException {
        Path table = Files.createDirectories(path.resolve("system/local-7ad54392bcdd35a684174e047860b377"));
        Files.write(table.resolve("nb-1-big-Data.db"), new byte[] {1});
        return this;
    }

    DataDirectory withMark(String... lines) throws IOException {
        Files.createDirectories(path);
        Files.write(file(), (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
        return this;
    }

    DataDirectory member() throws IOException {
        return withData().withMark("version=1", "state=member", "ring-id=" + StubSidecar.RING, "host-id=" + HOST,
                "pvc-uid=pvc-1", "seeds=10.0.0.8,10.0.0.9");
    }

    DataDirectory joining() throws IOException {
        return withData().withMark("version=1", "state=joining", "ring-id=" + StubSidecar.RING);
    }

    Disk disk() {
        return new Disk(Collections.singletonList(path));
    }

    Path file() {
        return path.resolve(Disk.MARK);
    }

    String mark() throws IOException {
        return Files.exists(file()) ? new String(Files.readAllBytes(file()), StandardCharsets.UTF_8) : "";
    }
}
