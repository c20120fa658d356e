package io.k8s.cassandra;

import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks for the seeds of a start until there is an answer: patient with a sidecar that withholds, impatient with silence.
 *
 * <p>It never makes up seeds: none, or the node's own address, would found a second ring.
 */
final class FirstAnswer {
    static final String REPLACE_FIRST_BOOT = "cassandra.replace_address_first_boot";
    /** It wins over the other one in Cassandra ({@code DatabaseDescriptor.getReplaceAddress}). */
    static final String REPLACE = "cassandra.replace_address";

    private static final int MAX_RETRY_AFTER_SECONDS = 30;
    /** What a sidecar withholds by because it does not know, and not because it knows something against the disk. */
    private static final Set<String> NOT_KNOWING =
            Collections.unmodifiableSet(new HashSet<>(Arrays.asList("api-away", "disk-unknown")));
    private static final Logger LOG = LoggerFactory.getLogger(FirstAnswer.class);

    private final Sidecar sidecar;
    private final Disk disk;
    private final Settings settings;
    private final String address;
    private final Timing timing;
    private final Progress progress;
    /** The last answer of this start that withheld; null before the first. */
    private Answer lastWord;
    private Long silentSince;
    private long pause;

    FirstAnswer(Sidecar sidecar, Disk disk, Settings settings, String address, Timing timing) {
        this.sidecar = sidecar;
        this.disk = disk;
        this.settings = settings;
        this.address = address;
        this.timing = timing;
        this.progress = new Progress(LOG, timing);
    }

    /**
     * Blocks until the sidecar has answered; on a disk that is new to the ring the mark is written by then.
     *
     * @return IP literals, never empty
     * @throws IllegalStateException where the disk must not join, where the sidecar was silent for too long and the disk
     *     remembers no seeds or was objected to in this start, and where the disk cannot be read or marked
     */
    List<String> get() throws InterruptedException {
        while (true) {
            Disk.Reading reading = read();
            long askedAt = timing.now();
            try {
                Answer answer = sidecar.ask(reading, address, settings.configuredSeeds, timing.questionBound());
                switch (answer.outcome) {
                    case SEEDS:
                        return accept(answer, reading);
                    case REFUSED:
                        throw new IllegalStateException(
                                "This disk must not join this ring, says " + sidecar + ": " + answer.reason);
                    default:
                        withheld(answer);
                }
            } catch (IOException e) {
                if (silentSince == null) {
                    silentSince = askedAt;
                    pause = timing.shortestPause().toMillis();
                }
                if (silenceLeft(timing.now()) <= 0) {
                    return lastResort(reading, e);
                }
                silent(e);
            }
        }
    }

    private Disk.Reading read() {
        try {
            return disk.read();
        } catch (IOException e) {
            // What cannot be read is not an empty disk, and Cassandra could not start on it either.
            throw new IllegalStateException("The data directory cannot be read: " + e, e);
        }
    }

    private void withheld(Answer answer) throws InterruptedException {
        silentSince = null;
        lastWord = answer;
        progress.hindered("Seeds are withheld by " + sidecar + ": " + answer.reason);
        long millis = 1000L * Math.min(MAX_RETRY_AFTER_SECONDS, answer.retryAfterSeconds);
        timing.sleep(millis + (long) (millis * 0.2 * timing.random()));
    }

    private void silent(IOException error) throws InterruptedException {
        progress.hindered("No answer from " + sidecar + ": " + describe(error));
        long jittered = (long) (pause * (0.5 + timing.random()));
        pause = Math.min(2 * pause, timing.longestPause().toMillis());
        timing.sleep(Math.max(1, Math.min(jittered, silenceLeft(timing.now()))));
    }

    private long silenceLeft(long now) {
        return silentSince + settings.silenceBound.toMillis() - now;
    }

    private List<String> accept(Answer answer, Disk.Reading reading) throws SidecarException {
        if (MarkRules.contradicts(reading, answer)) {
            throw new SidecarException("it offers seeds of ring " + answer.ringId + " to a disk of ring "
                    + reading.mark.ringId);
        }
        if (reading.isNewcomer() && answer.ringId == null) {
            throw new SidecarException("it offers seeds to a new disk without X-Ring-Id");
        }
        Mark mark = MarkRules.onFirstAnswer(reading, answer);
        if (answer.replace != null && reading.isNewcomer()) {
            checkReplacement(answer.replace);
        }
        write(mark);
        if (answer.replace != null && reading.isNewcomer()) {
            System.setProperty(REPLACE_FIRST_BOOT, answer.replace);
            LOG.warn("This node replaces the lost node {}", answer.replace);
        } else if (answer.replace != null) {
            LOG.warn("X-Replace: {} has no effect on a disk that is {}", answer.replace, Mark.name(reading.state));
        }
        LOG.info("Seeds for this start, from {}: {}", sidecar, answer.seeds);
        return answer.seeds;
    }

    private void write(Mark mark) {
        if (mark == null) {
            return;
        }
        try {
            disk.write(mark);
        } catch (IOException e) {
            throw new IllegalStateException("The disk cannot be marked, so it must not join: " + e, e);
        }
    }

    /** An operator's flag is neither overridden nor obeyed where it names another node than the ring's own record does. */
    private static void checkReplacement(String address) {
        for (String property : new String[] {REPLACE, REPLACE_FIRST_BOOT}) {
            String set = System.getProperty(property);
            if (set != null && !address.equals(IpLiteral.ofEndpoint(set))) {
                throw new IllegalStateException("-D" + property + "=" + set + " is set, but the node that this disk has to"
                        + " replace is " + address + ": remove the flag, or correct it");
            }
        }
    }

    private List<String> lastResort(Disk.Reading reading, IOException error) {
        String silence = "No answer from " + sidecar + " for " + settings.silenceBound.getSeconds() + " s ("
                + describe(error) + ")";
        boolean objected = lastWord != null && !NOT_KNOWING.contains(lastWord.rule);
        boolean remembers = reading.state == Disk.State.MEMBER && !reading.mark.seeds.isEmpty();
        if (remembers && !objected) {
            LOG.error("{}. Starting with the seeds that this member of ring {} had last: {}", silence,
                    reading.mark.ringId, reading.mark.seeds);
            return reading.mark.seeds;
        }
        throw new IllegalStateException(silence + ", and the disk, which is " + Mark.name(reading.state)
                + (remembers ? ", was to wait before that. " : ", remembers no seeds to start with. ")
                + (lastWord == null ? "" : "The sidecar's last own reason was: " + lastWord.reason + ". ")
                + "Check that the sidecar's container runs, what it logs, and that seed_provider parameter "
                + Settings.SIDECAR_URL + " names its port.");
    }

    private static String describe(IOException error) {
        String message = error.getMessage();
        return error instanceof SidecarException ? message : error.getClass().getSimpleName() + ": " + message;
    }
}
