package io.k8s.cassandra;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A clock on which sleeping costs no time; it notes every pause. */
final class SkippingTiming extends Timing {
    final List<Long> pauses = new CopyOnWriteArrayList<>();
    /** Ample, so that a busy machine changes no outcome; a test about slowness shortens it. */
    volatile Duration questionBound = Duration.ofSeconds(20);
    private volatile long skipped;

    @Override
    Duration questionBound() {
        return questionBound;
    }

    @Override
    long now() {
        return super.now() + skipped;
    }

    @Override
    void sleep(long millis) throws InterruptedException {
        pauses.add(millis);
        skipped += millis;
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    @Override
    double random() {
        return 0.5;
    }
}
