package io.k8s.cassandra;

import java.io.Closeable;
import java.io.IOException;

import javax.management.JMException;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the sidecar every second what the node knows, and does what the answer asks for.
 *
 * <p>One daemon thread, alive from the constructor of the provider to the end of the JVM: a sidecar in any kind of trouble
 * neither stops it nor the database.
 */
final class Heartbeat implements Runnable, Closeable {
    static final String THREAD = "cassandra-k8s-heartbeat";
    /** Actions may lead to further ones; more than this in a row is a sidecar that goes round in circles. */
    private static final int MAX_IN_A_ROW = 8;
    private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);

    private final Sidecar sidecar;
    private final Disk disk;
    private final SeedList seeds;
    private final Beans beans;
    private final String address;
    private final String shimVersion;
    private final Timing timing;
    private final Progress telling;
    private final Progress keeping;
    private final Progress belonging;
    private final Thread thread = new Thread(this, THREAD);
    private volatile boolean closed;

    private Disk.Reading known;
    private String acknowledgedPeers;
    private boolean peersWanted;

    Heartbeat(Sidecar sidecar, Disk disk, SeedList seeds, Beans beans, String address, String shimVersion,
            Timing timing) {
        this.sidecar = sidecar;
        this.disk = disk;
        this.seeds = seeds;
        this.beans = beans;
        this.address = address;
        this.shimVersion = shimVersion;
        this.timing = timing;
        this.telling = new Progress(LOG, timing);
        this.keeping = new Progress(LOG, timing);
        this.belonging = new Progress(LOG, timing);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Ends the thread; Cassandra never does. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    @Override
    public void run() {
        while (!closed) {
            try {
                int beats = 0;
                while (beat() && ++beats < MAX_IN_A_ROW) {
                    LOG.debug("Beating again at once: an action was carried out");
                }
            } catch (InterruptedException e) {
                // Only close() means it; whoever else interrupts must not silence the node.
                LOG.debug("Heartbeat interrupted");
            } catch (Throwable e) { // OutOfMemoryError too: what the JVM's flags say of it is done by now
                failed(e);
            }
            pause();
        }
    }

    private void pause() {
        try {
            timing.sleep((long) (timing.heartbeatPause().toMillis() * (0.95 + 0.1 * timing.random())));
        } catch (InterruptedException e) {
            LOG.debug("Heartbeat interrupted");
        }
    }

    /** Even the log may be what fails: a JVM that is out of memory, a class loader that is gone. */
    private void failed(Throwable error) {
        try {
            telling.hindered("The heartbeat failed and goes on: " + error);
            LOG.debug("The heartbeat failed", error);
        } catch (RuntimeException | Error e) {
            thread.getName();
        }
    }

    /** @return whether an action was carried out, so that the sidecar wants to see at once whether it took */
    private boolean beat() throws InterruptedException {
        Node node = beans.read();
        if (node.mode.equals(Node.NORMAL)) {
            seeds.started();
        }
        Disk.Reading reading = read(node);
        Answer answer = tell(node, reading);
        if (reading != null) {
            keepMark(node, reading, answer);
        }
        return answer != null && act(answer, reading);
    }

    private Answer tell(Node node, Disk.Reading reading) throws InterruptedException {
        HeartbeatBody body = new HeartbeatBody(node);
        boolean withPeers = peersWanted || body.peersHash != null && !body.peersHash.equals(acknowledgedPeers);
        String json = body.json(shimVersion, address, reading, withPeers);
        try {
            Answer answer = sidecar.tell(json, timing.heartbeatBound());
            acknowledgedPeers = body.peersHash;
            peersWanted = false;
            telling.free("Heartbeats are taken again by " + sidecar);
            return answer;
        } catch (IOException e) {
            telling.hindered("No heartbeat is taken by " + sidecar + ", the seeds stay as they are: " + e.getMessage());
            return null;
        }
    }

    private boolean act(Answer answer, Disk.Reading reading) {
        if (reading != null && MarkRules.contradicts(reading, answer)) {
            // Seeds of another ring would merge the two.
            belonging.hindered("The sidecar speaks for ring " + answer.ringId + ", this disk belongs to ring "
                    + reading.mark.ringId + ": its seeds are not used");
            return false;
        }
        if (answer.outcome == Answer.Outcome.SEEDS) {
            seeds.offer(answer.seeds);
        }
        boolean acted = answer.actions.contains(Answer.SEND_PEERS);
        peersWanted |= acted;
        return answer.actions.contains(Answer.RELOAD_SEEDS) && seeds.isStarted() && reload() || acted;
    }

    private boolean reload() {
        try {
            boolean reloaded = beans.reloadSeeds();
            LOG.info(reloaded ? "Gossip reloaded its seeds: {}"
                    : "This version cannot reload seeds, gossip will use them when it next asks: {}", seeds.current());
            return reloaded;
        } catch (JMException | RuntimeException e) {
            LOG.warn("Gossip could not reload its seeds", e);
            return false;
        }
    }

    /** Once a disk is a member's only this thread changes its mark, so that a stalled volume does not stop the heart. */
    private Disk.Reading read(Node node) {
        if (known != null && (known.state == Disk.State.MEMBER || known.state == Disk.State.LEFT)) {
            return known;
        }
        try {
            known = disk.read();
            if (known.state == Disk.State.EMPTY && node.mode.equals(Node.NORMAL)) {
                keeping.hindered("The node is NORMAL, but no data of the system keyspace are where the shim looks for them:"
                        + " seed_provider parameter " + Settings.DATA_DIRECTORY + " must be wrong; the disk stays unmarked");
            }
        } catch (IOException e) {
            keeping.hindered("The data directory cannot be read: " + e);
            known = null;
        }
        return known;
    }

    private void keepMark(Node node, Disk.Reading reading, Answer answer) {
        Mark next = MarkRules.onHeartbeat(reading, node.mode, node.hostId, answer);
        if (next == null) {
            return;
        }
        try {
            disk.write(next);
            known = new Disk.Reading(Disk.State.valueOf(next.state.name()), next);
        } catch (IOException e) {
            keeping.hindered("The disk cannot be marked as " + Mark.name(next.state) + ": " + e);
        }
    }
}
