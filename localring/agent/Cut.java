package localring;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

import org.apache.cassandra.locator.InetAddressAndPort;
import org.apache.cassandra.net.Message;
import org.apache.cassandra.net.MessagingService;

/**
 * Cuts a node off from others: messages to them are dropped as on a network that loses all of them.
 *
 * <p>Whom, says a file: a line for each address, with the beginning of the names of the verbs that get lost
 * (org.apache.cassandra.net.Verb); without, all do. No file, no cut. It takes Cassandra's own hook for this,
 * {@code MessagingService.outboundSink}, which its in-JVM tests use too; nothing of Cassandra is touched before the
 * file is there.
 */
public final class Cut
{
    private static final long PAUSE_MILLIS = 100;

    private static volatile Map<String, String> lost = Collections.emptyMap();

    private Cut()
    {
    }

    /** Begins to look at the file that {@code options} names. */
    public static void premain(String options)
    {
        Path file = Paths.get(options);
        Thread thread = new Thread(() -> follow(file), "localring-cut");
        thread.setDaemon(true);
        thread.start();
    }

    private static void follow(Path file)
    {
        boolean hooked = false;
        try
        {
            while (true)
            {
                lost = read(file);
                if (!hooked && !lost.isEmpty())
                {
                    MessagingService.instance().outboundSink.add(Cut::passes);
                    hooked = true;
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        }
        catch (InterruptedException | IOException e)
        {
            throw new IllegalStateException("localring: " + file, e); // shown in the node's output
        }
    }

    private static Map<String, String> read(Path file) throws IOException
    {
        Map<String, String> found = new HashMap<>();
        try
        {
            for (String line : Files.readAllLines(file))
            {
                String[] words = line.split(" ", 2);
                found.put(words[0], words.length > 1 ? words[1] : "");
            }
        }
        catch (NoSuchFileException e)
        {
            return Collections.emptyMap();
        }
        return found;
    }

    private static boolean passes(Message<?> message, InetAddressAndPort to)
    {
        String verbs = lost.get(to.getHostAddress(false));
        return verbs == null || !message.verb().name().startsWith(verbs);
    }
}
