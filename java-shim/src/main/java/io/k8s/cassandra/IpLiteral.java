package io.k8s.cassandra;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Turns IP literals into addresses and back without ever asking a name service.
 *
 * <p>{@link InetAddress#getByName} resolves whatever it does not recognise as a literal, and a seed that is a name would
 * then be whatever DNS says at that moment. So text is parsed here, and only bytes reach {@link InetAddress}.
 */
final class IpLiteral {
    private static final int V4_BYTES = 4;
    private static final int V6_GROUPS = 8;
    /** The longest literal is an IPv6 one with an IPv4 tail. */
    private static final int MAX_LENGTH = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length();

    private IpLiteral() {}

    /**
     * @param text an IPv4 or IPv6 literal, without zone, brackets or port
     * @throws IllegalArgumentException for anything else, host names above all
     */
    static InetAddress parse(String text) {
        byte[] bytes = null;
        if (text.length() <= MAX_LENGTH) {
            bytes = text.indexOf(':') >= 0 ? v6(text) : v4(text);
        }
        if (bytes == null) {
            throw new IllegalArgumentException("not an IP literal: " + Text.quote(text));
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(bytes.length + " bytes are no address", e);
        }
    }

    /**
     * Reads the forms in which Cassandra's MBeans name an endpoint: {@code 10.0.0.1}, {@code /10.0.0.1:7000},
     * {@code host/10.0.0.1:7000}, {@code [fd00::1]:7000}, {@code fe80::1%eth0}.
     *
     * @return the literal in canonical form, or null where the text holds none
     */
    static String ofEndpoint(String text) {
        String rest = text.substring(text.lastIndexOf('/') + 1);
        if (rest.startsWith("[")) {
            int end = rest.indexOf(']');
            rest = end < 0 ? rest : rest.substring(1, end);
        } else if (rest.indexOf(':') >= 0 && rest.indexOf(':') == rest.lastIndexOf(':')) {
            rest = rest.substring(0, rest.indexOf(':'));
        }
        int zone = rest.indexOf('%');
        try {
            return format(parse(zone < 0 ? rest : rest.substring(0, zone)));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** The canonical text of RFC 5952, which is also how Kubernetes writes pod addresses; a zone is left out. */
    static String format(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (address instanceof Inet4Address) {
            return (bytes[0] & 0xff) + "." + (bytes[1] & 0xff) + "." + (bytes[2] & 0xff) + "." + (bytes[3] & 0xff);
        }
        int[] groups = new int[V6_GROUPS];
        for (int i = 0; i < V6_GROUPS; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | bytes[2 * i + 1] & 0xff;
        }
        int start = 0;
        int length = 1; // a single zero group is never shortened
        for (int i = 0; i < V6_GROUPS; i++) {
            int end = i;
            while (end < V6_GROUPS && groups[end] == 0) {
                end++;
            }
            if (end - i > length) {
                start = i;
                length = end - i;
            }
        }
        if (length == 1) {
            return hex(groups, 0, V6_GROUPS);
        }
        return hex(groups, 0, start) + "::" + hex(groups, start + length, V6_GROUPS);
    }

    private static String hex(int[] groups, int from, int to) {
        return Arrays.stream(groups, from, to).mapToObj(Integer::toHexString).collect(Collectors.joining(":"));
    }

    private static byte[] v4(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length != V4_BYTES) {
            return null;
        }
        byte[] bytes = new byte[V4_BYTES];
        for (int i = 0; i < V4_BYTES; i++) {
            // A leading zero means octal to some readers and decimal to others: refused.
            if (!parts[i].matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(parts[i]) > 255) {
                return null;
            }
            bytes[i] = (byte) Integer.parseInt(parts[i]);
        }
        return bytes;
    }

    private static byte[] v6(String text) {
        int gap = text.indexOf("::");
        if (gap < 0) {
            byte[] bytes = groups(text);
            return bytes != null && bytes.length == 2 * V6_GROUPS ? bytes : null;
        }
        byte[] head = groups(text.substring(0, gap));
        byte[] tail = groups(text.substring(gap + 2));
        // "::" stands for at least one group, and an IPv4 tail can only come last.
        if (head == null || tail == null || head.length + tail.length > 2 * (V6_GROUPS - 1)
                || text.lastIndexOf('.', gap) >= 0) {
            return null;
        }
        byte[] bytes = new byte[2 * V6_GROUPS];
        System.arraycopy(head, 0, bytes, 0, head.length);
        System.arraycopy(tail, 0, bytes, bytes.length - tail.length, tail.length);
        return bytes;
    }

    /** Colon-separated groups of hex digits, the last of them perhaps an IPv4 literal; null where they are not. */
    private static byte[] groups(String text) {
        if (text.isEmpty()) {
            return new byte[0];
        }
        String[] parts = text.split(":", -1);
        byte[] last = v4(parts[parts.length - 1]);
        int plain = last == null ? parts.length : parts.length - 1;
        byte[] bytes = new byte[2 * plain + (last == null ? 0 : V4_BYTES)];
        for (int i = 0; i < plain; i++) {
            if (!parts[i].matches("[0-9a-fA-F]{1,4}")) {
                return null;
            }
            int group = Integer.parseInt(parts[i], 16);
            bytes[2 * i] = (byte) (group >> 8);
            bytes[2 * i + 1] = (byte) group;
        }
        if (last != null) {
            System.arraycopy(last, 0, bytes, 2 * plain, V4_BYTES);
        }
        return bytes;
    }
}
