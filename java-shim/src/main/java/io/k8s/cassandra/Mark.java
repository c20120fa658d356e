package io.k8s.cassandra;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * What a disk says of itself: the ring and the node that it belongs to.
 *
 * <p>The text form is {@code cassandra-ring.mark} of docs/contracts.md: UTF-8, one {@code key=value} a line.
 */
final class Mark {
    /** How far the disk's node got on its way into the ring, and out of it. */
    enum State { JOINING, MEMBER, LEFT }

    private static final String VERSION = "1";
    private static final Pattern UUID =
            Pattern.compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");
    /** Kubernetes promises no more of a UID than that it is a unique string. */
    private static final Pattern UID = Pattern.compile("[A-Za-z0-9._-]{1,128}");

    final State state;
    final String ringId;
    /** Null while not known. */
    final String hostId;
    /** Null where not known. */
    final String pvcUid;
    /** The last good answer, IP literals; empty where there is none. */
    final List<String> seeds;

    Mark(State state, String ringId, String hostId, String pvcUid, List<String> seeds) {
        this.state = state;
        this.ringId = ringId;
        this.hostId = hostId;
        this.pvcUid = pvcUid;
        this.seeds = Collections.unmodifiableList(new ArrayList<>(seeds));
    }

    /** A node that was let into a ring, of which no more is known. */
    static Mark joining(String ringId) {
        return new Mark(State.JOINING, ringId, null, null, Collections.<String>emptyList());
    }

    Mark withState(State changed) {
        return new Mark(changed, ringId, hostId, pvcUid, seeds);
    }

    Mark withHostId(String changed) {
        return new Mark(state, ringId, changed, pvcUid, seeds);
    }

    /** @return the ID in lower case; null for anything that is not a UUID, null included */
    static String uuid(String text) {
        return text != null && UUID.matcher(text).matches() ? text.toLowerCase(Locale.ROOT) : null;
    }

    /** @return whether this can be the UID of a Kubernetes object */
    static boolean isUid(String text) {
        return UID.matcher(text).matches();
    }

    /** @return the file's content */
    byte[] toBytes() {
        StringBuilder text = new StringBuilder("version=" + VERSION + "\n");
        text.append("state=").append(name(state)).append('\n');
        text.append("ring-id=").append(ringId).append('\n');
        if (hostId != null) {
            text.append("host-id=").append(hostId).append('\n');
        }
        if (pvcUid != null) {
            text.append("pvc-uid=").append(pvcUid).append('\n');
        }
        if (!seeds.isEmpty()) {
            text.append("seeds=").append(String.join(",", seeds)).append('\n');
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /**
     * @param content the file's content
     * @throws IllegalArgumentException saying what is wrong; such a mark says nothing, not even in part
     */
    static Mark parse(byte[] content) {
        Map<String, String> values = values(content);
        if (!VERSION.equals(values.get("version"))) {
            throw new IllegalArgumentException("version is " + shown(values.get("version")) + ", not " + VERSION);
        }
        State state = null;
        for (State known : State.values()) {
            if (name(known).equals(values.get("state"))) {
                state = known;
            }
        }
        if (state == null) {
            throw new IllegalArgumentException("state is " + shown(values.get("state")));
        }
        String ringId = uuid(values.get("ring-id"));
        String hostId = uuid(values.get("host-id"));
        if (ringId == null || hostId == null && values.containsKey("host-id")) {
            throw new IllegalArgumentException(
                    "ring-id " + shown(values.get("ring-id")) + " or host-id " + shown(values.get("host-id")) + " is no UUID");
        }
        String pvcUid = values.get("pvc-uid");
        if (pvcUid != null && !isUid(pvcUid)) {
            throw new IllegalArgumentException("pvc-uid is " + shown(pvcUid));
        }
        List<String> seeds = new ArrayList<>();
        if (values.containsKey("seeds")) {
            for (String seed : values.get("seeds").split(",", -1)) {
                seeds.add(IpLiteral.format(IpLiteral.parse(seed)));
            }
        }
        return new Mark(state, ringId, hostId, pvcUid, seeds);
    }

    private static Map<String, String> values(byte[] content) {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("not UTF-8", e);
        }
        if (!text.endsWith("\n")) {
            throw new IllegalArgumentException("the last line is cut off");
        }
        Map<String, String> values = new HashMap<>();
        for (String line : text.substring(0, text.length() - 1).split("\n", -1)) {
            int equals = line.indexOf('=');
            if (equals < 1 || values.put(line.substring(0, equals), line.substring(equals + 1)) != null) {
                throw new IllegalArgumentException("line " + Text.quote(line) + " is no key=value, or a second one");
            }
        }
        return values;
    }

    private static String shown(String value) {
        return value == null ? "missing" : Text.quote(value);
    }

    static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** Seeds are compared as sets: another order is no reason to write to a disk. */
    boolean saysTheSameAs(Mark other) {
        return other != null && state == other.state && ringId.equals(other.ringId)
                && Objects.equals(hostId, other.hostId) && Objects.equals(pvcUid, other.pvcUid)
                && new HashSet<>(seeds).equals(new HashSet<>(other.seeds));
    }

    @Override
    public String toString() {
        return new String(toBytes(), StandardCharsets.UTF_8).trim().replace('\n', ' ');
    }
}
