package io.k8s.cassandra;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.net.InetAddress;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import org.apache.cassandra.locator.SeedProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The few places where Cassandra's versions differ, reached by reflection so that one jar serves all of them.
 *
 * <p>Called from the constructor of the provider, when {@code DatabaseDescriptor.applyAll} has read directories and
 * addresses already.
 */
final class Cassandra {
    private static final String DESCRIPTOR = "org.apache.cassandra.config.DatabaseDescriptor";
    private static final String UTILITIES = "org.apache.cassandra.utils.FBUtilities";
    private static final Logger LOG = LoggerFactory.getLogger(Cassandra.class);

    private Cassandra() {}

    /**
     * @param literals IP literals
     * @return what this version's {@code SeedProvider.getSeeds} declares: InetAddress in 3.11, from 4.0 on
     *     InetAddressAndPort with the default storage port, without which a node would not recognise itself
     */
    static List<Object> elements(List<String> literals) {
        // Not whether the class InetAddressAndPort exists: 3.11 has it too.
        Class<?> type = elementType(SeedProvider.class);
        List<Object> elements = new ArrayList<>();
        try {
            for (String literal : literals) {
                InetAddress address = IpLiteral.parse(literal);
                elements.add(type == InetAddress.class ? address
                        : type.getMethod("getByAddress", InetAddress.class).invoke(null, address));
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Seeds cannot be made as " + type.getName()
                    + ", which this version of Cassandra wants", e);
        }
        return Collections.unmodifiableList(elements);
    }

    static Class<?> elementType(Class<?> seedProvider) {
        try {
            Type list = seedProvider.getMethod("getSeeds").getGenericReturnType();
            return (Class<?>) ((ParameterizedType) list).getActualTypeArguments()[0];
        } catch (ReflectiveOperationException | ClassCastException e) {
            throw new IllegalStateException("This version of Cassandra has a SeedProvider that is unknown", e);
        }
    }

    /**
     * Where the {@code system} keyspace may be: its own directory first (from 4.0 on), then every data directory.
     *
     * @throws IllegalStateException where Cassandra does not say
     */
    static List<Path> dataDirectories() {
        try {
            return dataDirectories(Class.forName(DESCRIPTOR));
        } catch (ReflectiveOperationException | LinkageError e) {
            throw new IllegalStateException("Cassandra does not say where its data are; set seed_provider parameter "
                    + Settings.DATA_DIRECTORY, e);
        }
    }

    static List<Path> dataDirectories(Class<?> descriptor) throws ReflectiveOperationException {
        Set<Path> directories = new LinkedHashSet<>();
        for (String getter : new String[] {"getLocalSystemKeyspacesDataFileLocations", "getAllDataFileLocations"}) {
            Method method = method(descriptor, getter);
            if (method != null) {
                for (String location : (String[]) method.invoke(null)) {
                    directories.add(Paths.get(location).toAbsolutePath());
                }
            }
        }
        if (directories.isEmpty()) {
            throw new NoSuchMethodException(descriptor + " names no data directories");
        }
        return new ArrayList<>(directories);
    }

    /** @return the node's broadcast address as an IP literal; null where Cassandra does not say */
    static String broadcastAddress() {
        try {
            return broadcastAddress(Class.forName(UTILITIES));
        } catch (ReflectiveOperationException | LinkageError e) {
            LOG.debug("The broadcast address is not known", e);
            return null;
        }
    }

    static String broadcastAddress(Class<?> utilities) throws ReflectiveOperationException {
        Method method = method(utilities, "getJustBroadcastAddress");
        if (method == null) {
            method = utilities.getMethod("getBroadcastAddress"); // 3.11
        }
        try {
            return IpLiteral.format((InetAddress) method.invoke(null));
        } catch (InvocationTargetException e) {
            LOG.warn("Cassandra cannot tell its broadcast address", e.getCause());
            return null;
        }
    }

    private static Method method(Class<?> type, String name) {
        try {
            return type.getMethod(name);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }
}
