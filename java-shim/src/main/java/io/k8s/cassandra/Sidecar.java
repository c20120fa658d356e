package io.k8s.cassandra;

import java.io.IOException;
import java.io.UnsupportedEncodingException;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** The two questions that the shim has for its sidecar, as HTTP requests of docs/contracts.md. */
final class Sidecar {
    final InetSocketAddress server;

    Sidecar(InetSocketAddress server) {
        this.server = server;
    }

    /**
     * {@code GET /v1/seeds}.
     *
     * @param address the node's broadcast address, null where not known
     * @throws IOException where there is no answer, or none that the contract knows
     */
    Answer ask(Disk.Reading disk, String address, List<String> configured, Duration bound)
            throws IOException, InterruptedException {
        StringBuilder target = new StringBuilder("/v1/seeds?disk=").append(Mark.name(disk.state));
        if (disk.mark != null) {
            add(target, "ring", disk.mark.ringId);
            add(target, "host", disk.mark.hostId);
            add(target, "pvc", disk.mark.pvcUid);
        }
        add(target, "address", address);
        add(target, "configured", configured.isEmpty() ? null : String.join(",", configured));
        return Answer.toQuestion(Http.send(server, "GET", target.toString(), null, bound));
    }

    /**
     * {@code PUT /v1/node}.
     *
     * @throws IOException where it was not taken
     */
    Answer tell(String heartbeat, Duration bound) throws IOException, InterruptedException {
        byte[] body = heartbeat.getBytes(StandardCharsets.UTF_8);
        return Answer.toHeartbeat(Http.send(server, "PUT", "/v1/node", body, bound));
    }

    @Override
    public String toString() {
        return "the sidecar at " + IpLiteral.format(server.getAddress()) + " port " + server.getPort();
    }

    private static void add(StringBuilder target, String name, String value) {
        if (value == null) {
            return;
        }
        try {
            target.append('&').append(name).append('=').append(URLEncoder.encode(value, "UTF-8"));
        } catch (UnsupportedEncodingException e) {
            throw new IllegalStateException(e);
        }
    }
}
