package io.k8s.cassandra;

import java.util.List;

/** Writes the little JSON that a heartbeat is made of; members come out in the order in which they were put. */
final class Json {
    private final StringBuilder out = new StringBuilder("{");

    /** @param value any text, or null, which is written as {@code null} */
    Json put(String name, String value) {
        return raw(name, string(value));
    }

    /** @param value a number or a boolean, or null; what JSON cannot say (NaN, infinity) becomes {@code null} */
    Json put(String name, Object value) {
        boolean unsayable = value instanceof Double && (((Double) value).isNaN() || ((Double) value).isInfinite());
        return raw(name, unsayable ? "null" : String.valueOf(value));
    }

    /** @param json text that is JSON already */
    Json raw(String name, String json) {
        if (out.length() > 1) {
            out.append(',');
        }
        out.append(string(name)).append(':').append(json);
        return this;
    }

    /** @param elements JSON texts, or null, which is written as {@code null} */
    static String array(List<String> elements) {
        return elements == null ? "null" : "[" + String.join(",", elements) + "]";
    }

    /** @return a JSON string; U+2028 and U+2029, lone surrogates and controls are escaped, the rest stands as it is */
    static String string(String value) {
        if (value == null) {
            return "null";
        }
        StringBuilder text = new StringBuilder(value.length() + 2).append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            boolean paired = Character.isHighSurrogate(c) && i + 1 < value.length()
                    && Character.isLowSurrogate(value.charAt(i + 1));
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (paired) {
                text.append(c).append(value.charAt(++i));
            } else if (c < ' ' || c == 0x7f || c == '\u2028' || c == '\u2029' || Character.isSurrogate(c)) {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        return text.append('"').toString();
    }

    @Override
    public String toString() {
        return out + "}";
    }
}
