package io.k8s.cassandra;

import java.lang.management.ManagementFactory;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

import org.apache.cassandra.locator.SeedProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives Cassandra the seeds that the sidecar in the same pod decides on, and tells the sidecar how the node fares.
 *
 * <p>The first {@code getSeeds()} waits for an answer and holds it for the whole start; afterwards {@code getSeeds()} does
 * no I/O, because Cassandra's single gossip thread is among its callers ({@code Gossiper.removeEndpoint}). It never returns
 * an empty list and never makes up the node's own address.
 */
@SuppressWarnings("unchecked") // javac checks overriding, and so the raw list, for the class as a whole
public final class KubernetesSeedProvider implements SeedProvider {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesSeedProvider.class);

    private final SeedList seeds = new SeedList();
    private final ReentrantLock asking = new ReentrantLock();
    private final FirstAnswer firstAnswer;
    private final Heartbeat heartbeat;

    /**
     * What {@code DatabaseDescriptor.applySeedProvider} calls.
     *
     * @param parameters {@code seed_provider.parameters} of cassandra.yaml, may be null; java-shim/README.md lists them
     * @throws IllegalArgumentException for a value that is not allowed
     * @throws IllegalStateException where Cassandra does not say which directories hold its data
     */
    public KubernetesSeedProvider(Map<String, String> parameters) {
        this(parameters, new Timing());
    }

    KubernetesSeedProvider(Map<String, String> parameters, Timing timing) {
        Settings settings = Settings.of(parameters);
        settings.warnings.forEach(LOG::warn);
        Disk disk = new Disk(settings.dataDirectory == null ? Cassandra.dataDirectories()
                : Collections.singletonList(settings.dataDirectory));
        Sidecar sidecar = new Sidecar(settings.sidecar);
        String address = Cassandra.broadcastAddress();
        firstAnswer = new FirstAnswer(sidecar, disk, settings, address, timing);
        heartbeat = new Heartbeat(sidecar, disk, seeds, new Beans(ManagementFactory.getPlatformMBeanServer()), address,
                version(), timing);
        heartbeat.start();
    }

    /**
     * The seeds of the moment. The list is raw because its elements differ: {@code InetAddress} in Cassandra 3.11,
     * {@code InetAddressAndPort} from 4.0 on; to the JVM both methods are the same.
     *
     * @throws IllegalStateException at the first call, where this node must not or cannot start
     */
    @Override
    @SuppressWarnings("rawtypes")
    public List getSeeds() {
        List<String> current = seeds.current();
        return Cassandra.elements(current == null ? first() : current);
    }

    private List<String> first() {
        try {
            asking.lockInterruptibly();
            try {
                if (seeds.current() == null) {
                    seeds.latch(firstAnswer.get());
                }
                return seeds.current();
            } finally {
                asking.unlock();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while waiting for seeds", e);
        }
    }

    /** Ends the heartbeat; for tests, Cassandra never calls it. */
    void close() {
        heartbeat.close();
    }

    private static String version() {
        String version = KubernetesSeedProvider.class.getPackage().getImplementationVersion();
        return version == null ? "unpackaged" : version;
    }
}
