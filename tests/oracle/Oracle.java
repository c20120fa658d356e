import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.text.DecimalFormat;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.function.Supplier;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

import org.apache.cassandra.config.Config;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.db.BufferDecoratedKey;
import org.apache.cassandra.db.ConsistencyLevel;
import org.apache.cassandra.db.Keyspace;
import org.apache.cassandra.dht.Murmur3Partitioner;
import org.apache.cassandra.dht.Murmur3Partitioner.LongToken;
import org.apache.cassandra.dht.Token;
import org.apache.cassandra.exceptions.UnavailableException;
import org.apache.cassandra.gms.FailureDetector;
import org.apache.cassandra.gms.IFailureDetectionEventListener;
import org.apache.cassandra.gms.IFailureDetector;
import org.apache.cassandra.locator.AbstractEndpointSnitch;
import org.apache.cassandra.locator.AbstractReplicationStrategy;
import org.apache.cassandra.locator.Endpoints;
import org.apache.cassandra.locator.EndpointsForToken;
import org.apache.cassandra.locator.InetAddressAndPort;
import org.apache.cassandra.locator.Replica;
import org.apache.cassandra.locator.ReplicaLayout;
import org.apache.cassandra.locator.ReplicaPlans;
import org.apache.cassandra.locator.TokenMetadata;
import org.apache.cassandra.schema.KeyspaceMetadata;
import org.apache.cassandra.schema.KeyspaceParams;
import org.apache.cassandra.schema.Schema;
import org.apache.cassandra.schema.TableMetadata;
import org.apache.cassandra.service.StorageService;

/**
 * Asks Cassandra's own classes where replicas are and how much each node owns; no daemon runs and
 * no port is opened.  One command a line in, answers out, each closed by a line with a dot:
 *
 * <pre>
 * clear                                     forget nodes and keyspaces
 * node N DC RACK STATE TOKENS [TARGET]      STATE: normal, leaving, moving, joining, replacing; TARGET: token or node
 * keyspace NAME OPTION=VALUE ...            class and the rest
 * replicas NAME                             per token: token, replicas in order, '*' before a transient one
 * owns NAME | primary                       per node: share as float, and as nodetool status prints it
 * pending NAME TOKENS                       per token: nodes that ranges are pending for; '?' where Cassandra
 *                                           trips over a node that is pending twice
 * able NAME DC TOKENS NODES                 per token: what a coordinator in DC can do while NODES alone are alive
 * time NAME ROUNDS                          per round: nanoseconds for natural replicas, for effective ownership
 * </pre>
 */
public final class Oracle
{
    private static final Map<InetAddressAndPort, String[]> PLACES = new HashMap<>();
    private static final Map<String, AbstractReplicationStrategy> STRATEGIES = new HashMap<>();
    private static final Set<InetAddressAndPort> ALIVE = new HashSet<>();
    private static final Method READ = plan("assureSufficientLiveReplicasForRead");
    private static final Method WRITE = plan("assureSufficientLiveReplicasForWrite", Endpoints.class);
    private static int generation = 0;
    private static final PrintStream OUT = System.out;

    public static void main(String[] args) throws Exception
    {
        System.setOut(System.err); // logs must not mix with answers
        ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.ERROR);
        Config config = new Config();
        config.num_tokens = 1; // what transient replication asks for
        DatabaseDescriptor.clientInitialization(true, () -> config);
        DatabaseDescriptor.setPartitionerUnsafe(Murmur3Partitioner.instance);
        DatabaseDescriptor.setTransientReplicationEnabledUnsafe(true);
        DatabaseDescriptor.setEndpointSnitch(new Places());
        Field detector = DatabaseDescriptor.class.getDeclaredField("newFailureDetector");
        detector.setAccessible(true);
        detector.set(null, (Supplier<IFailureDetector>) Alive::new);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in), 1 << 20);
        for (String line = in.readLine(); line != null; line = in.readLine())
        {
            try
            {
                answer(line.split(" "));
                OUT.println(".");
            }
            catch (Exception | AssertionError problem)
            {
                OUT.println("! " + problem);
                problem.printStackTrace();
            }
            OUT.flush();
        }
        System.exit(0); // Cassandra's executors are no daemon threads
    }

    private static void answer(String[] words) throws Exception
    {
        switch (words[0])
        {
            case "clear":
                PLACES.keySet().forEach(ring()::removeEndpoint); // clearUnsafe() keeps replacements
                ring().clearUnsafe();
                PLACES.clear();
                STRATEGIES.clear();
                generation++;
                break;
            case "node":
                addNode(words);
                break;
            case "keyspace":
                addKeyspace(words);
                break;
            case "replicas":
                for (Token token : ring().sortedTokens())
                    OUT.println(token + " " + names(STRATEGIES.get(words[1]).calculateNaturalReplicas(token, ring())));
                break;
            case "owns":
                print(StorageService.instance.effectiveOwnershipWithPort(inSchema(words[1])));
                break;
            case "primary":
                print(StorageService.instance.getOwnershipWithPort());
                break;
            case "pending":
                pending(words[1], words[2]);
                break;
            case "able":
                able(words[1], words[2], words[3], words[4]);
                break;
            case "time":
                time(words[1], Integer.parseInt(words[2]));
                break;
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    private static TokenMetadata ring()
    {
        return StorageService.instance.getTokenMetadata();
    }

    private static String inSchema(String keyspace)
    {
        return keyspace + "_" + generation;
    }

    private static void addNode(String[] words) throws Exception
    {
        InetAddressAndPort node = endpoint(Integer.parseInt(words[1]));
        PLACES.put(node, new String[]{ words[2], words[3] });
        List<Token> tokens = tokens(words[5]);
        switch (words[4])
        {
            case "joining":
                ring().addBootstrapTokens(tokens, node);
                return;
            case "replacing":
                ring().addReplaceTokens(tokens, node, endpoint(Integer.parseInt(words[6])));
                return;
            default:
                ring().updateNormalTokens(tokens, node);
        }
        if (words[4].equals("leaving"))
            ring().addLeavingEndpoint(node);
        if (words[4].equals("moving"))
            ring().addMovingEndpoint(new LongToken(Long.parseLong(words[6])), node);
    }

    private static void addKeyspace(String[] words)
    {
        Map<String, String> options = new LinkedHashMap<>();
        for (int i = 2; i < words.length; i++)
        {
            String[] option = words[i].split("=");
            options.put(option[0], option[1]);
        }
        String name = inSchema(words[1]);
        KeyspaceMetadata metadata = KeyspaceMetadata.create(name, KeyspaceParams.create(true, options));
        Keyspace keyspace = Schema.instance.maybeAddKeyspaceInstance(name, () -> Keyspace.mockKS(metadata));
        STRATEGIES.put(words[1], keyspace.getReplicationStrategy());
    }

    private static void pending(String name, String tokens) throws Exception
    {
        boolean calculated = true;
        try
        {
            ring().calculatePendingRanges(STRATEGIES.get(name), name);
        }
        catch (IllegalArgumentException refused)
        {
            calculated = false;
        }
        for (Token token : tokens(tokens))
        {
            String found;
            try
            {
                found = calculated ? names(ring().pendingEndpointsForToken(token, name)) : "?";
            }
            catch (IllegalArgumentException refused) // "Conflicting replica added"
            {
                found = "?";
            }
            OUT.println(token + " " + found);
        }
    }

    private static void able(String name, String dc, String tokens, String nodes) throws Exception
    {
        ALIVE.clear();
        for (String node : nodes.split(","))
            if (!node.equals("-"))
                ALIVE.add(endpoint(Integer.parseInt(node)));
        DatabaseDescriptor.setLocalDataCenter(dc);
        Keyspace keyspace = Schema.instance.getKeyspaceInstance(inSchema(name));
        AbstractReplicationStrategy strategy = keyspace.getReplicationStrategy();
        ring().calculatePendingRanges(strategy, inSchema(name));
        TableMetadata table = TableMetadata.minimal(inSchema(name), "t");
        for (Token token : tokens(tokens))
        {
            StringJoiner able = new StringJoiner(",");
            EndpointsForToken read = EndpointsForToken.natural(strategy, token).filter(FailureDetector.isReplicaAlive);
            ReplicaLayout.ForTokenWrite write = ReplicaLayout.forTokenWriteLiveAndDown(keyspace, token);
            EndpointsForToken alive = write.all().filter(FailureDetector.isReplicaAlive);
            for (ConsistencyLevel level : ConsistencyLevel.values())
            {
                if (level == ConsistencyLevel.ANY || level == ConsistencyLevel.NODE_LOCAL)
                    continue;
                if (level.isSerialConsistency())
                {
                    if (succeeds(() -> ReplicaPlans.forPaxos(keyspace, new BufferDecoratedKey(token, ByteBuffer.allocate(0)), level)))
                        able.add(level + " paxos v1");
                    if (succeeds(() -> paxos2(table, token, level)))
                        able.add(level + " paxos v2");
                    continue;
                }
                if (succeeds(() -> READ.invoke(null, strategy, level, read)))
                    able.add(level + " read");
                if (succeeds(() -> WRITE.invoke(null, strategy, level, alive, write.pending())))
                    able.add(level + " write");
            }
            OUT.println(token + " " + able);
        }
    }

    private static void paxos2(TableMetadata table, Token token, ConsistencyLevel level) throws Exception
    {
        Class<?> participants = Class.forName("org.apache.cassandra.service.paxos.Paxos$Participants");
        Method get = participants.getDeclaredMethod("get", TableMetadata.class, Token.class, ConsistencyLevel.class);
        Method assure = participants.getDeclaredMethod("assureSufficientLiveNodesForRepair");
        get.setAccessible(true);
        assure.setAccessible(true);
        assure.invoke(get.invoke(null, table, token, level));
    }

    private static boolean succeeds(Attempt attempt) throws Exception
    {
        try
        {
            attempt.run();
            return true;
        }
        catch (UnavailableException | UnsupportedOperationException no) // the latter: transient replicas
        {
            return false;
        }
        catch (InvocationTargetException wrapped)
        {
            if (wrapped.getCause() instanceof UnavailableException)
                return false;
            throw wrapped;
        }
    }

    private interface Attempt
    {
        void run() throws Exception;
    }

    private static Method plan(String name, Class<?>... more)
    {
        try
        {
            Class<?>[] types = { AbstractReplicationStrategy.class, ConsistencyLevel.class, Endpoints.class };
            List<Class<?>> all = new ArrayList<>(List.of(types));
            all.addAll(List.of(more));
            Method method = ReplicaPlans.class.getDeclaredMethod(name, all.toArray(new Class<?>[0]));
            method.setAccessible(true);
            return method;
        }
        catch (NoSuchMethodException gone)
        {
            throw new IllegalStateException(gone);
        }
    }

    private static void time(String name, int rounds)
    {
        AbstractReplicationStrategy strategy = STRATEGIES.get(name);
        for (int round = 0; round < rounds; round++)
        {
            long start = System.nanoTime();
            TokenMetadata copy = ring().cloneOnlyTokenMap();
            long replicas = 0;
            for (Token token : copy.sortedTokens())
                replicas += strategy.calculateNaturalReplicas(token, copy).size();
            long middle = System.nanoTime();
            Map<String, Float> owned = StorageService.instance.effectiveOwnershipWithPort(inSchema(name));
            long end = System.nanoTime();
            OUT.println((middle - start) + " " + (end - middle) + " " + replicas + " " + owned.size());
            OUT.flush();
        }
    }

    private static void print(Map<String, Float> shares)
    {
        TreeMap<Integer, Float> byNode = new TreeMap<>();
        shares.forEach((address, share) -> byNode.put(number(address), share));
        byNode.forEach((node, share) -> OUT.println(node + " " + share + " " + new DecimalFormat("##0.0%").format(share)));
    }

    private static String names(Collection<Replica> replicas)
    {
        StringJoiner names = new StringJoiner(",");
        for (Replica replica : replicas)
            names.add((replica.isFull() ? "" : "*") + number(replica.endpoint().toString()));
        return names.toString();
    }

    private static String names(Iterable<Replica> replicas)
    {
        List<Replica> all = new ArrayList<>();
        replicas.forEach(all::add);
        return names((Collection<Replica>) all);
    }

    private static List<Token> tokens(String words)
    {
        List<Token> tokens = new ArrayList<>();
        for (String word : words.split(","))
            tokens.add(new LongToken(Long.parseLong(word)));
        return tokens;
    }

    private static InetAddressAndPort endpoint(int node) throws Exception
    {
        byte[] address = { 127, (byte) (node >> 16), (byte) (node >> 8), (byte) node };
        return InetAddressAndPort.getByAddress(InetAddress.getByAddress(address));
    }

    private static int number(String endpoint)
    {
        String[] parts = endpoint.substring(endpoint.indexOf('/') + 1).split("[.:]");
        return Integer.parseInt(parts[1]) << 16 | Integer.parseInt(parts[2]) << 8 | Integer.parseInt(parts[3]);
    }

    /** Who is alive as the last command said. */
    private static final class Alive implements IFailureDetector
    {
        public boolean isAlive(InetAddressAndPort node)
        {
            return ALIVE.contains(node);
        }

        public void interpret(InetAddressAndPort node)
        {
        }

        public void report(InetAddressAndPort node)
        {
        }

        public void remove(InetAddressAndPort node)
        {
        }

        public void forceConviction(InetAddressAndPort node)
        {
        }

        public void registerFailureDetectionEventListener(IFailureDetectionEventListener listener)
        {
        }

        public void unregisterFailureDetectionEventListener(IFailureDetectionEventListener listener)
        {
        }
    }

    /** Data centre and rack as the commands said. */
    private static final class Places extends AbstractEndpointSnitch
    {
        public String getRack(InetAddressAndPort endpoint)
        {
            return PLACES.getOrDefault(endpoint, new String[]{ "none", "none" })[1];
        }

        public String getDatacenter(InetAddressAndPort endpoint)
        {
            return PLACES.getOrDefault(endpoint, new String[]{ "none", "none" })[0];
        }

        public int compareEndpoints(InetAddressAndPort target, Replica one, Replica other)
        {
            return 0;
        }
    }
}
