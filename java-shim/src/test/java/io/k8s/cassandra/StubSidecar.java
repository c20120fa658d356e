package io.k8s.cassandra;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A sidecar made of a bare server socket, so that it can also do what no HTTP server would. */
final class StubSidecar implements Closeable {
    static final String RING = "0e0c0000-0000-4000-8000-000000000001";
    static final String OTHER_RING = "0e0c0000-0000-4000-8000-000000000002";

    /** What to do with one connection whose request has been read; afterwards it is closed. */
    interface Reply {
        void to(Socket connection) throws IOException, InterruptedException;
    }

    /** A request as it came. */
    static final class Request {
        final String line;
        final String body;

        Request(String line, String body) {
            this.line = line;
            this.body = body;
        }
    }

    final List<Request> questions = new CopyOnWriteArrayList<>();
    final List<Request> heartbeats = new CopyOnWriteArrayList<>();
    volatile Reply onQuestion = seeds("10.0.0.1");
    volatile Reply onHeartbeat = status(204, "X-Ring-Id: " + RING + "\r\n", "");
    private final ServerSocket server;
    private final Thread acceptor;
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();

    StubSidecar() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getByAddress(new byte[] {127, 0, 61, (byte) 200}));
        acceptor = daemon(() -> {
            while (!server.isClosed()) {
                Socket connection = server.accept();
                connections.add(connection);
                daemon(() -> serve(connection));
            }
        });
    }

    InetSocketAddress address() {
        return new InetSocketAddress(server.getInetAddress(), server.getLocalPort());
    }

    String url() {
        return "http://127.0.61.200:" + server.getLocalPort();
    }

    String lastHeartbeat() {
        return heartbeats.get(heartbeats.size() - 1).body;
    }

    @Override
    public void close() throws IOException {
        server.close();
        try {
            // The kernel goes on listening for as long as the call to accept() has not come back.
            acceptor.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (Socket connection : connections) {
            connection.close();
        }
    }

    static Reply raw(String text) {
        return connection -> write(connection, text);
    }

    static Reply status(int status, String headers, String body) {
        return raw("HTTP/1.1 " + status + " Whatever\r\n" + headers + "Content-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body);
    }

    static Reply list(String headers, String body) {
        return status(200, "Content-Type: text/plain; charset=utf-8\r\n" + headers, body);
    }

    static Reply seeds(String... addresses) {
        return list("X-Ring-Id: " + RING + "\r\nX-Pvc-Uid: pvc-1\r\n", String.join("\n", addresses) + "\n");
    }

    static Reply withheld(int retryAfter, String reason) {
        return status(503, "Retry-After: " + retryAfter + "\r\n", reason + "\n");
    }

    static Reply withheldBy(String rule) {
        return status(503, "Retry-After: 1\r\nX-Rule: " + rule + "\r\n", "a reason by rule " + rule + "\n");
    }

    /** Accepts and says nothing until the other side gives up. */
    static Reply hang() {
        return connection -> {
            while (connection.getInputStream().read() >= 0) {
                continue;
            }
        };
    }

    /** One byte at a time, without end: no single read ever waits long. */
    static Reply drip(String text) {
        return connection -> {
            write(connection, text);
            while (true) {
                write(connection, "1");
                Thread.sleep(5);
            }
        };
    }

    static Reply reset() {
        return connection -> connection.setSoLinger(true, 0);
    }

    static void write(Socket connection, String text) throws IOException {
        OutputStream out = connection.getOutputStream();
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private void serve(Socket connection) throws Exception {
        try {
            String head = readHead(connection.getInputStream());
            int length = head.contains("Content-Length: ")
                    ? Integer.parseInt(head.replaceAll("(?s).*Content-Length: (\\d+).*", "$1")) : 0;
            byte[] body = new byte[length];
            for (int read = 0; read < length; ) {
                int more = connection.getInputStream().read(body, read, length - read);
                if (more < 0) {
                    return;
                }
                read += more;
            }
            Request request = new Request(head.substring(0, head.indexOf('\r')), new String(body, StandardCharsets.UTF_8));
            boolean question = request.line.startsWith("GET ");
            Reply reply = question ? onQuestion : onHeartbeat;
            (question ? questions : heartbeats).add(request);
            reply.to(connection);
        } finally {
            connection.close();
            connections.remove(connection);
        }
    }

    private static String readHead(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("no request");
            }
            head.append((char) next);
        }
        return head.toString();
    }

    private interface Work {
        void run() throws Exception;
    }

    private static Thread daemon(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Exception e) {
                return; // the other side went away, which is what many tests are about
            }
        }, "stub-sidecar");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}
