package io.k8s.cassandra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;

/** One jar serves every version: held by compiling against each one, and by loading the built classes beside it. */
class EveryCassandraTest {
    private static final Path CLASSES = Paths.get("target/classes");
    @TempDir
    Path temporary;

    static Stream<String> versions() {
        return Arrays.stream(System.getProperty("cassandra.versions").split(","));
    }

    private static Path jar(String version) {
        return Paths.get(System.getProperty("cassandra.jars"), "cassandra-all-" + version + ".jar");
    }

    private static Map<String, byte[]> classes(Path directory) throws IOException {
        Map<String, byte[]> classes = new TreeMap<>();
        List<Path> files;
        try (Stream<Path> walk = Files.walk(directory)) {
            files = walk.filter(file -> file.toString().endsWith(".class")).collect(Collectors.toList());
        }
        for (Path file : files) {
            classes.put(directory.relativize(file).toString(), Files.readAllBytes(file));
        }
        return classes;
    }

    @ParameterizedTest
    @MethodSource("versions")
    void theClassesAreTheSameByteForByteWhicheverVersionTheyAreCompiledAgainst(String version) throws Exception {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        Path out = Files.createDirectories(temporary.resolve(version));
        StringWriter said = new StringWriter();
        String slf4j = Logger.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
                Stream<Path> sources = Files.list(Paths.get("src/main/java/io/k8s/cassandra"))) {
            boolean compiled = compiler.getTask(said, files, null,
                    Arrays.asList("--release", "8", "-g", "-proc:none", "-Xlint:-options", "-encoding", "UTF-8", "-d", out.toString(),
                            "-cp", jar(version) + ":" + slf4j),
                    null, files.getJavaFileObjectsFromFiles(sources.map(Path::toFile).collect(Collectors.toList()))).call();
            assertTrue(compiled, said.toString());
        }

        Map<String, byte[]> built = classes(CLASSES);
        Map<String, byte[]> fresh = classes(out);

        assertEquals(built.keySet(), fresh.keySet());
        built.forEach((name, bytes) -> assertArrayEquals(bytes, fresh.get(name), name));
    }

    @ParameterizedTest
    @MethodSource("versions")
    void besideEachVersionSeedsAreWhatItsSeedProviderDeclares(String version) throws Exception {
        String expected = version.startsWith("3.") ? InetAddress.class.getName()
                : "org.apache.cassandra.locator.InetAddressAndPort";
        try (StubSidecar stub = new StubSidecar(); URLClassLoader loader = new Isolated(jar(version))) {
            Map<String, String> parameters = new HashMap<>();
            parameters.put("sidecar_url", stub.url());
            parameters.put("data_directory", temporary.toString());
            Class<?> type = loader.loadClass("io.k8s.cassandra.KubernetesSeedProvider");
            Object provider = type.getConstructor(Map.class).newInstance(parameters);

            Object seed = ((List<?>) type.getMethod("getSeeds").invoke(provider)).get(0);
            Method close = type.getDeclaredMethod("close");
            close.setAccessible(true);
            close.invoke(provider);

            assertEquals(expected, seed.getClass().getName().replace("java.net.Inet4Address", InetAddress.class.getName()));
            assertTrue(seed.toString().contains("/10.0.0.1"), seed.toString());
        }
    }

    /** The shim and one version of Cassandra, and of everything else only what the test itself has. */
    private static final class Isolated extends URLClassLoader {
        Isolated(Path jar) throws IOException {
            super(new URL[] {CLASSES.toUri().toURL(), jar.toUri().toURL()}, Isolated.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                if (!name.startsWith("io.k8s.cassandra.") && !name.startsWith("org.apache.cassandra.")) {
                    return super.loadClass(name, resolve);
                }
                Class<?> loaded = findLoadedClass(name);
                return loaded == null ? findClass(name) : loaded;
            }
        }
    }

    @Test
    void theClassFilesAreJavaEights() throws IOException {
        for (Map.Entry<String, byte[]> entry : classes(CLASSES).entrySet()) {
            assertEquals(52, entry.getValue()[7], entry.getKey());
        }
        assertFalse(classes(CLASSES).isEmpty());
    }

    /** As from 4.0 on. */
    public static final class NewDescriptor {
        public static String[] getLocalSystemKeyspacesDataFileLocations() {
            return new String[] {"/local"};
        }

        public static String[] getAllDataFileLocations() {
            return new String[] {"/data1", "/data2", "/local"};
        }
    }

    /** As in 3.11. */
    public static final class OldDescriptor {
        public static String[] getAllDataFileLocations() {
            return new String[] {"/data1", "/data2"};
        }

        public static InetAddress getBroadcastAddress() {
            return IpLiteral.parse("10.0.0.3");
        }
    }

    /** As from 4.0 on. */
    public static final class NewUtilities {
        public static InetAddress getJustBroadcastAddress() {
            return IpLiteral.parse("fd00::4");
        }
    }

    @Test
    void theDirectoryOfTheSystemKeyspaceComesFirstWhereAVersionHasOne() throws Exception {
        assertEquals(Arrays.asList(Paths.get("/local"), Paths.get("/data1"), Paths.get("/data2")),
                Cassandra.dataDirectories(NewDescriptor.class));
        assertEquals(Arrays.asList(Paths.get("/data1"), Paths.get("/data2")),
                Cassandra.dataDirectories(OldDescriptor.class));
    }

    @Test
    void theBroadcastAddressIsTakenFromWhicheverMethodTheVersionHas() throws Exception {
        assertEquals("10.0.0.3", Cassandra.broadcastAddress(OldDescriptor.class));
        assertEquals("fd00::4", Cassandra.broadcastAddress(NewUtilities.class));
        assertEquals(Collections.emptyList(), Cassandra.elements(Collections.<String>emptyList()));
    }
}
