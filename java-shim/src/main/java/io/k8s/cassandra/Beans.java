package io.k8s.cassandra;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import javax.management.Attribute;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;

/**
 * Reads the node through the platform MBean server, inside the JVM: no JMX port, no Cassandra class named here.
 *
 * <p>Until the operation mode has left STARTING nothing else is read. StorageService registers itself from its own
 * constructor, while its class is being initialised; other attributes then lead into classes that the main thread is about
 * to initialise ({@code getLocalHostId} into CommitLog in 4.0), and two threads that initialise classes in opposite order
 * wait for each other for ever. In 3.11 the same call would even make up a host ID.
 */
final class Beans {
    private static final ObjectName STORAGE = name("org.apache.cassandra.db:type=StorageService");
    private static final ObjectName FAILURES = name("org.apache.cassandra.net:type=FailureDetector");
    private static final ObjectName GOSSIP = name("org.apache.cassandra.net:type=Gossiper");
    private static final ObjectName SNITCH = name("org.apache.cassandra.db:type=EndpointSnitchInfo");
    private static final ObjectName LOAD = name("org.apache.cassandra.metrics:type=Storage,name=Load");

    private final MBeanServer server;

    Beans(MBeanServer server) {
        this.server = server;
    }

    /** Never throws for a bean or an attribute that is not there: what cannot be read stays null. */
    Node read() {
        Node node = new Node();
        String mode = text(attributes(STORAGE, "OperationMode").get("OperationMode"));
        if (mode == null || mode.equals(Node.STARTING)) {
            return node;
        }
        node.mode = mode;
        Map<String, Object> storage = attributes(STORAGE, "LocalHostId", "ReleaseVersion", "ClusterName",
                "NativeTransportRunning", "EndpointWithPortToHostId", "JoiningNodesWithPort", "LeavingNodesWithPort",
                "MovingNodesWithPort");
        node.hostId = Mark.uuid(text(storage.get("LocalHostId")));
        node.cassandra = text(storage.get("ReleaseVersion"));
        node.cluster = text(storage.get("ClusterName"));
        node.nativeTransport = cast(Boolean.class, storage.get("NativeTransportRunning"));
        Map<String, Object> snitch = attributes(SNITCH, "Datacenter", "Rack");
        node.dc = text(snitch.get("Datacenter"));
        node.rack = text(snitch.get("Rack"));
        Number load = cast(Number.class, attributes(LOAD, "Count").get("Count"));
        node.load = load == null ? null : load.doubleValue();
        Collection<?> seeds = cast(Collection.class, attributes(GOSSIP, "Seeds").get("Seeds"));
        node.seeds = seeds == null ? null : new ArrayList<>(new TreeSet<>(literals(seeds)));
        readPeers(node, storage);
        return node;
    }

    /**
     * Gossiper's {@code reloadSeeds}, which calls {@code getSeeds()} on this very thread.
     *
     * @return false where the version has no such operation (before 4.0)
     */
    boolean reloadSeeds() throws JMException {
        boolean known = Arrays.stream(server.getMBeanInfo(GOSSIP).getOperations())
                .anyMatch(operation -> operation.getName().equals("reloadSeeds") && operation.getSignature().length == 0);
        if (known) {
            server.invoke(GOSSIP, "reloadSeeds", new Object[0], new String[0]);
        }
        return known;
    }

    /** From 4.0 on endpoints carry their port, and the names say so; 3.11 has the old ones only. */
    private void readPeers(Node node, Map<String, Object> storage) {
        boolean ports = storage.containsKey("EndpointWithPortToHostId");
        Map<String, Object> known = ports ? storage
                : attributes(STORAGE, "EndpointToHostId", "JoiningNodes", "LeavingNodes", "MovingNodes");
        Map<?, ?> hosts = cast(Map.class, known.get(ports ? "EndpointWithPortToHostId" : "EndpointToHostId"));
        if (hosts == null) {
            return;
        }
        String suffix = ports ? "NodesWithPort" : "Nodes";
        Map<String, String> states = new HashMap<>();
        for (String state : new String[] {"Moving", "Leaving", "Joining"}) {
            Collection<?> members = cast(Collection.class, known.get(state + suffix));
            if (members != null) {
                literals(members).forEach(address -> states.put(address, state.toLowerCase(Locale.ROOT)));
            }
        }
        Map<String, Boolean> alive = alive(ports ? "SimpleStatesWithPort" : "SimpleStates");
        List<Node.Peer> peers = new ArrayList<>();
        hosts.forEach((endpoint, host) -> {
            String address = IpLiteral.ofEndpoint(String.valueOf(endpoint));
            String hostId = Mark.uuid(text(host));
            if (address != null && hostId != null && !hostId.equals(node.hostId)) {
                peers.add(new Node.Peer(hostId, address, alive.get(address), states.getOrDefault(address, "normal")));
            }
        });
        node.setPeers(peers);
    }

    private Map<String, Boolean> alive(String attribute) {
        Map<?, ?> states = cast(Map.class, attributes(FAILURES, attribute).get(attribute));
        Map<String, Boolean> alive = new HashMap<>();
        if (states != null) {
            states.forEach((endpoint, state) ->
                    alive.put(IpLiteral.ofEndpoint(String.valueOf(endpoint)), "UP".equals(state)));
        }
        return alive;
    }

    private Map<String, Object> attributes(ObjectName bean, String... names) {
        Map<String, Object> values = new HashMap<>();
        try {
            for (Attribute attribute : server.getAttributes(bean, names).asList()) {
                values.put(attribute.getName(), attribute.getValue());
            }
        } catch (InstanceNotFoundException e) {
            return Collections.emptyMap();
        } catch (JMException e) {
            throw new IllegalStateException(bean + " cannot be read", e);
        }
        return values;
    }

    private static Set<String> literals(Collection<?> endpoints) {
        Set<String> literals = new HashSet<>();
        for (Object endpoint : endpoints) {
            String literal = IpLiteral.ofEndpoint(String.valueOf(endpoint));
            if (literal != null) {
                literals.add(literal);
            }
        }
        return literals;
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }

    private static <T> T cast(Class<T> type, Object value) {
        return type.isInstance(value) ? type.cast(value) : null;
    }

    private static ObjectName name(String name) {
        try {
            return new ObjectName(name);
        } catch (MalformedObjectNameException e) {
            throw new IllegalStateException(e);
        }
    }
}
