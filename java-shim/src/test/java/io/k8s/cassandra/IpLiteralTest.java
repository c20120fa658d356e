package io.k8s.cassandra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.InetAddress;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpLiteralTest {
    @ParameterizedTest
    @CsvSource({
        "10.0.0.1,10.0.0.1", "0.0.0.0,0.0.0.0", "255.255.255.255,255.255.255.255", "::,::", "::1,::1", "fd00::1,fd00::1",
        "1::,1::", "FD00:0:0:0:0:0:0:1,fd00::1", "1:0:0:2:0:0:0:3,1:0:0:2::3", "1:0:2:3:4:5:6:7,1:0:2:3:4:5:6:7",
        "1:2:3:4:5:6:7::,1:2:3:4:5:6:7:0", "::ffff:10.0.0.1,10.0.0.1", "64:ff9b::10.0.0.1,64:ff9b::a00:1",
        "1:2:3:4:5:6:7.8.9.10,1:2:3:4:5:6:708:90a"
    })
    void literalsAreReadAndWrittenInCanonicalForm(String text, String canonical) {
        assertEquals(canonical, IpLiteral.format(IpLiteral.parse(text)));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", " ", "localhost", "cassandra-0.cassandra", "10.0.0", "10.0.0.256", "10.0.0.01", "10.0.0.1 ", "10.0.0.-1", "1",
        "10.0.0.1:7000", "[::1]", "fe80::1%eth0", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::",
        "g::1", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1.2.3.4::", "1.2.3.4::1", "::1.2.3", "1:", ":1", "٣.0.0.1",
        "10.0.0.1\r", "10.0.0.1\u0000"
    })
    void whatIsNoPlainLiteralIsRefusedInsteadOfLookedUp(String text) {
        assertThrows(IllegalArgumentException.class, () -> IpLiteral.parse(text));
    }

    @Test
    void everyAddressComesBackFromItsText() throws Exception {
        Random random = new Random(42);
        for (int i = 0; i < 5_000; i++) {
            byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
            for (int j = 0; j < bytes.length; j++) {
                bytes[j] = random.nextInt(3) == 0 ? (byte) random.nextInt() : 0;
            }
            InetAddress address = InetAddress.getByAddress(bytes);
            assertEquals(address, IpLiteral.parse(IpLiteral.format(address)));
            assertEquals(address, IpLiteral.parse(address.getHostAddress()));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.1,10.0.0.1", "/10.0.0.1,10.0.0.1", "/10.0.0.1:7000,10.0.0.1", "host.example/10.0.0.1:7000,10.0.0.1",
        "[fd00::1]:7000,fd00::1", "/[fd00:0:0:0:0:0:0:1]:7000,fd00::1", "fd00:0:0:0:0:0:0:1,fd00::1",
        "fe80:0:0:0:0:0:0:1%eth0,fe80::1", "host/[fe80::1%2]:7000,fe80::1"
    })
    void endpointsAreReadInEveryFormThatCassandraWritesThem(String text, String literal) {
        assertEquals(literal, IpLiteral.ofEndpoint(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "host", "host:7000", "host/<unresolved>:7000", "[", "[fd00::1"})
    void anEndpointWithoutALiteralIsNone(String text) {
        assertEquals(null, IpLiteral.ofEndpoint(text));
    }
}
