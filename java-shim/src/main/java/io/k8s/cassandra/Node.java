package io.k8s.cassandra;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/** What a node knows of itself and of its peers at one moment; null stands for not known. */
final class Node {
    static final String STARTING = "STARTING";
    static final String NORMAL = "NORMAL";

    /** Another endpoint that has a host ID. */
    static final class Peer {
        final String hostId;
        /** IP literal. */
        final String address;
        /** As the failure detector says; null where it does not know the endpoint. */
        final Boolean up;
        /** {@code normal}, {@code joining}, {@code leaving} or {@code moving}. */
        final String state;

        Peer(String hostId, String address, Boolean up, String state) {
            this.hostId = hostId;
            this.address = address;
            this.up = up;
            this.state = state;
        }
    }

    String mode = STARTING;
    String cassandra;
    String cluster;
    String hostId;
    String dc;
    String rack;
    Boolean nativeTransport;
    /** Bytes on disk. */
    Double load;
    /** The addresses that gossip uses, without the node itself; null where the version does not tell (3.11). */
    List<String> seeds;
    /** Null while not known. */
    List<Peer> peers;

    void setPeers(List<Peer> found) {
        List<Peer> sorted = new ArrayList<>(found);
        sorted.sort(Comparator.comparing((Peer peer) -> peer.hostId).thenComparing(peer -> peer.address));
        peers = Collections.unmodifiableList(sorted);
    }
}
