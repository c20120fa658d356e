package io.k8s.cassandra;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What the sidecar says, taken from its HTTP response and checked; nothing here does I/O. */
final class Answer {
    /** The outcomes that docs/contracts.md knows. */
    enum Outcome { SEEDS, NO_LIST, WITHHELD, REFUSED }

    static final String RELOAD_SEEDS = "reload-seeds";
    static final String SEND_PEERS = "send-peers";
    private static final int MAX_LINES = 256;

    final Outcome outcome;
    /** IP literals in canonical form; empty unless the outcome is {@code SEEDS}. */
    final List<String> seeds;
    /** UUID; null where there is no ring yet. */
    final String ringId;
    final String pvcUid;
    /** The address of the lost node to replace, an IP literal; mostly null. */
    final String replace;
    final Set<String> actions;
    /** One line, for {@code WITHHELD} and {@code REFUSED}. */
    final String reason;
    /** The row of the sidecar's table that a {@code WITHHELD} rests on; empty where it does not say. */
    final String rule;
    final int retryAfterSeconds;

    private Answer(Outcome outcome, List<String> seeds, Http.Response response, String reason, int retryAfterSeconds)
            throws SidecarException {
        this.outcome = outcome;
        this.seeds = Collections.unmodifiableList(seeds);
        this.ringId = Mark.uuid(response.header("x-ring-id"));
        this.pvcUid = response.header("x-pvc-uid");
        if (ringId == null && response.header("x-ring-id") != null) {
            throw new SidecarException("X-Ring-Id is no UUID: " + Text.quote(response.header("x-ring-id")));
        }
        if (pvcUid != null && !Mark.isUid(pvcUid)) {
            throw new SidecarException("X-Pvc-Uid is no UID: " + Text.quote(pvcUid));
        }
        String replaced = response.header("x-replace");
        this.replace = replaced == null ? null : literal("X-Replace", replaced);
        String wanted = response.header("x-actions");
        this.actions = wanted == null ? Collections.<String>emptySet()
                : Collections.unmodifiableSet(new HashSet<>(Arrays.asList(wanted.trim().split("\\s+"))));
        this.reason = reason;
        String row = response.header("x-rule");
        this.rule = row == null ? "" : row.trim();
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /**
     * Reads the answer to {@code GET /v1/seeds}.
     *
     * @throws SidecarException where the response is none that the contract knows
     */
    static Answer toQuestion(Http.Response response) throws SidecarException {
        switch (response.status) {
            case 200:
                return new Answer(Outcome.SEEDS, seeds(response), response, "", 0);
            case 503:
                String after = response.header("retry-after");
                if (after == null || !after.matches("[1-9][0-9]{0,8}")) {
                    throw new SidecarException("503 without a usable Retry-After: " + response.line());
                }
                return new Answer(Outcome.WITHHELD, none(), response, reason(response), Integer.parseInt(after));
            case 409:
                return new Answer(Outcome.REFUSED, none(), response, reason(response), 0);
            default:
                throw new SidecarException("status " + response.status + ": " + response.line());
        }
    }

    /**
     * Reads the answer to {@code PUT /v1/node}.
     *
     * @throws SidecarException where it is no 200 or 204 of the contract's form
     */
    static Answer toHeartbeat(Http.Response response) throws SidecarException {
        switch (response.status) {
            case 200:
                return new Answer(Outcome.SEEDS, seeds(response), response, "", 0);
            case 204:
                return new Answer(Outcome.NO_LIST, none(), response, "", 0);
            default:
                throw new SidecarException("status " + response.status + ": " + response.line());
        }
    }

    private static List<String> none() {
        return Collections.emptyList();
    }

    private static String reason(Http.Response response) throws SidecarException {
        String line = response.line();
        if (line.isEmpty()) {
            throw new SidecarException("status " + response.status + " without a reason");
        }
        return line;
    }

    private static List<String> seeds(Http.Response response) throws SidecarException {
        String type = response.header("content-type");
        if (type == null || !type.split(";", 2)[0].trim().equalsIgnoreCase("text/plain")) {
            throw new SidecarException("Content-Type is " + (type == null ? "missing" : Text.quote(type)) + ", not text/plain");
        }
        if (response.header("content-length") == null) {
            throw new SidecarException("Content-Length is missing");
        }
        String body = new String(response.body, StandardCharsets.UTF_8);
        if (body.isEmpty()) {
            throw new SidecarException("the seed list is empty");
        }
        if (!body.endsWith("\n")) {
            throw new SidecarException("the last line of the seed list is cut off: " + response.line());
        }
        String[] lines = body.substring(0, body.length() - 1).split("\n", -1);
        if (lines.length > MAX_LINES) {
            throw new SidecarException("the seed list has " + lines.length + " lines, more than " + MAX_LINES);
        }
        Set<String> seeds = new LinkedHashSet<>();
        for (String line : lines) {
            seeds.add(literal("seed", line));
        }
        return new ArrayList<>(seeds);
    }

    private static String literal(String what, String text) throws SidecarException {
        try {
            InetAddress address = IpLiteral.parse(text);
            if (address.isAnyLocalAddress() || address.isMulticastAddress()) {
                throw new SidecarException(what + " " + text + " is not the address of one node");
            }
            return IpLiteral.format(address);
        } catch (IllegalArgumentException e) {
            throw new SidecarException(what + " is " + e.getMessage());
        }
    }
}
