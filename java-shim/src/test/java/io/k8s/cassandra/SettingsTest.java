package io.k8s.cassandra;

import static java.util.Collections.singletonMap;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
    @Test
    void withoutAnyParameterEverythingHasItsDefault() {
        for (Map<String, String> nothing : Arrays.asList(null, Collections.<String, String>emptyMap())) {
            Settings settings = Settings.of(nothing);

            assertEquals(new InetSocketAddress("127.0.0.1", 8078), settings.sidecar);
            assertEquals(300, settings.silenceBound.getSeconds());
            assertNull(settings.dataDirectory);
            assertTrue(settings.configuredSeeds.isEmpty() && settings.warnings.isEmpty());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.2:9,127.0.0.2,9", "http://[::1]:8078/,::1,8078", "http://localhost,127.0.0.1,8078",
        "HTTP://LOCALHOST:1,127.0.0.1,1"
    })
    void theSidecarMayBeAtAnyLoopbackAddressAndPort(String url, String host, int port) {
        InetSocketAddress sidecar = Settings.of(singletonMap("sidecar_url", url)).sidecar;

        assertEquals(new InetSocketAddress(host, port), sidecar);
    }

    @ParameterizedTest
    @CsvSource({
        "sidecar_url,https://127.0.0.1:8078,loopback", "sidecar_url,http://10.0.0.1:8078,loopback",
        "sidecar_url,http://sidecar:8078,loopback", "sidecar_url,http://127.0.0.1:0,loopback",
        "sidecar_url,http://127.0.0.1:70000,loopback", "sidecar_url,http://127.0.0.1:1/v1,loopback",
        "sidecar_url,http://u@127.0.0.1:1,loopback", "sidecar_url,http://127.0.0.1:1?a,loopback", "sidecar_url,nonsense,loopback",
        "sidecar_url,http:// ,loopback", "silence_bound,0,whole seconds", "silence_bound,-5,whole seconds",
        "silence_bound,5m,whole seconds", "silence_bound,86401,whole seconds", "silence_bound,99999999999,whole seconds",
        "data_directory,data,absolute path", "seeds,a b,names or IP addresses", "seeds,a/b,names or IP addresses", "seeds,a/10.0.0.1,names or IP addresses", "seeds,-a,names or IP addresses",
        "seeds,a:b:c,names or IP addresses"
    })
    void aWrongValueIsNamedWithItsParameterAndWhatIsAllowed(String name, String value, String allowed) {
        String message = assertThrows(IllegalArgumentException.class, () -> Settings.of(singletonMap(name, value)))
                .getMessage();

        assertTrue(message.contains(name) && message.contains(value.trim()) && message.contains(allowed), message);
    }

    @Test
    void seedsFromBeforeMayBeNamesAndAddressesAndAreKeptInOrder() {
        Settings settings = Settings.of(singletonMap("seeds", "cassandra-0.cassandra, 10.0.0.1,,fd00::1 "));

        assertEquals(Arrays.asList("cassandra-0.cassandra", "10.0.0.1", "fd00::1"), settings.configuredSeeds);
    }

    @Test
    void aSeedsPortIsLeftOut() {
        Settings settings = Settings.of(singletonMap("seeds", "cassandra-0.cassandra:7000,127.0.0.1:7000,[fd00::1]:7000"));

        assertEquals(Arrays.asList("cassandra-0.cassandra", "127.0.0.1", "fd00::1"), settings.configuredSeeds);
    }

    @Test
    void moreSeedsThanTheSidecarTakesAreRefused() {
        String seeds = String.join(",", Collections.nCopies(65, "10.0.0.1"));

        assertThrows(IllegalArgumentException.class, () -> Settings.of(singletonMap("seeds", seeds)));
    }

    @Test
    void anUnknownParameterIsWarnedOfAndTheRestHolds() {
        Settings settings = Settings.of(Collections.singletonMap("sidecar_uri", "http://127.0.0.1:1"));

        assertEquals(1, settings.warnings.size());
        assertTrue(settings.warnings.get(0).contains("sidecar_uri"));
    }

    @Test
    void numbersFromAYamlReaderAreTakenAsText() {
        @SuppressWarnings({"unchecked", "rawtypes"})
        Map<String, String> parameters = (Map) singletonMap("silence_bound", 7);

        assertEquals(7, Settings.of(parameters).silenceBound.getSeconds());
    }

    @Test
    void theDataDirectoryIsTakenAsItIs() {
        assertEquals(Paths.get("/var/lib/cassandra/data"),
                Settings.of(singletonMap("data_directory", "/var/lib/cassandra/data")).dataDirectory);
    }
}
