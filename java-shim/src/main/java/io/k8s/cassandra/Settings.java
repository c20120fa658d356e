package io.k8s.cassandra;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * What an operator may set under {@code seed_provider.parameters} in cassandra.yaml; everything has a default.
 *
 * <p>Cassandra passes the values as strings, and the map itself as null where the yaml has no parameters
 * ({@code DatabaseDescriptor.applySeedProvider}).
 */
final class Settings {
    static final String SIDECAR_URL = "sidecar_url";
    static final String DATA_DIRECTORY = "data_directory";
    static final String SILENCE_BOUND = "silence_bound";
    static final String SEEDS = "seeds";

    private static final int DEFAULT_PORT = 8078;
    /** Long enough for a sidecar image to be pulled and started, short enough for somebody to notice. */
    private static final int DEFAULT_SILENCE_SECONDS = 300;
    private static final int MAX_SILENCE_SECONDS = 86_400;
    /** The sidecar's own limit for {@code configured}. */
    private static final int MAX_SEEDS = 64;

    /** The sidecar's loopback address and port. */
    final InetSocketAddress sidecar;
    /** The directory that holds {@code system/}; null: Cassandra is asked. */
    final Path dataDirectory;
    /** How long the sidecar may be silent while a node starts. */
    final Duration silenceBound;
    /** Seeds of the ring from before the sidecars, names or IP literals; only the sidecar uses them. */
    final List<String> configuredSeeds;
    /** One sentence for each parameter that is set and not known. */
    final List<String> warnings;

    private Settings(InetSocketAddress sidecar, Path dataDirectory, Duration silenceBound,
            List<String> configuredSeeds, List<String> warnings) {
        this.sidecar = sidecar;
        this.dataDirectory = dataDirectory;
        this.silenceBound = silenceBound;
        this.configuredSeeds = configuredSeeds;
        this.warnings = warnings;
    }

    /**
     * @param parameters name to value; may be null
     * @throws IllegalArgumentException naming parameter, value and what is allowed
     */
    static Settings of(Map<String, String> parameters) {
        Map<String, String> given = parameters == null ? Collections.<String, String>emptyMap() : parameters;
        List<String> known = Arrays.asList(SIDECAR_URL, DATA_DIRECTORY, SILENCE_BOUND, SEEDS);
        List<String> warnings = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>();
        given.keySet().forEach(name -> names.add(String.valueOf(name)));
        for (String name : names) {
            if (!known.contains(name)) {
                warnings.add("seed_provider parameter " + Text.quote(name) + " is unknown and has no effect; known are "
                        + String.join(", ", known));
            }
        }
        return new Settings(sidecar(text(given, SIDECAR_URL)), directory(text(given, DATA_DIRECTORY)),
                silenceBound(text(given, SILENCE_BOUND)), seeds(text(given, SEEDS)),
                Collections.unmodifiableList(warnings));
    }

    /** Values are read as plain objects: a yaml reader is free to hand over a number where a string is declared. */
    private static String text(Map<?, ?> parameters, String name) {
        Object value = parameters.get(name);
        String text = value == null ? "" : value.toString().trim();
        return text.isEmpty() ? null : text;
    }

    private static InetSocketAddress sidecar(String value) {
        String allowed = "an http URL of a loopback address, such as http://127.0.0.1:8078 or http://[::1]:8078";
        try {
            URI uri = new URI(value == null ? "http://127.0.0.1:" + DEFAULT_PORT : value);
            String path = uri.getRawPath();
            boolean bare = (path == null || path.isEmpty() || path.equals("/")) && uri.getRawQuery() == null
                    && uri.getRawFragment() == null && uri.getRawUserInfo() == null;
            if (!bare || !"http".equalsIgnoreCase(uri.getScheme()) || uri.getHost() == null || uri.getPort() > 0xffff
                    || uri.getPort() == 0) {
                throw bad(SIDECAR_URL, value, allowed);
            }
            String host = uri.getHost().replaceAll("^\\[|]$", "");
            InetAddress address = IpLiteral.parse(host.equalsIgnoreCase("localhost") ? "127.0.0.1" : host);
            if (!address.isLoopbackAddress()) {
                // Whoever can answer here chooses the ring that the node joins, and nothing is encrypted.
                throw bad(SIDECAR_URL, value, allowed);
            }
            return new InetSocketAddress(address, uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort());
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw bad(SIDECAR_URL, value, allowed);
        }
    }

    private static Path directory(String value) {
        if (value == null) {
            return null;
        }
        String allowed = "an absolute path, that of the directory that holds system/";
        try {
            Path path = Paths.get(value);
            if (!path.isAbsolute()) {
                throw bad(DATA_DIRECTORY, value, allowed);
            }
            return path;
        } catch (InvalidPathException e) {
            throw bad(DATA_DIRECTORY, value, allowed);
        }
    }

    private static Duration silenceBound(String value) {
        if (value == null) {
            return Duration.ofSeconds(DEFAULT_SILENCE_SECONDS);
        }
        int seconds = value.matches("[0-9]{1,6}") ? Integer.parseInt(value) : 0;
        if (seconds < 1 || seconds > MAX_SILENCE_SECONDS) {
            throw bad(SILENCE_BOUND, value, "whole seconds from 1 to " + MAX_SILENCE_SECONDS);
        }
        return Duration.ofSeconds(seconds);
    }

    private static List<String> seeds(String value) {
        if (value == null) {
            return Collections.emptyList();
        }
        String allowed = "at most " + MAX_SEEDS + " names or IP addresses, separated by commas";
        List<String> seeds = new ArrayList<>();
        for (String seed : value.split(",")) {
            String name = seed.trim();
            if (name.isEmpty()) {
                continue;
            }
            // From 4.0 on a seed may carry its port; the sidecar knows addresses only.
            String literal = name.indexOf('/') < 0 ? IpLiteral.ofEndpoint(name) : null;
            String host = literal == null ? name.replaceFirst(":[0-9]{1,5}$", "") : literal;
            if (literal == null && !host.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,252}")) {
                throw bad(SEEDS, value, allowed);
            }
            seeds.add(host);
        }
        if (seeds.size() > MAX_SEEDS) {
            throw bad(SEEDS, value, allowed);
        }
        return Collections.unmodifiableList(seeds);
    }

    private static IllegalArgumentException bad(String name, String value, String allowed) {
        return new IllegalArgumentException(
                "seed_provider parameter " + name + " is " + Text.quote(value) + "; allowed is " + allowed);
    }
}
