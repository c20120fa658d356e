package io.k8s.cassandra;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * One HTTP exchange with the sidecar, done with within a bound whatever the other side does.
 *
 * <p>{@code HttpURLConnection} bounds single reads, so an answer that drips may last for ever; it also asks a second time by
 * itself, and obeys what else in the JVM was set for proxies, cookies, authentication and caches. Here one connection
 * carries one request, every step waits for no longer than what is left of the whole, and an interrupt ends it.
 */
final class Http {
    private static final int MAX_HEAD_BYTES = 16 * 1024;
    private static final int MAX_BODY_BYTES = 64 * 1024;

    private Http() {}

    /** A response that arrived whole. */
    static final class Response {
        final int status;
        final byte[] body;
        private final Map<String, String> headers;

        Response(int status, Map<String, String> headers, byte[] body) {
            this.status = status;
            this.headers = Collections.unmodifiableMap(headers);
            this.body = body;
        }

        /** @param name in lower case; what came twice is joined by a comma */
        String header(String name) {
            return headers.get(name);
        }

        /** @return the body as one line that can be shown */
        String line() {
            return Text.oneLine(new String(body, StandardCharsets.UTF_8));
        }
    }

    /**
     * @param body null for a request without one; else JSON
     * @param bound for everything from the connection to the last byte
     * @throws IOException where there is no whole answer: nobody listens, it took too long, it is cut off or no HTTP
     */
    static Response send(InetSocketAddress server, String method, String target, byte[] body, Duration bound)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + bound.toNanos();
        try (SocketChannel channel = SocketChannel.open(); Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
            if (!channel.connect(server)) {
                do {
                    await(selector, deadline, "connect");
                } while (!channel.finishConnect());
            }
            key.interestOps(SelectionKey.OP_WRITE);
            ByteBuffer request = request(server, method, target, body);
            while (channel.write(request) >= 0 && request.hasRemaining()) {
                await(selector, deadline, "send");
            }
            key.interestOps(SelectionKey.OP_READ);
            return receive(channel, selector, deadline);
        } catch (ClosedByInterruptException e) {
            Thread.interrupted();
            throw new InterruptedException("interrupted while talking to the sidecar");
        }
    }

    private static ByteBuffer request(InetSocketAddress server, String method, String target, byte[] body) {
        String host = IpLiteral.format(server.getAddress());
        String head = method + " " + target + " HTTP/1.1\r\n"
                + "Host: " + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + server.getPort() + "\r\n"
                + "Connection: close\r\n"
                + "Accept: text/plain\r\n"
                + (body == null ? "" : "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\n")
                + "\r\n";
        byte[] bytes = head.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer whole = ByteBuffer.allocate(bytes.length + (body == null ? 0 : body.length)).put(bytes);
        if (body != null) {
            whole.put(body);
        }
        whole.flip();
        return whole;
    }

    private static Response receive(SocketChannel channel, Selector selector, long deadline)
            throws IOException, InterruptedException {
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        ByteBuffer chunk = ByteBuffer.allocate(8 * 1024);
        Head head = null;
        while (true) {
            int read = channel.read(chunk);
            received.write(chunk.array(), 0, Math.max(read, 0));
            chunk.clear();
            if (head == null) {
                head = Head.of(received.toByteArray());
            }
            if (head != null && received.size() - head.size > MAX_BODY_BYTES) {
                throw new SidecarException("the answer is larger than " + MAX_BODY_BYTES + " bytes");
            }
            if (head != null && head.length >= 0 && received.size() - head.size >= head.length) {
                return head.with(received.toByteArray(), head.length);
            }
            if (read < 0) {
                if (head == null || head.length >= 0) {
                    throw new SidecarException("the answer ends after " + received.size() + " bytes, before it is whole");
                }
                return head.with(received.toByteArray(), received.size() - head.size);
            }
            if (read == 0) {
                await(selector, deadline, "answer");
            }
        }
    }

    private static void await(Selector selector, long deadline, String what) throws IOException, InterruptedException {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            throw new SocketTimeoutException("took too long to " + what);
        }
        selector.select(Math.max(1, left / 1_000_000));
        selector.selectedKeys().clear();
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted while talking to the sidecar");
        }
    }

    /** Status line and headers, once they are there. */
    private static final class Head {
        private final int status;
        private final Map<String, String> headers;
        /** Bytes, blank line included. */
        private final int size;
        /** Of the body, in bytes; negative where only the end of the connection ends it. */
        private final int length;

        private Head(String text) throws SidecarException {
            this.size = text.length() + 4;
            String[] lines = text.split("\r\n");
            if (!lines[0].matches("HTTP/1\\.[01] [2-5][0-9]{2}( .*)?")) {
                throw new SidecarException("that is no HTTP: " + Text.oneLine(lines[0]));
            }
            this.status = Integer.parseInt(lines[0].substring(9, 12));
            this.headers = new HashMap<>();
            for (int i = 1; i < lines.length; i++) {
                int colon = lines[i].indexOf(':');
                if (colon < 1) {
                    throw new SidecarException("that is no HTTP header: " + Text.oneLine(lines[i]));
                }
                headers.merge(lines[i].substring(0, colon).trim().toLowerCase(Locale.ROOT),
                        lines[i].substring(colon + 1).trim(), (first, second) -> first + "," + second);
            }
            if (headers.containsKey("transfer-encoding")) {
                throw new SidecarException("the answer has a Transfer-Encoding; the contract asks for Content-Length");
            }
            String declared = headers.get("content-length");
            if (declared != null && !declared.matches("[0-9]{1,9}")) {
                throw new SidecarException("Content-Length is " + Text.quote(declared));
            }
            int given = declared == null ? -1 : Integer.parseInt(declared);
            if (given > MAX_BODY_BYTES) {
                throw new SidecarException("the answer is larger than " + MAX_BODY_BYTES + " bytes");
            }
            this.length = status == 204 ? 0 : given;
        }

        /** @return null while the head has not arrived whole */
        static Head of(byte[] received) throws SidecarException {
            String text = new String(received, StandardCharsets.ISO_8859_1);
            int end = text.indexOf("\r\n\r\n");
            if ((end < 0 ? received.length : end) > MAX_HEAD_BYTES) {
                throw new SidecarException("the answer's headers are larger than " + MAX_HEAD_BYTES + " bytes");
            }
            return end < 0 ? null : new Head(text.substring(0, end));
        }

        Response with(byte[] received, int bodyLength) {
            byte[] body = new byte[bodyLength];
            System.arraycopy(received, size, body, 0, bodyLength);
            return new Response(status, headers, body);
        }
    }
}
