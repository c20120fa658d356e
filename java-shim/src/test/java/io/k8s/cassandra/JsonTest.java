package io.k8s.cassandra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;

import org.junit.jupiter.api.Test;

class JsonTest {
    @Test
    void quotesBackslashesControlsAndLoneSurrogatesAreEscapedAndTheRestStandsAsItIs() {
        assertEquals("\"a\\\"b\\\\c\\u000a\\u0000\\u2028\\ud800é😀/\"", Json.string("a\"b\\c\n\0\u2028\ud800é😀/"));
    }

    @Test
    void whatIsNotKnownAndWhatJsonCannotSayIsNull() {
        String json = new Json().put("text", (String) null).put("number", (Object) null).put("nan", Double.NaN)
                .put("infinite", Double.NEGATIVE_INFINITY).raw("list", Json.array(null)).toString();

        assertEquals("{\"text\":null,\"number\":null,\"nan\":null,\"infinite\":null,\"list\":null}", json);
    }

    @Test
    void membersKeepTheirOrder() {
        String json = new Json().put("b", 1).put("a", true).put("load", 123456.0)
                .raw("c", Json.array(Arrays.asList("1", "2"))).toString();

        assertEquals("{\"b\":1,\"a\":true,\"load\":123456.0,\"c\":[1,2]}", json);
    }
}
