package io.k8s.cassandra;

import java.time.Duration;

/** Real time, but everything that is a pause in production is short. */
class FastTiming extends Timing {
    /** Ample, so that a busy machine changes no outcome; a test about slowness shortens it. */
    volatile Duration heartbeatBound = Duration.ofSeconds(20);

    @Override
    Duration heartbeatPause() {
        return Duration.ofMillis(10);
    }

    @Override
    Duration heartbeatBound() {
        return heartbeatBound;
    }

    @Override
    void sleep(long millis) throws InterruptedException {
        Thread.sleep(Math.min(millis, 10));
    }
}
