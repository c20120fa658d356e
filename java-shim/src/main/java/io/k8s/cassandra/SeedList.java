package io.k8s.cassandra;

import java.util.List;

/**
 * Which list {@code getSeeds()} returns: the first answer for the whole start, the newest one from then on.
 *
 * <p>Cassandra asks about ten times during a start and decides each time anew whether this node is a seed
 * ({@code StorageService.shouldBootstrap}, {@code Gossiper.doShadowRound}). Were the answer to change in between, a node
 * with an empty disk could become a member without its data.
 */
final class SeedList {
    private List<String> first;
    private List<String> newest;
    private boolean started;

    /** @return IP literals, never empty; null until the first answer is there */
    synchronized List<String> current() {
        return started && newest != null ? newest : first;
    }

    /** The answer that holds until {@link #started()}. */
    synchronized void latch(List<String> answer) {
        first = answer;
    }

    /** @param answer from a heartbeat; kept for later while the node starts */
    synchronized void offer(List<String> answer) {
        newest = answer;
    }

    /** The node is NORMAL, or was: it cannot bootstrap any more. */
    synchronized void started() {
        started = true;
    }

    synchronized boolean isStarted() {
        return started;
    }
}
