package io.k8s.cassandra;

import org.slf4j.Logger;

/** Keeps a log readable while something goes on: says a thing at first, when it changes, and as a reminder. */
final class Progress {
    private final Logger log;
    private final Timing timing;
    private String said;
    private long saidAt;

    Progress(Logger log, Timing timing) {
        this.log = log;
        this.timing = timing;
    }

    /** @param message what hinders us now */
    void hindered(String message) {
        long now = timing.now();
        if (!message.equals(said) || now - saidAt >= timing.reminder().toMillis()) {
            log.warn(message);
            said = message;
            saidAt = now;
        }
    }

    /** @param message said only if something hindered us before */
    void free(String message) {
        if (said != null) {
            log.info(message);
            said = null;
        }
    }
}
