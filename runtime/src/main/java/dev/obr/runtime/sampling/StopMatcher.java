package dev.obr.runtime.sampling;

import java.util.List;

/**
 * Cuts a stream of text before the first stop string, and holds back what might become one.
 *
 * <p>With the stop string {@code "\nUser:"}, the text {@code "Hello.\nUs"} releases {@code "Hello."} until the next piece decides.
 */
public final class StopMatcher {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    /** @param stops non-empty strings */
    public StopMatcher(List<String> stops) {
        this.stops = List.copyOf(stops);
    }

    /** The text that is safe to show now that {@code piece} follows. */
    public String append(String piece) {
        if (stopped) {
            return "";
        }
        held.append(piece);
        int first = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) {
                first = at;
            }
        }
        if (first >= 0) {
            stopped = true;
            return release(first);
        }
        return release(held.length() - longestStart());
    }

    /** Whether a stop string was found: the text ends before it. */
    public boolean stopped() {
        return stopped;
    }

    /** What was held back, once no more text comes. */
    public String finish() {
        return stopped ? "" : release(held.length());
    }

    private String release(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }

    /** Length of the longest end of the held text that starts a stop string. */
    private int longestStart() {
        int longest = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
                if (stop.startsWith(held.substring(held.length() - n))) {
                    longest = n;
                }
            }
        }
        return longest;
    }
}
