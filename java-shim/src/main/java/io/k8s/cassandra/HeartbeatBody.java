package io.k8s.cassandra;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/** The JSON of one heartbeat, and which peers the sidecar holds already; the form is that of docs/contracts.md. */
final class HeartbeatBody {
    private static final int HASH_HEX_DIGITS = 16;

    /** Null: peers are not known. */
    final String peersHash;
    private final Node node;
    private final String peers;

    HeartbeatBody(Node node) {
        this.node = node;
        this.peers = node.peers == null ? null : peers(node.peers);
        this.peersHash = peers == null ? null : hash(peers);
    }

    /**
     * @param address the node's broadcast address
     * @param disk null where it could not be read
     * @param withPeers whether the peers go along whole, or as their hash only
     */
    String json(String shim, String address, Disk.Reading disk, boolean withPeers) {
        Json json = new Json().put("version", 1).put("shim", shim).put("cassandra", node.cassandra)
                .put("cluster", node.cluster).put("mode", node.mode).put("hostId", node.hostId).put("address", address)
                .put("dc", node.dc).put("rack", node.rack).put("native", node.nativeTransport).put("load", node.load)
                .raw("seeds", node.seeds == null ? "null" : strings(node.seeds))
                .raw("disk", disk(disk))
                .put("peersHash", peersHash);
        if (withPeers && peers != null) {
            json.raw("peers", peers);
        }
        return json.toString();
    }

    private static String disk(Disk.Reading disk) {
        Mark mark = disk == null ? null : disk.mark;
        return new Json().put("state", disk == null ? "unknown" : Mark.name(disk.state))
                .put("ringId", mark == null ? null : mark.ringId)
                .put("hostId", mark == null ? null : mark.hostId)
                .put("pvcUid", mark == null ? null : mark.pvcUid).toString();
    }

    private static String strings(List<String> values) {
        List<String> texts = new ArrayList<>();
        values.forEach(value -> texts.add(Json.string(value)));
        return Json.array(texts);
    }

    private static String peers(List<Node.Peer> peers) {
        List<String> texts = new ArrayList<>();
        for (Node.Peer peer : peers) {
            texts.add(new Json().put("hostId", peer.hostId).put("address", peer.address).put("up", peer.up)
                    .put("state", peer.state).toString());
        }
        return Json.array(texts);
    }

    /** The first half of the first half of a SHA-256: enough to tell two lists apart, and short. */
    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            StringBuilder hex = new StringBuilder();
            for (int i = 0; i < HASH_HEX_DIGITS / 2; i++) {
                hex.append(String.format("%02x", digest[i]));
            }
            return hex.toString();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
