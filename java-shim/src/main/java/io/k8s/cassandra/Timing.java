package io.k8s.cassandra;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** The shim's clock and every time span it works with; a test brings its own. */
class Timing {
    /** A healthy sidecar decides in milliseconds; five seconds also cover one that is short of CPU. */
    Duration questionBound() {
        return Duration.ofSeconds(5);
    }

    /** Readiness gives up on a heartbeat after ten seconds, so that three in a row can fail first. */
    Duration heartbeatBound() {
        return Duration.ofSeconds(2);
    }

    /** From the end of one heartbeat to the next. */
    Duration heartbeatPause() {
        return Duration.ofSeconds(1);
    }

    /** The first pause after silence; it doubles up to {@link #longestPause()}. */
    Duration shortestPause() {
        return Duration.ofMillis(500);
    }

    /** Asking costs the sidecar's loopback next to nothing, and a start should not wait long after the sidecar is up. */
    Duration longestPause() {
        return Duration.ofSeconds(2);
    }

    /** How often a wait that goes on for the same reason is mentioned. */
    Duration reminder() {
        return Duration.ofSeconds(60);
    }

    /** Never goes back; milliseconds, without meaning by itself. */
    long now() {
        return System.nanoTime() / 1_000_000;
    }

    void sleep(long millis) throws InterruptedException {
        Thread.sleep(millis);
    }

    /** From 0 to 1: nodes that were started together must not ask together for ever. */
    double random() {
        return ThreadLocalRandom.current().nextDouble();
    }
}
