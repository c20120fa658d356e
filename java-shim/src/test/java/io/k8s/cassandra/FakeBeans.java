package io.k8s.cassandra;

import java.io.Closeable;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** Cassandra's MBeans under their own names in this JVM's server, as far as the shim reads them. */
final class FakeBeans implements Closeable {
    static final String HOST = "6b1f0000-0000-4000-8000-000000000001";
    static final String PEER = "6b1f0000-0000-4000-8000-000000000002";
    final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    final Bean storage = new Bean();
    final Bean failures = new Bean();
    final Bean gossip = new Bean();
    final Bean snitch = new Bean();
    final Bean load = new Bean();

    FakeBeans() throws Exception {
        register("org.apache.cassandra.db:type=StorageService", storage);
        register("org.apache.cassandra.net:type=FailureDetector", failures);
        register("org.apache.cassandra.net:type=Gossiper", gossip);
        register("org.apache.cassandra.db:type=EndpointSnitchInfo", snitch);
        register("org.apache.cassandra.metrics:type=Storage,name=Load", load);
        storage.set("OperationMode", "STARTING");
    }

    private final Set<ObjectName> names = ConcurrentHashMap.newKeySet();

    private void register(String name, Bean bean) throws Exception {
        server.registerMBean(bean, new ObjectName(name));
        names.add(new ObjectName(name));
    }

    /** A node of 4.0 or later with one peer. */
    FakeBeans node(String mode) {
        storage.set("LocalHostId", HOST).set("ReleaseVersion", "5.0.9").set("ClusterName", "a \"ring\"")
                .set("NativeTransportRunning", true)
                .set("JoiningNodesWithPort", Collections.emptyList()).set("LeavingNodesWithPort", Collections.emptyList())
                .set("MovingNodesWithPort", Collections.emptyList());
        snitch.set("Datacenter", "dc1").set("Rack", "r1");
        load.set("Count", 123456L);
        gossip.set("Seeds", Arrays.asList("/10.0.0.2:7000"));
        peers("10.0.0.2:7000", PEER);
        return mode(mode);
    }

    FakeBeans mode(String mode) {
        storage.set("OperationMode", mode);
        return this;
    }

    FakeBeans peers(String endpoint, String hostId) {
        Map<String, String> hosts = new HashMap<>();
        hosts.put("10.0.0.7:7000", HOST);
        hosts.put(endpoint, hostId);
        storage.set("EndpointWithPortToHostId", hosts);
        failures.set("SimpleStatesWithPort", Collections.singletonMap("host/" + endpoint, "UP"));
        return this;
    }

    @Override
    public void close() {
        for (ObjectName name : names) {
            try {
                server.unregisterMBean(name);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Attributes and operations that a test sets; it notes which attributes were asked for. */
    static final class Bean implements DynamicMBean {
        final Set<String> asked = ConcurrentHashMap.newKeySet();
        final List<String> invoked = new CopyOnWriteArrayList<>();
        private final Map<String, Object> attributes = new ConcurrentHashMap<>();
        private final Map<String, Callable<?>> operations = new ConcurrentHashMap<>();

        Bean set(String name, Object value) {
            attributes.put(name, value);
            return this;
        }

        void unset(String name) {
            attributes.remove(name);
        }

        void operation(String name, Callable<?> operation) {
            operations.put(name, operation);
        }

        @Override
        public Object getAttribute(String name) throws AttributeNotFoundException {
            asked.add(name);
            if (!attributes.containsKey(name)) {
                throw new AttributeNotFoundException(name);
            }
            return attributes.get(name);
        }

        @Override
        public AttributeList getAttributes(String[] names) {
            AttributeList found = new AttributeList();
            for (String name : new TreeSet<>(Arrays.asList(names))) {
                asked.add(name);
                if (attributes.containsKey(name)) {
                    found.add(new Attribute(name, attributes.get(name)));
                }
            }
            return found;
        }

        @Override
        public Object invoke(String name, Object[] parameters, String[] signature) {
            invoked.add(name);
            try {
                return operations.get(name).call();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public MBeanInfo getMBeanInfo() {
            MBeanOperationInfo[] infos = operations.keySet().stream().map(name -> new MBeanOperationInfo(name, name, null,
                    "java.util.List", MBeanOperationInfo.ACTION)).toArray(MBeanOperationInfo[]::new);
            return new MBeanInfo(Bean.class.getName(), "", new MBeanAttributeInfo[0], null, infos, null);
        }

        @Override
        public void setAttribute(Attribute attribute) {
            throw new UnsupportedOperationException();
        }

        @Override
        public AttributeList setAttributes(AttributeList list) {
            throw new UnsupportedOperationException();
        }
    }
}
