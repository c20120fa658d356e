package io.k8s.cassandra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BeansTest {
    private static final String THIRD = "6b1f0000-0000-4000-8000-000000000003";
    private FakeBeans fakes;
    private final Beans beans = new Beans(ManagementFactory.getPlatformMBeanServer());

    @BeforeEach
    void register() throws Exception {
        fakes = new FakeBeans();
    }

    @AfterEach
    void unregister() {
        fakes.close();
    }

    private static String json(Node node) {
        return new HeartbeatBody(node).json("0", null, null, true);
    }

    @Test
    void withoutCassandrasBeansTheNodeIsStarting() throws Exception {
        fakes.close();
        assertEquals("STARTING", beans.read().mode);
        fakes = new FakeBeans();
    }

    @Test
    void whileTheNodeIsStartingNothingButTheModeIsReadLestTwoThreadsInitialiseClassesAtOnce() {
        fakes.node("STARTING");

        Node node = beans.read();

        assertEquals("STARTING", node.mode);
        assertNull(node.hostId);
        assertEquals(Collections.singleton("OperationMode"), fakes.storage.asked);
        assertTrue(fakes.snitch.asked.isEmpty() && fakes.gossip.asked.isEmpty() && fakes.failures.asked.isEmpty());
    }

    @Test
    void aNodeOfFourAndLaterIsReadWhole() {
        fakes.node("NORMAL");
        Map<String, String> hosts = new HashMap<>();
        hosts.put("10.0.0.7:7000", FakeBeans.HOST);
        hosts.put("10.0.0.2:7000", FakeBeans.PEER);
        hosts.put("[fd00:0:0:0:0:0:0:3]:7000", THIRD);
        hosts.put("nonsense", THIRD);
        fakes.storage.set("EndpointWithPortToHostId", hosts).set("LeavingNodesWithPort", Arrays.asList("10.0.0.2:7000"));
        fakes.failures.set("SimpleStatesWithPort", Collections.singletonMap("h/10.0.0.2:7000", "DOWN"));

        assertEquals("{\"version\":1,\"shim\":\"0\",\"cassandra\":\"5.0.9\",\"cluster\":\"a \\\"ring\\\"\",\"mode\":\"NORMAL\","
                + "\"hostId\":\"" + FakeBeans.HOST + "\",\"address\":null,\"dc\":\"dc1\",\"rack\":\"r1\",\"native\":true,"
                + "\"load\":123456.0,\"seeds\":[\"10.0.0.2\"],"
                + "\"disk\":{\"state\":\"unknown\",\"ringId\":null,\"hostId\":null,\"pvcUid\":null},"
                + "\"peersHash\":\"" + new HeartbeatBody(beans.read()).peersHash + "\",\"peers\":["
                + "{\"hostId\":\"" + FakeBeans.PEER + "\",\"address\":\"10.0.0.2\",\"up\":false,\"state\":\"leaving\"},"
                + "{\"hostId\":\"" + THIRD + "\",\"address\":\"fd00::3\",\"up\":null,\"state\":\"normal\"}]}", json(beans.read()));
    }

    @Test
    void aNodeOfThreeElevenIsReadByItsOldNamesAndKnowsNoSeeds() {
        fakes.storage.set("LocalHostId", FakeBeans.HOST).set("OperationMode", "JOINING")
                .set("EndpointToHostId", Collections.singletonMap("10.0.0.2", FakeBeans.PEER))
                .set("MovingNodes", Arrays.asList("10.0.0.2"));
        fakes.failures.set("SimpleStates", Collections.singletonMap("/10.0.0.2", "UP"));

        Node node = beans.read();

        assertNull(node.seeds);
        assertEquals("moving", node.peers.get(0).state);
        assertEquals(true, node.peers.get(0).up);
    }

    @Test
    void whatCannotBeReadIsNotKnownAndTheRestStands() {
        fakes.mode("JOINING");
        fakes.storage.set("LocalHostId", "no uuid").set("NativeTransportRunning", "yes");

        Node node = beans.read();

        assertEquals("JOINING", node.mode);
        assertNull(node.hostId);
        assertNull(node.nativeTransport);
        assertNull(node.load);
        assertNull(node.peers);
        assertTrue(json(node).contains("\"peersHash\":null") && !json(node).contains("\"peers\":"));
    }

    @Test
    void thePeersHashIsTheStartOfTheSha256OfTheArrayAsSent() {
        fakes.node("NORMAL");
        fakes.storage.set("EndpointWithPortToHostId", Collections.emptyMap());

        // printf '[]' | sha256sum
        assertEquals("4f53cda18c2baa0c", new HeartbeatBody(beans.read()).peersHash);
    }

    @Test
    void aVersionWithoutReloadSaysSo() throws Exception {
        assertFalse(beans.reloadSeeds());
        fakes.gossip.operation("reloadSeeds", Collections::emptyList);
        assertTrue(beans.reloadSeeds());
        assertEquals(Collections.singletonList("reloadSeeds"), fakes.gossip.invoked);
    }
}
