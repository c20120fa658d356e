package io.k8s.cassandra;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.concurrent.Callable;

/** Waits for what another thread brings about; the bound only ends a test that has failed already. */
final class Eventually {
    private static final long BOUND_NANOS = 20_000_000_000L;

    private Eventually() {}

    static void holds(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + BOUND_NANOS;
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                fail("never: " + what);
            }
            Thread.sleep(2);
        }
    }
}
