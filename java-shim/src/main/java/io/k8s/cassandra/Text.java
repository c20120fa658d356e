package io.k8s.cassandra;

/** Makes text that came from outside safe to show: one line, bounded, no control characters. */
final class Text {
    private static final int MAX_SHOWN = 300;

    private Text() {}

    /** @return the text, quoted, for an error message */
    static String quote(String text) {
        return '"' + oneLine(text) + '"';
    }

    /** @return the first line's worth of the text: control characters as spaces, at most 300 characters */
    static String oneLine(String text) {
        String shown = text.replaceAll("\\p{Cntrl}+", " ").trim();
        return shown.length() <= MAX_SHOWN ? shown : shown.substring(0, MAX_SHOWN) + "…";
    }
}
